"""The worker of long work: takes what waits, does it, and says how far it is (docs/decisions/0012).

A job belongs to whoever holds its lock file; the system takes that away from a process that dies, at once. The next
worker finds the row still running and begins again: nothing was stored, for work and row are one transaction.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

import structlog
from sqlalchemy import select

from csp_web import i18n
from csp_web.db import for_update, now, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, actor_of
from csp_web.domain.long_work import job_files, jobs
from csp_web.domain.sheets import RowError
from csp_web.errors import Busy, DomainError, Invalid
from csp_web.i18n import gettext as _
from csp_web.i18n import ngettext
from csp_web.models import Job, JobState, User
from csp_web.models.jobs import OPEN
from csp_web.said import joined, stored
from csp_web.services.job_board import Progress
from csp_web.services.sealed_files import NotOurs, Opened

MOST_TRIES = 3
MOST_ERRORS = 1000
POST_EVERY = 0.25  # seconds
LOOK_EVERY = 1.0  # seconds

log = structlog.get_logger("csp_web")
Item = TypeVar("Item")


class Cancelled(Exception):
    """Somebody does not want it any more."""

    def __init__(self, person: int) -> None:
        super().__init__(person)
        self.person = person


class Stopped(Exception):
    """The server is stopping; the work begins again when it is back."""


class RowsRefused(Exception):
    """A sheet has errors: nothing of it was taken."""

    def __init__(self, errors: Iterable[RowError], count: int) -> None:
        super().__init__(count)
        self.sentences = [stored(str(error)) for error in islice(errors, MOST_ERRORS)]
        self.count = count


@dataclass
class Task:
    """One job as the function of its kind sees it. Everything that can take long calls ``progress`` now and then."""

    id: int
    kind: str
    actor: Actor
    subject: str
    arguments: dict[str, Any]
    input_key: str | None
    rows: int
    stop: threading.Event
    _step: str = ""
    _total: int = 0
    _since: float = field(default_factory=time.time)
    _posted: float = 0.0

    def open_input(self) -> Opened:
        """What was sent in. Raises Refused: it is not there any more."""
        return job_files.open_input(self.input_key)

    def step(self, name: str, total: int = 0) -> None:
        """A new step begins; ``name`` is one of ``job_kinds.STEPS``."""
        self._step, self._total, self._since, self._posted = name, total, time.time(), 0.0
        self.progress(0)

    def progress(self, done: int, total: int | None = None) -> None:
        """So much of the step is done. Raises Cancelled, Stopped: leave everything as it was."""
        self._total = self._total if total is None else total
        at = time.time()
        if abs(at - self._posted) < POST_EVERY:
            return
        self._posted = at
        job_files.board().post(self.id, Progress(self._step, done, max(self._total, done), self._since, at))
        self._look()

    def counted(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, each of them reported as it passes."""
        for number, item in enumerate(items, 1):
            yield item
            self.progress(number)

    def finish(self, result: dict[str, Any], *, file: tuple[str, int, str] | None = None, file_name: str = "") -> None:
        """Note that the work is done, in its own transaction. ``file`` is a key, a size and a SHA-256 of ours.

        Raises:
            Cancelled: somebody was quicker; nothing is stored then. Conflict: another worker did it.
        """
        self._look()
        row = for_update(Job, self.id)
        if file is not None:
            row.file_key, row.file_size, row.file_sha256 = file
            row.file_name = file_name
        row.done = row.total = int(result.get("rows", row.total))
        jobs.end(row, JobState.DONE, result=result)

    def _look(self) -> None:
        person = job_files.board().asked_to_cancel(self.id)
        if person is not None:
            raise Cancelled(person)
        if self.stop.is_set():
            raise Stopped


Work = Callable[[Task], None]


def work(stop: threading.Event, kinds: Mapping[str, Work]) -> None:
    """Do jobs until told to stop."""
    while not stop.is_set():
        try:
            idle = work_once(stop, kinds) == 0
        except Exception:
            log.exception("looking for work failed")
            idle = True
        finally:
            session.remove()
        if idle:
            stop.wait(LOOK_EVERY)


def work_once(stop: threading.Event, kinds: Mapping[str, Work]) -> int:
    """Do what waits, in turn; returns how many were worked on. What another worker has is left to it."""
    tried: set[int] = set()
    worked = 0
    while not stop.is_set() and (number := _next(tried)) is not None:
        tried.add(number)
        with job_files.board().claim(number) as mine:
            worked += bool(mine) and _work_on(number, stop, kinds)
    return worked


