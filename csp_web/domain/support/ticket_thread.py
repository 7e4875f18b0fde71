"""What happens to a ticket after it was opened: notes, states, who works on it. Notes and steps are append-only (D3)."""

from __future__ import annotations

from datetime import datetime

from csp_web.db import for_update, session
from csp_web.domain.access.actors import Actor
from csp_web.models import Ticket, TicketNote, TicketStatus, TicketStep


def works_for_support(ticket: Ticket, actor: Actor) -> bool:
    """On which side of a ticket somebody stands: support's, unless it is the person's own ticket.

    A single reseller is operator and partner at once, and one person may be admin agent and support agent.
    """
    return actor.may("support.work") and actor.sees_all_partners and ticket.created_by_id != actor.id


def sees_internal(actor: Actor) -> bool:
    """Whether somebody reads internal notes and their files: support agents of the operator alone."""
    return actor.sees_all_partners


def hold(ticket: Ticket) -> Ticket:
    """Keep others from changing the ticket until the transaction ends."""
    return for_update(Ticket, ticket.id)


def add_note(ticket: Ticket, text: str, *, by: Actor, at: datetime, internal: bool = False) -> TicketNote:
    """Append a note. The first answer that the partner can read stops the clock (D3)."""
    note = TicketNote(ticket_id=ticket.id, author_id=by.id, text=text, internal=internal, created_at=at)
    session.add(note)
    if not internal and works_for_support(ticket, by) and ticket.first_answered_at is None:
        ticket.first_answered_at = at
    touch(ticket, by=by, at=at)
    session.flush()
    return note


def change_status(ticket: Ticket, status: TicketStatus, *, by: Actor, at: datetime) -> bool:
    """Move the ticket to a state, with a row that says who and when; False when it is there already."""
    if ticket.status is status:
        return False
    session.add(_step(ticket, "status", ticket.status.value, status.value, by, at))
    ticket.status = status
    touch(ticket, by=by, at=at)
    session.flush()
    return True


def change_assignee(ticket: Ticket, user_id: int | None, *, by: Actor, at: datetime) -> bool:
    """Give the ticket to a person or to nobody; False when it is so already."""
    if ticket.assigned_to_id == user_id:
        return False
    session.add(_step(ticket, "assignment", _text(ticket.assigned_to_id), _text(user_id), by, at))
    ticket.assigned_to_id = user_id
    touch(ticket, by=by, at=at)
    session.flush()
    return True


def touch(ticket: Ticket, *, by: Actor, at: datetime) -> None:
    """Bring the ticket to the top of the lists."""
    ticket.updated_at = max(at, ticket.updated_at)
    ticket.updated_by_id = by.id


def first_step(ticket: Ticket, *, by: Actor, at: datetime) -> None:
    """Note that the ticket was opened."""
    session.add(_step(ticket, "status", None, TicketStatus.OPEN.value, by, at))


def _step(ticket: Ticket, kind: str, old: str | None, new: str | None, by: Actor, at: datetime) -> TicketStep:
    return TicketStep(ticket_id=ticket.id, kind=kind, old=old, new=new, at=at, by_id=by.id)


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
