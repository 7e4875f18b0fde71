"""A download manager: eight connections, each fetches its share by ranges and goes on where it was cut."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

CONNECTIONS = 8
BLOCK = 64 * 1024
PATIENCE = 30.0  # seconds
MOST_BREAKS = 200


def fetch_by_eight(port: int, path: str, target: Path) -> int:
    """Fetch a file; returns how often a connection broke. Every range names the file it began with (If-Range)."""
    head = _head(port, path)
    size, etag = int(head["content-length"]), head["etag"]
    with target.open("wb") as file:
        file.truncate(size)
    share = -(-size // CONNECTIONS)
    starts = list(range(0, size, share))
    stops = [min(start + share, size) for start in starts]
    gate = threading.Barrier(len(starts))
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        breaks: list[int] = list(pool.map(partial(_fetch, gate, port, path, etag, target), starts, stops))
    return sum(breaks)


def _head(port: int, path: str) -> dict[str, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("HEAD", path)
        return {name.lower(): text for name, text in connection.getresponse().getheaders()}
    finally:
        connection.close()


def _fetch(gate: threading.Barrier, port: int, path: str, etag: str, target: Path, start: int, stop: int) -> int:
    breaks = 0
    gate.wait(PATIENCE)
    with target.open("r+b", buffering=0) as file:
        file.seek(start)
        while file.tell() < stop:
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            try:
                connection.request("GET", path, headers={"Range": f"bytes={file.tell()}-{stop - 1}", "If-Range": etag})
                answer = connection.getresponse()
                assert answer.status == 206, answer.status
                while block := answer.read1(BLOCK):
                    file.write(block)
            except (OSError, HTTPException):
                pass  # counted below: the file is not whole yet
            finally:
                connection.close()
            breaks += int(file.tell() < stop)
            assert breaks < MOST_BREAKS, "it never ends"
    return breaks
