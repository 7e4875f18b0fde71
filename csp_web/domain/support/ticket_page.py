"""Everything that the page of one ticket shows to one reader; internal notes are left out here, not in templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from csp_web.db import session
from csp_web.domain.access.actors import Actor
from csp_web.domain.support.cancellations import Consequences, cancellation_of, consequences
from csp_web.domain.support.ticket_thread import sees_internal
from csp_web.models import (
    Cancellation,
    CancellationState,
    CancellationStep,
    Customer,
    Order,
    Partner,
    Subscription,
    Ticket,
    TicketFile,
    TicketNote,
    TicketStep,
    User,
)


@dataclass(frozen=True, slots=True)
class TicketPage:
    """A ticket with all that belongs to it, as one reader may see it."""

    ticket: Ticket
    partner: Partner
    customer: Customer | None
    subscription: Subscription | None
    order: Order | None
    files: Sequence[TicketFile]  # of the form
    notes: Sequence[TicketNote]  # with their own files
    steps: Sequence[TicketStep]
    people: Mapping[int, str]  # names of whoever took a step
    cancellation: Cancellation | None
    history: Sequence[CancellationStep]
    consequences: Consequences | None  # of approving; None when there is nothing to decide


def ticket_page(ticket: Ticket, actor: Actor) -> TicketPage:
    """Load the page in a fixed number of statements."""
    notes = _notes(ticket, internal=sees_internal(actor))
    steps = session.scalars(select(TicketStep).filter_by(ticket_id=ticket.id).order_by(TicketStep.id)).all()
    cancellation = cancellation_of(ticket)
    history = _history(cancellation) if cancellation else ()
    waits = cancellation is not None and cancellation.state is CancellationState.REQUESTED
    line = ticket.subscription
    return TicketPage(
        ticket=ticket,
        partner=ticket.partner,
        customer=ticket.customer,
        subscription=line,
        order=line.order if line else None,
        files=_files_of_form(ticket),
        notes=notes,
        steps=steps,
        people=_names(ticket, steps),
        cancellation=cancellation,
        history=history,
        consequences=consequences(cancellation) if waits and cancellation else None,
    )


def _notes(ticket: Ticket, *, internal: bool) -> Sequence[TicketNote]:
    statement = (
        select(TicketNote)
        .where(TicketNote.ticket_id == ticket.id)
        .options(joinedload(TicketNote.author).joinedload(User.partner), selectinload(TicketNote.files))
        .order_by(TicketNote.id)
    )
    if not internal:
        statement = statement.where(TicketNote.internal.is_(False))
    return session.scalars(statement).all()


def _files_of_form(ticket: Ticket) -> Sequence[TicketFile]:
    statement = select(TicketFile).where(TicketFile.ticket_id == ticket.id, TicketFile.note_id.is_(None))
    return session.scalars(statement.order_by(TicketFile.id)).all()


def _history(cancellation: Cancellation) -> Sequence[CancellationStep]:
    statement = select(CancellationStep).filter_by(cancellation_id=cancellation.id).order_by(CancellationStep.id)
    return session.scalars(statement.options(joinedload(CancellationStep.by))).all()


def _names(ticket: Ticket, steps: Sequence[TicketStep]) -> Mapping[int, str]:
    """Names of the opener, of whoever took a step, and of whoever got the ticket."""
    assignees = {int(text) for step in steps if step.kind == "assignment" for text in (step.old, step.new) if text}
    ids = {ticket.created_by_id, *(step.by_id for step in steps), *assignees}
    if ticket.assigned_to_id is not None:
        ids.add(ticket.assigned_to_id)
    return {row.id: row.name for row in session.execute(select(User.id, User.name).where(User.id.in_(ids)))}
