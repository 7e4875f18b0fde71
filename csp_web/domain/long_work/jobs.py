"""Long work that people set going: started, followed, cancelled, forgotten. A worker does it (``domain.long_work.job_work``).

A job is started in the transaction of the act that asks for it, and over in the transaction of its own work: there is
no moment at which the work is done and the row does not say so, so that one that is begun again does nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, or_, select, update

from csp_web.db import for_update, now, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, refusal, require
from csp_web.domain.long_work.job_files import board, store, sweep_scratch
from csp_web.domain.long_work.job_kinds import KINDS
from csp_web.domain.paging import Listing, Page
from csp_web.errors import Conflict, Refused
from csp_web.i18n import gettext as _
from csp_web.identifiers import clean_text
from csp_web.models import Job, JobState, Partner, User
from csp_web.models.jobs import OPEN
from csp_web.said import stored
from csp_web.services.job_board import Progress

MOST_OPEN = 10  # of one person
MOST_CHECKED = 5  # of one person: files that were checked and wait to be imported
FILES_KEPT = timedelta(days=7)
CHECKED_KEPT = timedelta(days=1)
ROWS_KEPT = timedelta(days=90)
_job = Job.__table__.c


def start(
    kind: str,
    *,
    by: Actor,
    subject: str = "",
    arguments: dict[str, Any] | None = None,
    input_key: str | None = None,
    rows: int = 0,
) -> Job:
    """Have work done by the worker; ``subject`` says what of, ``rows`` about how many there are.

    Raises:
        Forbidden: the role may not. Refused: ``why_not_start`` says why.
    """
    require(by, KINDS[kind].permission)
    if KINDS[kind].alone:
        for_update(Partner, by.partner_id)  # who presses at the same moment waits, then sees this one
    if reasons := why_not_start(kind, by=by):
        raise Refused(reasons[0])
    job = Job(
        kind=kind,
        owner_id=by.id,
        partner_id=by.partner_id,
        of_operator=KINDS[kind].of_operator,
        subject=clean_text(subject)[:255],
        arguments=arguments or {},
        input_key=input_key,
        total=rows,
        address=by.address[:64],
        request_id=by.request_id[:64],
    )
    session.add(job)
    session.flush()
    board().note_person(by.id)
    audit.record("start_job", by=by, resource=("job", job.id), work=kind, file_name=job.subject or None)
    return job


def why_not_start(kind: str, *, by: Actor) -> list[str]:
    """What keeps a person from starting work of a kind now."""
    reasons = [refusal(by, KINDS[kind].permission)]
    if KINDS[kind].alone and session.scalar(_open().where(Job.kind == kind).limit(1)):
        reasons.append(_("One is under way already. Wait until it is over, or cancel it."))
    if len(session.scalars(_open().where(Job.owner_id == by.id)).all()) >= MOST_OPEN:
        reasons.append(_("Much of yours is under way already. Wait until some of it is over."))
    return [reason for reason in reasons if reason]


def _open() -> Any:
    return select(Job.id).where(Job.state.in_(OPEN))


def start_checked(job: Job, *, by: Actor) -> Job:
    """Import what was checked before and found in order, without sending the file again.

    Raises:
        Forbidden, Refused: as ``start``. Conflict: it was imported by now, or the file is gone.
    """
    require(by, KINDS[job.kind].permission)
    checked = for_update(Job, job.id)
    if not may_import(checked):
        raise Conflict(_("This file was imported meanwhile, or it is not kept any more."), advice=_("Send it again."))
    key, checked.input_key = checked.input_key, None
    arguments = {name: value for name, value in checked.arguments.items() if name != "dry_run"}
    rows = int((checked.result or {}).get("rows", 0))
    return start(checked.kind, by=by, subject=checked.subject, arguments=arguments, input_key=key, rows=rows)


def may_import(job: Job) -> bool:
    """Whether this was a check that found everything in order, of a file that is still there."""
    return job.state is JobState.DONE and bool(job.arguments.get("dry_run")) and job.input_key is not None


def sees(actor: Actor, job: Job) -> bool:
    """Whether a person may know of a job: the own ones; those of the operator for every operator admin."""
    return job.owner_id == actor.id or (job.of_operator and actor.may("operator.manage"))


def cancel(job: Job, *, by: Actor) -> bool:
    """Cancel a job; True when it is over now, False when it will be at its next step. Opens its own transaction.

    On SQLite the work itself may be what is being written just now, so that a running job is told by a file. Whoever
    works it undoes what it did and writes the cancellation, with the name of who asked, into row and log at once.

    Raises:
        Conflict: it is over already.
    """
    if job.state is JobState.QUEUED:
        if _cancel_waiting(job.id, by):
            return True
        session.refresh(job)
    if not job.is_open:
        raise Conflict(_("It was over before it could be cancelled."))
    board().ask_to_cancel(job.id, by.id)
    return False


def _cancel_waiting(number: int, by: Actor) -> bool:
    """End a job that nobody began, and what was sent in for it; False when somebody has begun it."""
    with transaction():
        row = for_update(Job, number)
        if row.state is not JobState.QUEUED:
            return False
        end(row, JobState.CANCELLED)
        audit.record("cancel_job", by=by, resource=("job", row.id), work=row.kind)
        key, row.input_key = row.input_key, None
    if key is not None:
        store().delete(key)
    return True


def end(row: Job, state: JobState, *, error: str = "", result: dict[str, Any] | None = None) -> None:
    """Note that a job is over; inside the transaction of what it did. Raises Conflict: somebody else ended it."""
    if not row.is_open:
        raise Conflict(_("It was over before it could be cancelled."))
    row.state, row.ended_at, row.error = state, now(), stored(error, 1000)
    row.result = result
    session.flush()


def keep_newest_checked(owner: int) -> None:
    """Of the files that a person had checked and may still import, only the newest stay on the disk."""
    checked = select(Job).where(Job.owner_id == owner, Job.state == JobState.DONE, Job.input_key.is_not(None))
    with transaction():
        rows = session.scalars(checked.order_by(Job.id.desc()).with_for_update()).all()
        keys = []
        for row in [row for row in rows if may_import(row)][MOST_CHECKED:]:
            keys.append(str(row.input_key))
            row.input_key = None
    for key in keys:
        store().delete(key)


def give_up_open(error: str) -> None:
    """Note of everything under way that it failed, inside the caller's transaction: after a backup was restored."""
    for row in session.scalars(select(Job).where(Job.state.in_(OPEN))):
        end(row, JobState.FAILED, error=error)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a job is at this moment."""

    done: int
    total: int
    step: str
    seconds: float  # that this step has taken so far
    cancelling: bool


def standing(job: Job) -> Standing:
    """How far a job is: what its worker said last, else what the row says."""
    said = board().read(job.id) if job.state is JobState.RUNNING else None
    cancelling = job.is_open and board().asked_to_cancel(job.id) is not None
    if said is None:
        return Standing(job.done, job.total, "", 0.0, cancelling)
    return Standing(said.done, said.total, said.step, max(0.0, said.at - said.since), cancelling)


_LISTED = (
    select(
        _job.id, _job.kind, _job.state, _job.subject, _job.arguments, _job.created_at, _job.ended_at, _job.error,
        _job.owner_id, User.name.label("owner"),
    )
    .join_from(Job.__table__, User.__table__, User.id == _job.owner_id)
)  # fmt: skip


def list_jobs(actor: Actor, *, cursor: str | None = None) -> Page:
    """A page of the jobs that a person may know of, newest first."""
    seen = _job.owner_id == actor.id
    if actor.may("operator.manage"):
        seen = or_(seen, _job.of_operator)
    return Listing(_LISTED.where(seen), (_job.id,), descending=True).page(cursor)


def under_way(person: int) -> Sequence[Row[int, str]]:
    """Number and kind of a person's jobs that are not over; asks the database only when there may be some."""
    if not board().may_have_work(person):
        return ()
    found = session.execute(select(Job.id, Job.kind).where(Job.owner_id == person, Job.state.in_(OPEN)).limit(5)).all()
    if not found:
        board().forget_person(person)
    return found


def forget_old(at: datetime) -> None:
    """Delete rows and files of jobs that nobody asks for any more, and files that no job names."""
    with transaction():
        _release(Job.file_key, Job.ended_at < at - FILES_KEPT)
        _release(Job.input_key, Job.ended_at < at - CHECKED_KEPT)
        for row in session.scalars(select(Job).where(Job.ended_at < at - ROWS_KEPT)):
            session.delete(row)
    named = set(session.scalars(select(Job.input_key).where(Job.input_key.is_not(None))))
    named |= set(session.scalars(select(Job.file_key).where(Job.file_key.is_not(None))))
    session.rollback()  # what is asked for below has to be of after the files were looked through, not of before
    for key in store().keys_older_than(CHECKED_KEPT):
        if key not in named:
            store().delete(key)
    store().sweep_incoming(CHECKED_KEPT)
    sweep_scratch(CHECKED_KEPT)
    for number in board().known() - set(session.scalars(_open())):
        board().clear(number)
    session.rollback()


def _release(column: Any, *over: Any) -> None:
    session.execute(update(Job).where(column.is_not(None), *over).values({column: None}))


__all__ = ["Progress", "Standing", "cancel", "end", "forget_old", "list_jobs", "sees", "standing", "start", "under_way"]
