"""A part of a file as a file of its own, that counts what was taken and says so when it is closed."""

from __future__ import annotations

import errno
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from waitress.buffers import ReadOnlyFileBasedBuffer

OnEnd = Callable[[int], None]
Opener = Callable[[], BinaryIO]  # opens a file that lies elsewhere; FileNotFoundError where it is missing

BLOCK = 1024 * 1024

log = logging.getLogger("csp_web.downloads")


class FileChanged(OSError):
    """The file on the disk is missing or is not of the size that it should have."""


class FileSlice(io.RawIOBase):
    """The bytes from ``start``, ``length`` of them, of a file that should have ``size`` bytes.

    Positions count from the start of the slice. ``on_end`` is called once, at the end, with the position: a server
    that looks ahead and seeks back (waitress) leaves it behind the last byte that the socket took.

    Raises:
        FileChanged: the file is missing or of another size.
    """

    def __init__(self, file: Path | Opener, *, size: int, start: int, length: int, on_end: OnEnd | None = None) -> None:
        super().__init__()
        self._start, self._length, self._position = start, length, 0
        self._on_end = on_end
        try:
            self._file: Any = file.open("rb", buffering=0) if isinstance(file, Path) else file()
        except FileNotFoundError as error:
            raise FileChanged(errno.ENOENT, "The file is missing", str(file)) from error
        found = self._file.seek(0, io.SEEK_END)
        if found != size:
            self._file.close()
            raise FileChanged(errno.EIO, f"The file has {found} bytes instead of {size}", str(file))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes and at most a block. Raises FileChanged when the file became shorter meanwhile."""
        left = max(0, self._length - self._position)
        wanted = min(left, BLOCK if size < 0 else min(size, BLOCK))
        if not wanted:
            return b""
        self._file.seek(self._start + self._position)
        data = self._file.read(wanted)
        if not data:
            raise FileChanged(errno.EIO, "The file ended early")
        self._position += len(data)
        return data

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        self._file.close()
        if self._on_end is not None:
            try:
                self._on_end(self._position)
            except Exception:
                log.exception("What was to be done at the end of a transfer failed.")


class PacedBuffer(ReadOnlyFileBasedBuffer):
    """Waitress's file wrapper that gives way to other connections after every MiB.

    Waitress sends to one socket until it takes no more. A client as fast as the disk (a proxy on the same machine)
    would have the process to itself for the whole file: others waited 930 ms for a 1.5 GB file, and wait 8 ms so.
    """

    LOOK_AHEAD = 256 * 1024
    _sent_in_a_row = 0

    def get(self, numbytes: int = -1, skip: bool = False) -> bytes:
        """Bytes to send next; none once in a while, which makes waitress turn to the other sockets first."""
        if self._sent_in_a_row >= BLOCK:
            self._sent_in_a_row = 0
            return b""
        wanted = self.LOOK_AHEAD if numbytes < 0 else min(numbytes, self.LOOK_AHEAD)
        data: bytes = super().get(wanted, skip)
        return data

    def skip(self, numbytes: int, allow_prune: bool = False) -> None:
        """The socket has taken so many bytes."""
        self._sent_in_a_row += numbytes
        super().skip(numbytes, allow_prune)
