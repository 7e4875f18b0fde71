"""Support requests in figures: the partner's by age, everybody's by impact and clock, answers in time (D3, B5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Row, Select, case, func, literal, literal_column, select, union_all

from csp_web.db import read
from csp_web.domain.access.actors import Actor
from csp_web.domain.figures.dashboard_sales import Clock, per_span
from csp_web.domain.figures.dashboard_spans import Span
from csp_web.models import (
    Cancellation,
    CancellationState,
    Customer,
    Impact,
    Partner,
    Subscription,
    Ticket,
    TicketStatus,
)

AGES = (timedelta(days=1), timedelta(days=3), timedelta(days=7))  # younger than each; the last group is older
WAITING = (TicketStatus.ATTENTION_NEEDED, TicketStatus.OPEN)
WEEKS = 8
SHOWN = 8
NOT_CLOSED = Ticket.status != literal_column("'closed'")  # word for word the condition of the index


def own_queue(actor: Actor, at: datetime) -> list[list[int]]:
    """The partner's requests that wait for the partner, and for support, by how long ago they last changed."""
    found = [[0] * (len(AGES) + 1) for _status in WAITING]
    edges = [None, *(at - age for age in AGES), None]
    parts = []
    for number, status in enumerate(WAITING):
        for place, (until, since) in enumerate(pairwise(edges)):
            part = select(literal(number), literal(place), func.count()).select_from(Ticket)
            part = part.where(Ticket.partner_id == actor.partner_id, Ticket.status == status)
            part = part if until is None else part.where(Ticket.updated_at < until)
            parts.append(part if since is None else part.where(Ticket.updated_at >= since))
    counts: Iterable[Any] = read(union_all(*parts))
    for number, place, count in counts:
        found[number][place] = count
    return found


def answers_due(actor: Actor) -> Sequence[Row[*tuple[Any, ...]]]:
    """The partner's requests that nobody has answered yet, the first due first (D3)."""
    return read(
        select(Ticket.number, Ticket.title, Ticket.impact, Ticket.first_answer_due_at, Customer.company_name)
        .outerjoin(Customer, Customer.id == Ticket.customer_id)
        .where(NOT_CLOSED, Ticket.partner_id == actor.partner_id, Ticket.first_answered_at.is_(None))
        .order_by(Ticket.first_answer_due_at)
        .limit(SHOWN)
    ).all()


def queue_by_clock(at: datetime) -> dict[Impact, list[int]]:
    """Everybody's open requests by impact: overdue, answer due, answered."""
    clock = case((Ticket.first_answered_at.is_not(None), 2), (Ticket.first_answer_due_at < at, 0), else_=1)
    found = {impact: [0, 0, 0] for impact in Impact}
    statement = select(Ticket.impact, clock.label("clock"), func.count())
    chosen = statement.where(NOT_CLOSED, Ticket.status == TicketStatus.OPEN).group_by(Ticket.impact, "clock")
    counts: Iterable[Any] = read(chosen)
    for impact, place, count in counts:
        found[impact][place] = count
    return found


def answers_given(clock: Clock, spans: Sequence[Span]) -> list[tuple[int, int]]:
    """First answers of support in each span: in time, and late (D3)."""

    def one(place: int, span: Span) -> Select[*tuple[Any, ...]]:
        late = func.sum(case((Ticket.first_answered_at > Ticket.first_answer_due_at, 1), else_=0))
        found = select(literal(place), func.count(), late).select_from(Ticket)
        return found.where(Ticket.first_answered_at >= span.start, Ticket.first_answered_at < span.end)

    sums = clock.book.sums(("answers",), clock.zone, spans, clock.at, per_span(one, keys=0))
    return [(count - late, late) for count, late in (found.get((), (0, 0)) for found in sums)]


def to_decide() -> Sequence[Row[*tuple[Any, ...]]]:
    """Cancellations that nobody has decided, the oldest first (D5)."""
    return read(
        select(
            Ticket.number,
            Subscription.product_title,
            Partner.name.label("partner"),
            Customer.company_name,
            Cancellation.amount_requested,
            Cancellation.currency,
            Cancellation.requested_at,
        )
        .join(Ticket, Ticket.id == Cancellation.ticket_id)
        .join(Subscription, Subscription.id == Cancellation.subscription_id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .join(Partner, Partner.id == Cancellation.partner_id)
        .where(Cancellation.state == CancellationState.REQUESTED)
        .order_by(Cancellation.requested_at)
        .limit(SHOWN)
    ).all()
