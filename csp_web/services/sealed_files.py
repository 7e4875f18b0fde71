"""Files that wait on the disk encrypted, written and read as a stream: a sheet of product keys is never there in clear.

Frames of at most 64 KiB, each AES-GCM under a key that is used for this one file, numbered, the last one marked: a
file that was cut off, shortened or mixed up cannot be read.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from csp_web.services.files import Readable

BLOCK = 64 * 1024
NONCE = 16
_TAG = 16
_LENGTH = 4
_LAST, _MORE = b"last", b"more"

KeyOf = Callable[[bytes], bytes]


class NotOurs(Exception):
    """The file was changed or cut off, or was encrypted with another secret."""


class Sealing:
    """What encrypts a stream while it is read. ``key_of`` makes the file's 32 bytes of key out of its random number."""

    def __init__(self, stream: Readable, key_of: KeyOf) -> None:
        self._stream = stream
        nonce = secrets.token_bytes(NONCE)
        self._cipher = AESGCM(key_of(nonce))
        self._ready = nonce
        self._number = 0
        self._block: bytes | None = None
        self._ended = False
        self.lines = 0  # line ends that have passed: about how many rows there are

    def read(self, size: int, /) -> bytes:
        """Encrypted bytes, at most ``size``; none at the end."""
        while len(self._ready) < size and not self._ended:
            self._ready += self._frame()
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken

    def _frame(self) -> bytes:
        block = self._next() if self._block is None else self._block
        self._block = self._next() if block else b""
        self._ended = not self._block
        self.lines += block.count(b"\n")
        sealed = self._cipher.encrypt(_nonce(self._number), block, _LAST if self._ended else _MORE)
        self._number += 1
        return len(sealed).to_bytes(_LENGTH, "big") + sealed

    def _next(self) -> bytes:
        return self._stream.read(BLOCK)


class Opened(io.RawIOBase):
    """A sealed file, read in clear. Raises NotOurs while reading."""

    def __init__(self, file: BinaryIO, key_of: KeyOf) -> None:
        super().__init__()
        self._file = file
        self._cipher = AESGCM(key_of(file.read(NONCE)))
        self._number = 0
        self._clear = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Bytes in clear, at most ``size``; all of the rest with -1."""
        while not self._ended and (size < 0 or len(self._clear) < size):
            self._clear += self._frame()
        end = len(self._clear) if size < 0 else size
        taken, self._clear = self._clear[:end], self._clear[end:]
        return taken

    def _frame(self) -> bytes:
        length = int.from_bytes(self._file.read(_LENGTH), "big")
        sealed = self._file.read(min(length, BLOCK + _TAG))
        for mark in (_MORE, _LAST):
            try:
                clear = self._cipher.decrypt(_nonce(self._number), sealed, mark)
            except (InvalidTag, ValueError):
                continue
            self._number += 1
            self._ended = mark == _LAST
            return clear
        raise NotOurs("The file was changed, cut off, or encrypted with another secret.")

    def close(self) -> None:
        self._file.close()
        super().close()


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
