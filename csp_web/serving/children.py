"""Child processes: how one is forked, what the parent knows of it, and when the next may start."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from csp_web.serving.signals import Wakeup

Work = Callable[[list[socket.socket], Callable[[], None]], None]

STEADY_SECONDS = 10.0
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 30.0
OURS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD} if hasattr(signal, "SIGHUP") else set()

log = logging.getLogger("csp_web.serving")


@dataclass(eq=False)
class Child:
    """A process and what the parent knows of it; ``kill_at`` is set once it was told to stop."""

    pid: int
    ready_pipe: int
    started: float = field(default_factory=time.monotonic)
    kill_at: float | None = None

    def hears_ready(self) -> bool:
        """Read the pipe: a byte says that the child is ready, its end that it died before."""
        return bool(os.read(self.ready_pipe, 1))

    def send(self, number: int) -> None:
        """Send a signal; fine when the child is dead already."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def ending(self) -> str | None:
        """How the child ended, in words; None while it lives."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return None
        code = os.waitstatus_to_exitcode(status)
        return f"ended with code {code}" if code >= 0 else f"was killed by signal {-code} ({signal.strsignal(-code)})"

    def close(self) -> None:
        """Close the pipe."""
        os.close(self.ready_pipe)


@dataclass(eq=False)
class Slot:
    """A place for one child; while it is replaced there are two, unless they must not ``overlap``."""

    name: str
    work: Work
    overlap: bool = True
    children: list[Child] = field(default_factory=list)
    failures: int = 0
    start_at: float | None = None

    def older_than(self, child: Child) -> list[Child]:
        """The children that this one replaces."""
        return self.children[: self.children.index(child)]

    def delay_after(self, child: Child) -> float:
        """Seconds until the next start: none after a steady life, else twice as long after every failure."""
        if time.monotonic() - child.started >= STEADY_SECONDS:
            self.failures = 0
            return 0.0
        return self.delay_after_failure()

    def delay_after_failure(self) -> float:
        """Seconds until the next try."""
        self.failures += 1
        return float(min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (self.failures - 1)))


def fork(work: Work, *, lifeline: socket.socket, leave_to_parent: Callable[[], None]) -> Child:
    """Start a process that does the work. Signals wait until both sides have their own handlers. Raises OSError."""
    reader, writer = os.pipe()
    _flush()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, OURS)
    try:
        pid = os.fork()
        if pid == 0:
            _live(work, lifeline, writer, mask, leave_to_parent)
    except OSError:
        os.close(reader)
        raise
    finally:
        os.close(writer)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return Child(pid, reader)


def _live(
    work: Work, lifeline: socket.socket, writer: int, mask: set[int], leave_to_parent: Callable[[], None]
) -> NoReturn:
    """The child's whole life. It leaves by ``_exit``: the parent's exit functions are not its own."""
    code = 1
    try:
        leave_to_parent()
        for number in (signal.SIGINT, signal.SIGHUP):  # a terminal sends these to us too; the parent decides
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        wakeup = Wakeup([signal.SIGTERM])
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        work([wakeup.reader, lifeline], lambda: _say_ready(writer))
        code = 0
    except SystemExit as leaving:
        code = _exit_code(leaving)
    except BaseException:
        log.exception("A process of the server failed.")
    finally:
        with suppress(Exception):
            logging.shutdown()
            _flush()
        os._exit(code)


def _say_ready(writer: int) -> None:
    os.write(writer, b"1")
    os.close(writer)


def _exit_code(leaving: SystemExit) -> int:
    """As the interpreter does it: a number is the code, a text is printed and means 1."""
    if leaving.code is None or isinstance(leaving.code, int):
        return leaving.code or 0
    sys.stderr.write(f"{leaving.code}\n")
    return 1


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