def _next(tried: Set[int]) -> int | None:
    """The oldest job of those who have nothing else running, else the oldest: ten of one person hold up nobody else.

    Asked anew before each job, for somebody may have come meanwhile.
    """
    rows = session.execute(select(Job.id, Job.owner_id, Job.state).where(Job.state.in_(OPEN)).order_by(Job.id)).all()
    session.rollback()
    begun = {row.id for row in rows if row.state is JobState.RUNNING} | tried  # what could not be had is another's
    running = Counter(row.owner_id for row in rows if row.id in begun)
    waiting = [(running[row.owner_id] > (row.id in begun), row.id) for row in rows if row.id not in tried]
    return min(waiting)[1] if waiting else None


def _work_on(number: int, stop: threading.Event, kinds: Mapping[str, Work]) -> bool:
    """Work on a job that this process has the lock of; False when it was over by then."""
    task = _take(number, stop)
    if task is None:
        return False
    log.info("long work begins", job=number, kind=task.kind)
    with i18n.use_place(task.actor.language, task.actor.time_zone):
        _try(task, kinds[task.kind])
    return True


def _take(number: int, stop: threading.Event) -> Task | None:
    with transaction():
        row = for_update(Job, number)
        if not row.is_open:
            return None
        user = session.get_one(User, row.owner_id)
        with i18n.use_place(user.language, user.time_zone):
            refusal = _refusal(row, user)
        if refusal:
            jobs.end(row, JobState.FAILED, error=refusal)
            return None
        row.state, row.tries, row.started_at = JobState.RUNNING, row.tries + 1, now()
        job_files.board().note_person(user.id)  # a page that looked before the start was stored may have forgotten it
        actor = actor_of(user, address=row.address, request_id=row.request_id)
        return Task(row.id, row.kind, actor, row.subject, dict(row.arguments), row.input_key, row.total, stop)


def _refusal(row: Job, user: User) -> str:
    if row.tries >= MOST_TRIES:
        return _("The server stopped in the middle of it several times. Nothing was changed; tell your administrator.")
    if user.disabled_at is not None:
        return _("The account of the person who started it is disabled. Nothing was done.")
    return ""


def _try(task: Task, function: Work) -> None:
    """Do it, and note what came of it."""
    try:
        function(task)
    except Stopped:
        _back_to_queue(task, tries=-1)
    except Cancelled as wish:
        _end(task, JobState.CANCELLED, wanted_by=wish.person)
    except RowsRefused as refused:
        said = _nothing_taken(task, refused.count)
        _end(task, JobState.FAILED, error=said, result={"errors": refused.sentences, "error_count": refused.count})
    except Busy as error:
        if not _back_to_queue(task, tries=0):
            _end(task, JobState.FAILED, error=error.sentence)
    except DomainError as error:
        _end(task, JobState.FAILED, error=_said(error))
    except NotOurs:
        _end(task, JobState.FAILED, error=_("The file was damaged on the server. Nothing was done; send it again."))
    except Exception:
        log.exception("long work failed", job=task.id, kind=task.kind)
        _end(task, JobState.FAILED, error=_("This is our mistake, and it was noted. Nothing was changed."))
    else:
        _tidy(task)


def _nothing_taken(task: Task, count: int) -> str:
    if task.arguments.get("dry_run"):
        return ngettext("%(num)s row cannot be taken.", "%(num)s rows cannot be taken.", count)
    return ngettext(
        "Nothing was imported: %(num)s row cannot be taken.",
        "Nothing was imported: %(num)s rows cannot be taken.",
        count,
    )


def _said(error: DomainError) -> str:
    if isinstance(error, Invalid):
        return joined(error.problems.values()) or error.sentence
    return joined((error.sentence, error.advice))


def _end(task: Task, state: JobState, *, error: str = "", wanted_by: int = 0, result: Any = None) -> None:
    session.rollback()
    with transaction():
        row = for_update(Job, task.id)
        if not row.is_open:
            return
        jobs.end(row, state, error=error, result=result)
        if state is JobState.CANCELLED:
            who = session.get(User, wanted_by)
            by = actor_of(who) if who is not None else task.actor
            audit.record("cancel_job", by=by, resource=("job", row.id), work=row.kind, partner_id=row.partner_id)
    _tidy(task)


def _back_to_queue(task: Task, *, tries: int) -> bool:
    """Let somebody begin again later; False when it was tried too often."""
    session.rollback()
    with transaction():
        row = for_update(Job, task.id)
        if not row.is_open:
            return True
        row.tries += tries
        if row.tries >= MOST_TRIES:
            return False
        row.state = JobState.QUEUED
    return True


def _tidy(task: Task) -> None:
    """Delete what is of no use any more: words about how far it is, and the input, unless it is to be imported next."""
    job_files.board().clear(task.id)
    if task.input_key is None:
        return
    kept = session.scalar(select(Job.input_key).where(Job.id == task.id, Job.state == JobState.DONE))
    session.rollback()
    if kept and task.arguments.get("dry_run"):
        jobs.keep_newest_checked(task.actor.id)
    else:
        job_files.store().delete(task.input_key)
