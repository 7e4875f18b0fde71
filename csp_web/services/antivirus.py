"""clamd, the scanner of ClamAV, by its INSTREAM command: it needs no access to our files and may be on another machine.

A file is sent in blocks, each after its length in four bytes; a length of zero ends it. The answer is one line.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import unquote, urlsplit

from csp_web.services.files import Readable

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 300.0  # a large archive takes clamd a while
BLOCK = 256 * 1024
LONGEST_ANSWER = 4096
LIMITS = "Heuristics.Limits.Exceeded"  # with AlertExceedsMax clamd says so instead of passing over what is too large


class ScannerDown(Exception):
    """The scanner does not answer, or not as clamd does."""


class TooLargeToScan(Exception):
    """The file is larger than the scanner takes (StreamMaxLength, MaxFileSize, MaxScanSize)."""


class Unreadable(Exception):
    """Not the scanner but the file failed while it was read."""


class Clamd:
    """A clamd at ``tcp://host:port`` or ``unix:///path``. Safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    def version(self) -> str:
        """What it says of itself: program and age of its signatures. Raises ScannerDown."""
        with self._connected() as connection:
            connection.sendall(b"zVERSION\0")
            return _answer(connection)

    def scan(self, stream: Readable) -> str:
        """Have a stream scanned; returns the name of what was found, empty for a clean file.

        Raises:
            ScannerDown: try again later. TooLargeToScan: trying again is of no use. Unreadable: the file's own fault.
        """
        with self._connected() as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it has answered already, and closed
                _send(connection, stream)
            return _finding(_answer(connection))

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        try:
            with closing(self._connect()) as connection:
                connection.settimeout(ANSWER_SECONDS)
                yield connection
        except OSError as error:
            raise ScannerDown(f"clamd does not answer: {error}") from error

    def _connect(self) -> socket.socket:
        if self._url.scheme == "tcp":
            return socket.create_connection((str(self._url.hostname), int(self._url.port or 3310)), CONNECT_SECONDS)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(unquote(self._url.path))
        except OSError:
            connection.close()
            raise
        return connection


def _send(connection: socket.socket, stream: Readable) -> None:
    """Send a stream, but no more once clamd has answered: it does so early when a limit is passed."""
    connection.sendall(b"zINSTREAM\0")
    while block := _read(stream):
        if select.select([connection], [], [], 0)[0]:
            return
        connection.sendall(len(block).to_bytes(4, "big") + block)
    connection.sendall(bytes(4))


def _read(stream: Readable) -> bytes:
    try:
        return stream.read(BLOCK)
    except OSError as error:
        raise Unreadable(str(error)) from error


def _answer(connection: socket.socket) -> str:
    said = b""
    while not said.endswith(b"\0") and len(said) < LONGEST_ANSWER:
        block = connection.recv(LONGEST_ANSWER)
        if not block:
            break
        said += block
    return said.rstrip(b"\0\n").decode("utf-8", "replace")


def _finding(answer: str) -> str:
    """Read ``stream: OK``, ``stream: NAME FOUND``, ``INSTREAM size limit exceeded. ERROR``."""
    if answer == "stream: OK":
        return ""
    if "size limit exceeded" in answer:
        raise TooLargeToScan(answer)
    found = answer.removeprefix("stream: ")
    if found == answer or not found.endswith(" FOUND"):
        raise ScannerDown(f"clamd said {answer[:200]!r}")
    name = found.removesuffix(" FOUND")
    if name.startswith(LIMITS):
        raise TooLargeToScan(name)
    return name
