"""Where files lie: attachments of tickets and files of products, behind one small interface.

A file is stored under a random name; its own name, its owner and its meaning are rows elsewhere. A stored file is
complete and on the disk: it is written beside its place, flushed, and renamed into it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from csp_web.errors import StorageFull
from csp_web.i18n import gettext as _

__all__ = ["BadKey", "DiskStore", "FileMissing", "FileStore", "FileTooLarge", "Readable", "StorageFull", "StoredFile"]

BLOCK = 1024 * 1024
KEY = re.compile(r"[0-9a-f]{32}")
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Readable(Protocol):
    """Whatever gives bytes: an upload, an open file, a socket's file."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class StoredFile:
    """What a store knows of a file it has just taken: ``size`` in bytes, ``sha256`` in lower-case hex."""

    key: str
    size: int
    sha256: str


class FileTooLarge(Exception):
    """The stream holds more than ``limit`` bytes; nothing was stored."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The file is larger than {limit} bytes.")
        self.limit = limit


class FileMissing(FileNotFoundError):
    """The store has no file under this key."""


class BadKey(ValueError):
    """This is not the key of a stored file, whoever made it up."""


class FileStore(Protocol):
    """What every kind of storage can do. Keys are 32 hex digits and come only from ``save``."""

    def save(self, stream: Readable, *, max_bytes: int) -> StoredFile:
        """Store a stream whole or not at all. Raises FileTooLarge, StorageFull."""
        ...

    def adopt(self, path: Path) -> StoredFile:
        """Store a file of this machine, which stays where it is too, until its owner deletes it. Raises StorageFull."""
        ...

    def put_back(self, key: str, stream: Readable) -> None:
        """Store a stream under the key that it had: files of a backup. Raises StorageFull."""
        ...

    def open(self, key: str) -> BinaryIO:
        """Open for reading; it can be sought in. Raises FileMissing."""
        ...

    def size(self, key: str) -> int:
        """Bytes. Raises FileMissing."""
        ...

    def exists(self, key: str) -> bool:
        """Whether the file is there."""
        ...

    def delete(self, key: str) -> None:
        """Remove the file; fine when it is gone already."""
        ...

    def path(self, key: str) -> Path | None:
        """The file on this machine, or None where a store has no local files."""
        ...

    def address(self, key: str, *, disposition: str, seconds: int) -> str | None:
        """Where strangers may fetch the file for so many seconds, or None where only this server gives it."""
        ...

    def origin(self) -> str:
        """Scheme and host of those addresses; empty where there are none."""
        ...

    def keys_older_than(self, age: timedelta) -> Iterator[str]:
        """Keys stored longer ago than ``age``: the sweep deletes those that no row names."""
        ...

    def sweep_incoming(self, age: timedelta) -> int:
        """Delete what broken uploads left behind longer ago than ``age``; says how many."""
        ...


class DiskStore:
    """Files on a local disk: ``<root>/ab/cd/abcd…``, uploads in hand in ``<root>/incoming``.

    Files may be read by the owner and the group, so that a web server in front can send them.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._incoming = self.root / "incoming"

    def save(self, stream: Readable, *, max_bytes: int) -> StoredFile:
        """Store a stream, hashing it on the way, 1 MiB in memory at a time.

        Raises:
            FileTooLarge: there are more than ``max_bytes`` bytes; nothing is left behind.
            StorageFull: the disk or the quota is full; nothing is left behind.
        """
        key = secrets.token_hex(16)
        size, digest = self._take(key, stream, max_bytes)
        return StoredFile(key, size, digest)

    def adopt(self, path: Path) -> StoredFile:
        """Store a file of this machine: it is read once for its sum, and copied only where it lies on another disk.

        Raises:
            StorageFull: there is no room for a copy; nothing is left behind.
        """
        with path.open("rb") as file:
            size, digest = _read_through(file)
        key = secrets.token_hex(16)
        final = self._place(key)
        with room():
            self.root.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._make_folder(final.parent)
            os.utime(path)  # young to whoever looks for files that no row names
            try:
                os.link(path, final)
            except OSError:  # another disk, or one that knows no second names
                with path.open("rb") as file:
                    return self.save(file, max_bytes=size)
            flush_folder(final.parent)
        return StoredFile(key, size, digest)

    def put_back(self, key: str, stream: Readable) -> None:
        """Store a stream under the key that it had. Raises BadKey, StorageFull."""
        self._take(key, stream, None)

    def _take(self, key: str, stream: Readable, max_bytes: int | None) -> tuple[int, str]:
        final = self._place(key)
        temporary = self._incoming / f"{key}.{secrets.token_hex(4)}"
        with room():
            self._incoming.mkdir(mode=0o750, parents=True, exist_ok=True)
            try:
                size, digest = _write(temporary, stream, max_bytes)
                self._make_folder(final.parent)
                temporary.rename(final)
                flush_folder(final.parent)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        return size, digest

    def open(self, key: str) -> BinaryIO:
        """Open for reading. Raises FileMissing, BadKey."""
        with _missing(key):
            return self._place(key).open("rb")

    def size(self, key: str) -> int:
        """Bytes. Raises FileMissing, BadKey."""
        with _missing(key):
            return self._place(key).stat().st_size

    def exists(self, key: str) -> bool:
        """Whether the file is there. Raises BadKey."""
        return self._place(key).is_file()

    def delete(self, key: str) -> None:
        """Remove the file; fine when it is gone already. Raises BadKey."""
        self._place(key).unlink(missing_ok=True)

    def path(self, key: str) -> Path:
        """Where the file lies, whether it is there or not. Raises BadKey."""
        return self._place(key)

    def address(self, key: str, *, disposition: str, seconds: int) -> None:
        """None: only this server, or the one in front of it, gives files of its disk."""

    def origin(self) -> str:
        """Empty: there are no other addresses."""
        return ""

    def keys_older_than(self, age: timedelta) -> Iterator[str]:
        """Keys of files stored longer ago than ``age``, in the order of their names."""
        for path in sorted(self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*")):
            if KEY.fullmatch(path.name) and older(path, age):
                yield path.name

    def sweep_incoming(self, age: timedelta) -> int:
        """Delete what uploads left behind that a crash cut off longer ago than ``age``; says how many."""
        left = [path for path in self._incoming.glob("*") if older(path, age)]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _place(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise BadKey("This is not the key of a stored file.")
        return self.root / key[:2] / key[2:4] / key

    def _make_folder(self, folder: Path) -> None:
        """Make both levels, and see to it that their names are on the disk too."""
        if folder.is_dir():
            return
        folder.parent.mkdir(mode=0o750, exist_ok=True)
        folder.mkdir(mode=0o750, exist_ok=True)
        flush_folder(folder.parent)
        flush_folder(self.root)


def _write(path: Path, stream: Readable, max_bytes: int | None) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o640)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        while block := stream.read(BLOCK):
            size += len(block)
            if max_bytes is not None and size > max_bytes:
                raise FileTooLarge(max_bytes)
            digest.update(block)
            write_all(file, block)
        os.fsync(descriptor)
    return size, digest.hexdigest()


def _read_through(file: BinaryIO) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while block := file.read(BLOCK):
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()


def write_all(file: BinaryIO, block: bytes) -> None:
    """Write every byte: a disk that is nearly full takes a part and fails at the next call."""
    view = memoryview(block)
    while view:
        view = view[file.write(view) :]


def flush_folder(folder: Path) -> None:
    """Put a folder's names on the disk; where folders cannot be opened (Windows) the system sees to it."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def older(path: Path, age: timedelta) -> bool:
    """Whether a file was changed longer ago than that; one that is gone was not."""
    with suppress(FileNotFoundError):
        return path.stat().st_mtime < time.time() - age.total_seconds()
    return False


@contextmanager
def room() -> Iterator[None]:
    """Make "no room left" a sentence: StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull(
                _("The disk of the server is full. Nothing was saved; tell your administrator.")
            ) from error
        raise


@contextmanager
def _missing(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise FileMissing(f"There is no file {key} in the store.") from error
