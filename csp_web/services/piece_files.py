"""Files that come in pieces, each at its place: one file per upload, in a folder of its own, until it is whole.

A piece is on the disk (flushed) before anybody is told that it came. Which bytes count is a row elsewhere: what a killed
process wrote beyond them is written again.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from csp_web.services.files import BLOCK, KEY, BadKey, Readable, flush_folder, older, room, write_all
from csp_web.services.writer_queue import FileLock

WAIT_SECONDS = 20.0


class PieceFiles:
    """``<root>/<key>`` and its lock ``<root>/<key>.lock``. Safe from any thread and process of the installation."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)

    def write(self, key: str, offset: int, stream: Readable, *, most: int) -> int:
        """Put a piece at its place, at most so many bytes of it, and on the disk; says how many bytes it had.

        Only under ``claim``. Raises StorageFull; what was there before ``offset`` is as it was.
        """
        with room():
            descriptor = os.open(self._place(key), os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o640)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                file.seek(offset)
                written = _copy(stream, file, most)
                os.fsync(descriptor)
            if not offset:
                flush_folder(self.root)
        return written

    def size(self, key: str) -> int:
        """How many bytes there are; none where there is no file."""
        try:
            return self._place(key).stat().st_size
        except FileNotFoundError:
            return 0

    def path(self, key: str) -> Path:
        """Where the file lies."""
        return self._place(key)

    def free(self) -> int:
        """Bytes that the disk has left."""
        self._make_folder()
        return shutil.disk_usage(self.root).free

    @contextmanager
    def claim(self, key: str, *, seconds: float = WAIT_SECONDS) -> Iterator[bool]:
        """Have an upload to oneself, as long as this process lives. False: somebody else has it, for longer than that.

        Whoever gets it reads its row next: it may be over by now.
        """
        self._make_folder()
        place = Path(f"{self._place(key)}.lock")
        lock = FileLock(place, like=place)
        try:
            yield lock.acquire(time.monotonic() + seconds)
        finally:
            lock.close()

    def delete(self, key: str) -> None:
        """Remove what came of an upload; fine when it is gone already."""
        place = self._place(key)
        place.unlink(missing_ok=True)
        with suppress(OSError):  # Windows keeps what is open; the sweep comes later
            Path(f"{place}.lock").unlink()

    def older_than(self, age: timedelta) -> set[str]:
        """The keys of uploads to which nothing came for so long."""
        return {path.stem for path in self.root.glob("*") if KEY.fullmatch(path.stem) and older(path, age)}

    def _place(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise BadKey("This is not the key of an upload.")
        return self.root / key

    def _make_folder(self) -> None:
        self.root.mkdir(mode=0o750, parents=True, exist_ok=True)


def _copy(stream: Readable, file: BinaryIO, most: int) -> int:
    written = 0
    while written < most and (block := stream.read(min(BLOCK, most - written))):
        write_all(file, block)
        written += len(block)
    return written
