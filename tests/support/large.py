"""A file of more than 5 GB that takes no room, and what every server has to answer about it."""

from __future__ import annotations

import os
import subprocess
from http.client import HTTPConnection
from pathlib import Path

from tests.support.transfers import PATIENCE, Answer, ask

GIB = 1024**3
SIZE = 5 * GIB + 12_345
ACROSS = 4 * GIB - 3  # where numbers of 32 bits end
FAR = 5 * GIB
MARKS = {0: b"begin", ACROSS: b"across", FAR: b"far", SIZE - 4: b"last"}
RESUMED = 100_000  # bytes that are missing where a client goes on


def check_large(port: int, path: str, folder: Path) -> None:
    """Sizes, ranges on both sides of 4 GiB, conditions, and real clients that go on near the end."""
    head = ask(port, "HEAD", path)
    assert (head.status, head.headers["content-length"], head.headers["accept-ranges"]) == (200, str(SIZE), "bytes")
    etag = head.headers["etag"]
    whole = peek(port, path, 5)
    assert (whole.status, whole.headers["content-length"], whole.body) == (200, str(SIZE), b"begin")
    for asked, first, expected in (
        (f"bytes={ACROSS}-{ACROSS + 5}", ACROSS, b"across"),
        (f"bytes={FAR}-{FAR + 2}", FAR, b"far"),
        (f"bytes={SIZE - 4}-", SIZE - 4, b"last"),
        ("bytes=-4", SIZE - 4, b"last"),
    ):
        part = ask(port, "GET", path, Range=asked, If_Range=etag)
        assert (part.status, part.body) == (206, expected), asked
        assert part.headers["content-range"] == f"bytes {first}-{first + len(expected) - 1}/{SIZE}"
        assert part.headers["etag"] == etag
    rest = peek(port, path, 6, Range=f"bytes={ACROSS}-")
    assert (rest.status, rest.headers["content-length"], rest.body) == (206, str(SIZE - ACROSS), b"across")
    changed = peek(port, path, 5, Range=f"bytes={FAR}-", If_Range='"another"')
    assert (changed.status, changed.headers["content-length"], changed.body) == (200, str(SIZE), b"begin")
    behind = ask(port, "GET", path, Range=f"bytes={SIZE}-")
    assert (behind.status, behind.headers["content-range"]) == (416, f"bytes */{SIZE}")
    for command in (["curl", "-sS", "--fail", "-C", "-", "-o"], ["wget", "-q", "--no-config", "-c", "-O"]):
        _resume(command, f"http://127.0.0.1:{port}{path}", folder / command[0])


def peek(port: int, path: str, count: int, **headers: str) -> Answer:
    """The beginning of an answer that is too long to be read."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read(count))
    finally:
        connection.close()


def _resume(command: list[str], address: str, target: Path) -> None:
    """Let a client go on that lacks only the end; what it has takes no room either."""
    with target.open("wb") as file:
        os.truncate(file.fileno(), SIZE - RESUMED)
    subprocess.run([*command, str(target), address], check=True, timeout=PATIENCE)
    assert target.stat().st_size == SIZE, command[0]
    with target.open("rb") as file:
        file.seek(FAR)
        end = file.read()
    assert (end[:3], end[-4:], end.strip(b"\0")) == (b"far", b"last", end), command[0]
    assert end.count(b"\0") == len(end) - 7
