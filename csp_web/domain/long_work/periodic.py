"""Work that comes round: sending mails, sweeping files, giving back downloads. Areas register what they have.

A job gets the instant and opens its own transactions. One that fails is logged and comes round again; the others go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from csp_web.db import now, session

log = structlog.get_logger("csp_web")
Job = Callable[[datetime], object]


@dataclass(slots=True)
class Round:
    """A job, how often it comes round, and when it is due next; None: at once."""

    name: str
    every: timedelta
    job: Job
    due: datetime | None = None


_registered: dict[str, tuple[timedelta, Job]] = {}


def register(name: str, *, every: timedelta, job: Job) -> None:
    """Have a job done again and again. A name that is registered twice is replaced."""
    _registered[name] = (every, job)


def rounds() -> list[Round]:
    """All registered jobs, due at once."""
    return [Round(name, every, job) for name, (every, job) in _registered.items()]


def do_due(jobs: list[Round], at: datetime, stop: threading.Event | None = None) -> timedelta:
    """Do what is due and return how long it is until something else is."""
    for each in jobs:
        if stop is not None and stop.is_set():
            break
        # A clock that was set back must not make a job wait for it to catch up.
        if each.due is None or each.due <= at or each.due > at + each.every:
            _do(each, at)
            each.due = at + each.every
    waits = [each.due - at for each in jobs if each.due is not None]
    return min(waits, default=timedelta(seconds=60))


def _do(each: Round, at: datetime) -> None:
    try:
        each.job(at)
    except Exception:
        log.exception("a periodic job failed", job=each.name)
    finally:
        session.remove()


def work(stop: threading.Event, jobs: list[Round] | None = None) -> None:
    """Do jobs as they come due until told to stop."""
    remaining = rounds() if jobs is None else jobs
    while not stop.is_set():
        left = do_due(remaining, now(), stop)
        stop.wait(max(left.total_seconds(), 0.05))
