"""What waits for a person, as numbers: asked for once a minute by every open page, so it costs one statement."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, func, literal, or_, select

from csp_web.db import session
from csp_web.domain.access.actors import Actor
from csp_web.domain.support.ticket_thread import sees_internal
from csp_web.models import KeyPool, KeyState, KeyWait, ProductKey, Ticket, TicketNote, TicketStatus


@dataclass(frozen=True, slots=True)
class Counted:
    """Support requests that wait for the person's side, stocks of keys that are low, lines that wait for a key."""

    tickets: int
    low: int
    waiting: int


def count_waiting(actor: Actor) -> Counted:
    """What waits for a person (D3, D12); zero for what the roles do not open. One statement."""
    tickets = _tickets(actor) if actor.may("tickets.see") else literal(0)
    stock = actor.may("operator.manage")
    low, waiting = (_low(), _waiting()) if stock else (literal(0), literal(0))
    return Counted(*session.execute(select(tickets, low, waiting)).one())


def count_news(ticket: Ticket, actor: Actor, *, after: int) -> int:
    """How many notes others have written on a ticket since the note with this number, as far as the person reads them."""
    statement = select(func.count()).select_from(TicketNote)
    statement = statement.where(
        TicketNote.ticket_id == ticket.id, TicketNote.id > after, TicketNote.author_id != actor.id
    )
    if not sees_internal(actor):
        statement = statement.where(TicketNote.internal.is_(False))
    return session.scalar(statement) or 0


def _tickets(actor: Actor) -> ScalarSelect[int]:
    """For support: open, and nobody's or the person's own. For a partner: those that need the partner's attention."""
    mine: ColumnElement[bool]
    if actor.sees_all_partners:
        nobodys_or_mine = or_(Ticket.assigned_to_id.is_(None), Ticket.assigned_to_id == actor.id)
        mine = (Ticket.status == TicketStatus.OPEN) & nobodys_or_mine
    else:
        mine = (Ticket.partner_id == actor.partner_id) & (Ticket.status == TicketStatus.ATTENTION_NEEDED)
    return select(func.count()).select_from(Ticket).where(mine).scalar_subquery()


def _low() -> ScalarSelect[int]:
    free = select(func.count()).where(ProductKey.pool_id == KeyPool.id, ProductKey.state == KeyState.FREE)
    return select(func.count()).select_from(KeyPool).where(free.scalar_subquery() <= KeyPool.low_at).scalar_subquery()


def _waiting() -> ScalarSelect[int]:
    return select(func.count()).select_from(KeyWait).where(KeyWait.ended_at.is_(None)).scalar_subquery()
