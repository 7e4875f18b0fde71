"""The parent: starts the processes, restarts the dead, replaces them on SIGHUP, ends them all."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from csp_web.serving.background import Jobs, do_jobs
from csp_web.serving.children import Child, Slot, fork
from csp_web.serving.limits import WSGIApplication
from csp_web.serving.signals import Wakeup
from csp_web.serving.worker import answer_requests

EARLY_DEATHS = 5
KILL_MARGIN_SECONDS = 1.0

log = logging.getLogger("csp_web.serving")


class Supervisor:
    """One parent over its children. The socket pair ``lifeline`` tells a child of the parent's death: end of file."""

    def __init__(self, listener: socket.socket, *, on_ready: Callable[[str, int], None] | None, grace: float) -> None:
        self._listener = listener
        self._address: tuple[str, int] = listener.getsockname()[:2]
        self._on_ready = on_ready
        self._grace = grace
        self._slots: list[Slot] = []
        self._lifeline_parent, self._lifeline_child = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._answered = False
        self._early_deaths = 0
        self._farewell = ""
        self._stopping = False

    def add_web(
        self,
        app_factory: Callable[[], WSGIApplication],
        *,
        processes: int,
        settings: dict[str, Any],
        at_end: Callable[[], None] | None,
    ) -> None:
        """Let this many processes answer requests, each with an application of its own."""

        def work(stop_signs: list[socket.socket], on_ready: Callable[[], None]) -> None:
            answer_requests(
                app_factory(),
                self._listener,
                settings=settings,
                stop_signs=stop_signs,
                grace=self._grace,
                on_ready=on_ready,
                at_end=at_end,
            )

        self._slots += [Slot("web", work) for _ in range(processes)]

    def add_background(self, jobs: Jobs) -> None:
        """Let one process do the jobs; at no time two."""

        def work(stop_signs: list[socket.socket], on_ready: Callable[[], None]) -> None:
            self._listener.close()
            do_jobs(jobs, stop_signs=stop_signs, grace=self._grace, on_ready=on_ready)

        self._slots.append(Slot("background", work, overlap=False))

    def run(self) -> int:
        """Watch over the children until told to stop; returns the exit code. No child is left."""
        self._wakeup = Wakeup([signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD])
        self._selector.register(self._wakeup.reader, selectors.EVENT_READ)
        try:
            for slot in self._slots:
                slot.start_at = time.monotonic()
            while not self._stopping or any(slot.children for slot in self._slots):
                self._turn()
            sys.stderr.write(self._farewell)
            return 1 if self._farewell else 0
        finally:
            self._kill_all()
            self._wakeup.close()
            self._selector.close()
            for end in (self._listener, self._lifeline_parent, self._lifeline_child):
                end.close()

    def _turn(self) -> None:
        """One round: start and kill what is due, wait, hear the children and the signals, bury the dead."""
        self._start_due()
        self._kill_overdue()
        for key, _ in self._selector.select(self._until_next()):
            if key.data is not None:
                self._hear(*key.data)
        for number in self._wakeup.received():
            self._obey(number)
        self._bury()

    def _until_next(self) -> float | None:
        due = [slot.start_at for slot in self._slots if slot.start_at is not None]
        due += [child.kill_at for slot in self._slots for child in slot.children if child.kill_at is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    # -- starting

    def _start_due(self) -> None:
        for slot in self._slots:
            if slot.start_at is not None and slot.start_at <= time.monotonic():
                slot.start_at = None
                self._start(slot)

    def _start(self, slot: Slot) -> None:
        try:
            child = fork(slot.work, lifeline=self._lifeline_child, leave_to_parent=self._leave_to_parent)
        except OSError as error:
            delay = slot.delay_after_failure()
            slot.start_at = time.monotonic() + delay
            log.error("No new %s process (%s); the next try is in %.1f s.", slot.name, error.strerror, delay)
            return
        slot.children.append(child)
        self._selector.register(child.ready_pipe, selectors.EVENT_READ, (slot, child))

    def _leave_to_parent(self) -> None:
        """In the child: close what is the parent's. With its end of the lifeline open here, its death would not show."""
        self._lifeline_parent.close()
        self._selector.close()

    def _hear(self, slot: Slot, child: Child) -> None:
        """A child says that it is ready, or closes its pipe because it is dead."""
        self._selector.unregister(child.ready_pipe)
        if child.hears_ready():
            for older in slot.older_than(child):
                self._tell_to_stop(older)
            if slot.name == "web":
                self._announce()

    def _announce(self) -> None:
        if not self._answered and self._on_ready is not None:
            self._on_ready(*self._address)
        self._answered = True

    # -- signals

    def _obey(self, number: int) -> None:
        if number in {signal.SIGTERM, signal.SIGINT}:
            self._stop(at_once=self._stopping)
        elif number == signal.SIGHUP and not self._stopping:
            self._replace_all()

    def _stop(self, *, at_once: bool = False) -> None:
        """Take no more connections and let every child finish; a second time, do not wait for them."""
        self._stopping = True
        self._listener.close()
        for slot in self._slots:
            slot.start_at = None
            for child in slot.children:
                self._tell_to_stop(child)
                if at_once:
                    child.kill_at = time.monotonic()

    def _replace_all(self) -> None:
        """New processes first, the old ones stop when the new are ready; the background process the other way round."""
        log.info("Replacing the processes.")
        for slot in self._slots:
            if slot.overlap:
                slot.start_at = time.monotonic()
            else:
                for child in slot.children:
                    self._tell_to_stop(child)

    def _tell_to_stop(self, child: Child) -> None:
        if child.kill_at is None:
            child.kill_at = time.monotonic() + self._grace + KILL_MARGIN_SECONDS
            child.send(signal.SIGTERM)

    def _kill_overdue(self) -> None:
        for slot in self._slots:
            for child in slot.children:
                if child.kill_at is not None and child.kill_at <= time.monotonic():
                    log.warning("A %s process (%d) did not end in time and is killed.", slot.name, child.pid)
                    child.kill_at = time.monotonic() + KILL_MARGIN_SECONDS
                    child.send(signal.SIGKILL)

    def _kill_all(self) -> None:
        for slot in self._slots:
            for child in slot.children:
                child.send(signal.SIGKILL)
                os.waitpid(child.pid, 0)

    # -- deaths

    def _bury(self) -> None:
        for slot in self._slots:
            for child in list(slot.children):
                ending = child.ending()
                if ending is not None:
                    slot.children.remove(child)
                    self._forget_pipe(child)
                    self._mourn(slot, child, ending)

    def _forget_pipe(self, child: Child) -> None:
        if child.ready_pipe in self._selector.get_map():
            self._selector.unregister(child.ready_pipe)
        child.close()

    def _mourn(self, slot: Slot, child: Child, ending: str) -> None:
        if self._stopping:
            return
        if child.kill_at is not None:  # it did what it was told
            if not slot.children:
                slot.start_at = time.monotonic()
        elif slot.children:
            log.error("A %s process (%d) %s; the one beside it goes on.", slot.name, child.pid, ending)
        else:
            self._restart(slot, child, ending)

    def _restart(self, slot: Slot, child: Child, ending: str) -> None:
        delay = slot.delay_after(child)
        slot.start_at = time.monotonic() + delay
        log.error("A %s process (%d) %s; a new one starts in %.1f s.", slot.name, child.pid, ending, delay)
        if slot.name == "web" and not self._answered:
            self._early_deaths += 1
            if self._early_deaths >= EARLY_DEATHS:
                self._give_up(ending)

    def _give_up(self, ending: str) -> None:
        self._farewell = (
            f"The server cannot start: {EARLY_DEATHS} processes in a row ended before one could answer; the last one "
            f"{ending}. The reason is above.\n"
        )
        self._stop()
