"""A clamd for tests that knows one signature of its own and speaks INSTREAM on a real socket, TCP or unix.

As clamd does, it answers and closes as soon as a stream passes its limit, and refuses what is not its protocol.
"""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SIGNATURE = b"csp-web test signature, harmless: 5d41402abc4b2a76"
NAME = "Csp-Web.Test-Signature.UNOFFICIAL"


@dataclass
class FakeClamd:
    """A running scanner: where it is, what it has scanned, and its limit in bytes."""

    url: str
    limit: int = 4 * 1024 * 1024
    scanned: list[int] = field(default_factory=list)  # sizes
    says: bytes = b""  # instead of its verdict
    dies_of: bytes = b""  # a file with this in it gets no answer

    def verdict(self, content: bytes) -> bytes:
        """What it says of a file. Raises ConnectionError: nothing."""
        if self.dies_of and self.dies_of in content:
            raise ConnectionAbortedError
        return self.says or (f"stream: {NAME} FOUND".encode() if SIGNATURE in content else b"stream: OK")


def _handler(scanner: FakeClamd) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):
                self.wfile.write(self.answer() + b"\0")

        def answer(self) -> bytes:
            command = self.command()
            if command == b"zVERSION":
                return b"ClamAV 1.4.6/27500/Mon Mar  2 08:00:00 2026"
            return self.stream() if command == b"zINSTREAM" else b"UNKNOWN COMMAND"

        def command(self) -> bytes:
            said = b""
            while (letter := self.rfile.read(1)) not in {b"", b"\0"}:
                said += letter
            return said

        def stream(self) -> bytes:
            content = b""
            while length := int.from_bytes(self.rfile.read(4), "big"):
                if len(content) + length > scanner.limit:
                    return b"INSTREAM size limit exceeded. ERROR"
                content += self.rfile.read(length)
            scanner.scanned.append(len(content))
            return scanner.verdict(content)

    return Handler


@contextmanager
def running_clamd(unix: Path | None = None) -> Iterator[FakeClamd]:
    """A scanner on a free port, or on a unix socket."""
    scanner = FakeClamd("")
    server: Any
    if unix is None:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(scanner))
        scanner.url = f"tcp://127.0.0.1:{server.server_address[1]}"
    else:
        server = socketserver.ThreadingUnixStreamServer(str(unix), _handler(scanner))
        scanner.url = f"unix://{unix}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield scanner
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
