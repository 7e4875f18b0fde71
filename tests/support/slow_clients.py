"""Many people on slow lines who download at once, as a process of their own: what it costs is not the one's who measures.

As a program: ``python -m tests.support.slow_clients PORT PATH COUNT RATE``, RATE in bytes a second for each. It prints
``ready`` once every client has got the first bytes of the file, reads on until its standard input ends, and then prints
how many bytes the slowest and the fastest got in how many seconds.
"""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

TURN_SECONDS = 0.1
RECEIVE_BUFFER = 16 * 1024  # bytes; a slow line holds little on the way
PATIENCE = 30.0  # seconds


@dataclass
class Crowd:
    """What the clients got; filled in at the end."""

    count: int
    slowest: float = 0.0  # bytes a second
    fastest: float = 0.0


@contextmanager
def slow_clients(port: int, path: str, *, count: int = 64, rate: int = 30_000) -> Iterator[Crowd]:
    """While the block runs, so many clients hold a download of ``path``, each reading ``rate`` bytes a second."""
    crowd = Crowd(count)
    command = [sys.executable, "-m", "tests.support.slow_clients", str(port), path, str(count), str(rate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n", "the slow clients did not get the first bytes"
            yield crowd
            process.stdin.close()
            low, high, seconds = process.stdout.readline().split()
            crowd.slowest, crowd.fastest = int(low) / float(seconds), int(high) / float(seconds)
        finally:
            process.kill()


def main(port: int, path: str, count: int, rate: int) -> None:
    """Open the downloads and read them slowly."""
    clients = [_open(port, path) for _each in range(count)]
    for client in clients:
        assert client.recv(64).startswith(b"HTTP/1.1 20"), "not the file"
    _say("ready")
    got, start = [0] * count, time.monotonic()
    while not select.select([sys.stdin], [], [], TURN_SECONDS)[0]:
        due = int(rate * (time.monotonic() - start))
        for number, client in enumerate(clients):
            got[number] += _read(client, due - got[number])
    _say(f"{min(got)} {max(got)} {time.monotonic() - start}")


def _open(port: int, path: str) -> socket.socket:
    client = socket.socket()
    client.settimeout(PATIENCE)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    client.connect(("127.0.0.1", port))
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def _read(client: socket.socket, most: int) -> int:
    """Read what is there, at most so many bytes; who gets nothing must not hold up the others."""
    if most <= 0 or not select.select([client], [], [], 0)[0]:
        return 0
    data = client.recv(most)
    if not data:
        raise ConnectionError("the server ended a download")
    return len(data)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
