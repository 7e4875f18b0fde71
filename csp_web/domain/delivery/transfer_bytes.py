"""How many bytes a transfer sent, written behind the answer by one thread per process (D2).

An answer's end is told by the server's own loop, which must not wait for the database. So ends are queued, gathered for
a moment and written in one transaction. A process that is killed loses what it gathered: then a transfer looks shorter
than it was, and at worst gives its count back, in favour of the customer.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import update

from csp_web.db import session, transaction
from csp_web.models import Transfer

GATHER_SECONDS = 0.5
TRIES = 5

log = logging.getLogger("csp_web.downloads")


@dataclass(frozen=True, slots=True)
class _Change:
    transfer: int
    sent: int
    running: int


class ByteLog:
    """Gathers what answers say and writes it. Safe to call from any thread."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: a forked process has neither the thread nor anything to write."""
        self._lock = threading.Lock()
        self._queue: queue.Queue[_Change] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()

    def began(self, transfer: int) -> None:
        """An answer with bytes of a transfer begins."""
        self._put(_Change(transfer, 0, 1))

    def ended(self, transfer: int, sent: int) -> None:
        """An answer has ended after so many bytes."""
        self._put(_Change(transfer, max(sent, 0), -1))

    def flush(self) -> None:
        """Wait until everything told so far is written; gather no longer."""
        self._hurry.set()
        self._queue.join()
        self._hurry.clear()

    def _put(self, change: _Change) -> None:
        with self._lock:
            self._queue.put(change)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_for_ever, name="transfer-bytes", daemon=True)
                self._thread.start()

    def _write_for_ever(self) -> None:
        waiting = self._queue
        while True:
            gathered = [waiting.get()]
            self._hurry.wait(GATHER_SECONDS)
            while not waiting.empty():
                gathered.append(waiting.get())
            _write_or_log(gathered)
            for _change in gathered:
                waiting.task_done()


def _write_or_log(gathered: list[_Change]) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            _write(gathered)
            return
        except Exception:
            log.exception("Bytes of transfers were not written, attempt %s of %s.", attempt, TRIES)
        finally:
            session.remove()


def _write(gathered: list[_Change]) -> None:
    sent: dict[int, int] = defaultdict(int)
    running: dict[int, int] = defaultdict(int)
    for change in gathered:
        sent[change.transfer] += change.sent
        running[change.transfer] += change.running
    with transaction():
        for transfer in sorted(sent):
            session.execute(
                update(Transfer)
                .where(Transfer.id == transfer)
                .values(bytes_sent=Transfer.bytes_sent + sent[transfer], running=Transfer.running + running[transfer])
                .execution_options(synchronize_session=False)
            )


byte_log = ByteLog()
atexit.register(byte_log.flush)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=byte_log.forget)
