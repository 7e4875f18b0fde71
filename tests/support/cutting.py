"""A bad line: passes TCP on to a server and cuts every connection after so many bytes of its answers."""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

BLOCK = 64 * 1024
PATIENCE = 30.0  # seconds
RESET = struct.pack("ii", 1, 0)  # lingers for 0 seconds: what is on the way is thrown away


class CuttingProxy:
    """Cuts each connection after ``after`` bytes from the server: in turns in good order, and with a reset."""

    def __init__(self, server: int, after: int) -> None:
        self._server, self._after = server, after
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self.connections = self.cuts = 0
        self._threads: list[threading.Thread] = []
        self._counting = threading.Lock()
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self.connections += 1
                self._start(self._carry, client, self.connections)

    def _carry(self, client: socket.socket, number: int) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server), PATIENCE) as server, suppress(OSError):
            client.settimeout(PATIENCE)
            if not self._pass_on(client, server):
                return
            with self._counting:
                self.cuts += 1
            if number % 2:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> bool:
        """Pass on both ways; whether it ended because it is time to cut."""
        left = self._after
        while left:
            readable, _, _ = select.select([client, server], [], [], PATIENCE)
            if not readable:
                return False
            for source in readable:
                data = source.recv(BLOCK if source is client else min(BLOCK, left))
                if not data:
                    return False
                (server if source is client else client).sendall(data)
                left -= len(data) if source is server else 0
        return True

    def close(self) -> None:
        """Take no more connections and wait for the rest."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(PATIENCE)


@contextmanager
def cutting(server: int, *, after: int) -> Iterator[CuttingProxy]:
    """A proxy before the server of this port."""
    proxy = CuttingProxy(server, after)
    try:
        yield proxy
    finally:
        proxy.close()
