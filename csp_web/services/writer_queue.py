"""The queue in front of SQLite's one writer: whoever comes first writes first.

SQLite's own busy handler sleeps and tries again, so under load some writers wait for seconds while others pass them.
Here the threads of a process stand in line in the order in which they came, and the processes take turns by two
advisory file locks: the *gate*, which the next process holds while it waits, and the *writer*, which it waits for. A
process that has just written must pass the gate again, so it cannot overtake the one that waits there. The kernel
drops both locks when a process dies, however it dies.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["Busy", "ReadOnly", "TicketLock", "WriterQueue"]

# Seconds between two tries for a file lock. The same for a short and a long wait: with naps that grow, a process that
# has waited long tries less often than newcomers and loses to them.
NAP = 0.000_25


class Busy(Exception):
    """The writer's turn did not come in time; nothing was written."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The database is busy: no turn to write came within {seconds:g} s.")
        self.seconds = seconds


class ReadOnly(Exception):
    """The lock files cannot be opened: nothing can be written where the database lies."""


class TicketLock:
    """A lock that threads get in the order in which they asked for it; ``threading.Lock`` promises no order."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._taken = False
        self._line: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Wait for at most ``timeout`` seconds; False when the time ran out."""
        with self._mutex:
            if not self._taken:
                self._taken = True
                return True
            ticket = threading.Lock()
            ticket.acquire()
            self._line.append(ticket)
        try:
            if ticket.acquire(timeout=max(timeout, 0)):
                return True
        except BaseException:
            if self._leave(ticket):  # Ctrl-C at the moment of the handover: pass it on
                self.release()
            raise
        return self._leave(ticket)

    def _leave(self, ticket: threading.Lock) -> bool:
        """Step out of the line. True when the lock was handed over at the very last moment after all."""
        with self._mutex:
            with suppress(ValueError):
                self._line.remove(ticket)
                return False
            return True

    def release(self) -> None:
        """Hand the lock to the first in line; it is never free in between, so nobody can jump in."""
        with self._mutex:
            if self._line:
                self._line.popleft().release()
            else:
                self._taken = False

    @property
    def waiting(self) -> int:
        """How many threads stand in line."""
        return len(self._line)


class WriterQueue:
    """Turns to write, one at a time over all threads and processes that name the same lock file.

    ``lock_path`` lies beside the database (``<database>.writer``); a second file, ``<lock_path>-next``, is the gate.
    With None there is no lock between processes (a database in memory).
    """

    def __init__(self, lock_path: str | os.PathLike[str] | None) -> None:
        self._path = None if lock_path is None else Path(lock_path)
        self._reset()
        _queues.add(self)

    def _reset(self) -> None:
        """Start afresh. In a forked child the locks and the line belong to the parent's threads, not to ours."""
        self._line = TicketLock()
        self._holder: int | None = None
        self._gate = None if self._path is None else FileLock(Path(f"{self._path}-next"), like=self._path)
        self._writer = None if self._path is None else FileLock(self._path, like=self._path)

    @contextmanager
    def turn(self, timeout: float) -> Iterator[None]:
        """Hold the right to write. Seconds are counted over the wait in the process and between processes together.

        Raises:
            Busy: the turn did not come in time.
            ReadOnly: nothing can be written there.
            RuntimeError: this thread has the turn already; waiting for itself it would wait for ever.
        """
        me = threading.get_ident()
        if self._holder == me:
            raise RuntimeError("This thread already has the writer's turn; turns do not nest.")
        deadline = time.monotonic() + timeout
        line = self._line
        if not line.acquire(timeout):
            raise Busy(timeout)
        try:
            self._take_files(deadline, timeout)
            self._holder = me
            try:
                yield
            finally:
                self._holder = None
                if self._writer is not None:
                    self._writer.release()
        finally:
            line.release()

    def _take_files(self, deadline: float, timeout: float) -> None:
        if self._gate is None or self._writer is None:
            return
        if not self._gate.acquire(deadline):
            raise Busy(timeout)
        try:
            if not self._writer.acquire(deadline):
                raise Busy(timeout)
        finally:
            self._gate.release()

    @property
    def waiting(self) -> int:
        """How many threads of this process stand in line, for the metrics."""
        return self._line.waiting

    def close(self) -> None:
        """Close the lock files. Only when nobody has a turn."""
        for lock in (self._gate, self._writer):
            if lock is not None:
                lock.close()


class FileLock:
    """An exclusive advisory lock on a file, between processes; the file is opened at the first use."""

    def __init__(self, path: Path, *, like: Path) -> None:
        self._path = path
        self._like = like
        self._descriptor: int | None = None

    def acquire(self, deadline: float) -> bool:
        """Try until ``deadline`` (monotonic seconds); False when the time ran out."""
        descriptor = self._open()
        while not _try_lock(descriptor):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(NAP, left))
        return True

    def release(self) -> None:
        """Let the next process in."""
        if self._descriptor is not None:
            _unlock(self._descriptor)

    def close(self) -> None:
        """Close the file, and with it the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        with suppress(OSError):
            self.close()

    def _open(self) -> int:
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError as error:
                raise ReadOnly(f"{self._path} cannot be opened: {error.strerror}") from error
            _share_like_database(self._path, self._like)
        return self._descriptor


def _share_like_database(path: Path, like: Path) -> None:
    """Give a lock file the owner and mode of its database, so that a command run by root does not lock out the service."""
    database = like.with_name(like.name.removesuffix(".writer"))
    with suppress(OSError):
        known, ours = database.stat(), path.stat()
        if hasattr(os, "chown") and (known.st_uid, known.st_gid) != (ours.st_uid, ours.st_gid):
            os.chown(path, known.st_uid, known.st_gid)
        if known.st_mode != ours.st_mode:
            path.chmod(known.st_mode & 0o777)


if sys.platform == "win32":  # Windows has no flock
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


_queues: weakref.WeakSet[WriterQueue] = weakref.WeakSet()


def _reset_after_fork() -> None:
    for queue in list(_queues):
        queue._reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
