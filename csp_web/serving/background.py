"""Jobs beside the requests, in exactly one process: a thread does them, the main thread waits for the end."""

from __future__ import annotations

import logging
import select
import socket
import threading
from collections.abc import Callable

Jobs = Callable[[threading.Event], None]

log = logging.getLogger("csp_web.serving")


class JobThread:
    """Runs the jobs. ``ended`` becomes readable when they end, by themselves, by an error, or because of ``stop``."""

    def __init__(self, jobs: Jobs) -> None:
        self.stop = threading.Event()
        self.ended, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._run, args=(jobs,), name="background", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self, grace: float) -> None:
        """Ask the jobs to end and wait for at most ``grace`` seconds."""
        self.stop.set()
        self._thread.join(grace)

    def _run(self, jobs: Jobs) -> None:
        try:
            jobs(self.stop)
        except Exception:
            log.exception("The background jobs ended with an error.")
        finally:
            self._end.close()


class JobsEnded(Exception):
    """The jobs ended although nobody asked them to."""


def do_jobs(jobs: Jobs, *, stop_signs: list[socket.socket], grace: float, on_ready: Callable[[], None]) -> None:
    """Do the jobs until one of the signs is seen. Raises JobsEnded when they end by themselves."""
    thread = JobThread(jobs)
    thread.start()
    on_ready()
    seen, _, _ = select.select([thread.ended, *stop_signs], [], [])
    if thread.ended in seen:
        raise JobsEnded("The background jobs ended by themselves.")
    thread.finish(grace)
