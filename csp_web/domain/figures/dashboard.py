"""What waits for a person: deadlines, keys, links, support requests, orders (B5, D12). Short lists, fixed queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal, select, union_all
from sqlalchemy.orm import aliased

from csp_web.db import session
from csp_web.domain.access.actors import Actor
from csp_web.domain.figures.dashboard_tickets import NOT_CLOSED
from csp_web.models import (
    Customer,
    DownloadLink,
    DownloadOption,
    KeyWait,
    Order,
    Partner,
    Subscription,
    SubscriptionStatus,
    Ticket,
    TicketStatus,
    User,
)

SHOWN = 8
DEADLINE_SOON = timedelta(days=7)
LINK_SOON = timedelta(days=3)
Rows = Sequence[Row[*tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Rows per list; None where the person's roles do not open it."""

    deadlines: Rows | None = None  # uuid, product_title, quantity, cancel_until, customer_uuid, company_name
    waiting: Rows | None = None  # uuid, product_title, version, since, customer_uuid, company_name
    links: Rows | None = (
        None  # file_name, recipient, expires_at, left, uuid, product_title, customer_uuid, company_name
    )
    tickets: Rows | None = None  # number, title, status, impact, updated_at, company_name
    orders: Rows | None = None  # order_id, placed_at, lines, customer_uuid, company_name
    queue: Rows | None = None  # number, title, status, impact, first_answer_due_at, answered, partner, assigned_to


def dashboard(actor: Actor, at: datetime) -> Dashboard:
    """Everything for one person: one statement per list that the roles open."""
    return Dashboard(
        deadlines=_rows(_deadlines(actor, at)) if actor.may("software.see") else None,
        waiting=_rows(_waiting(actor)) if actor.may("software.see") else None,
        links=_rows(_links(actor, at)) if actor.may("keys.handle") else None,
        tickets=_tickets(actor) if actor.may("tickets.see") and not actor.sees_all_partners else None,
        orders=_rows(_orders(actor)) if actor.may("orders.see") else None,
        queue=_queue() if actor.sees_all_partners else None,
    )


def _rows(statement: Select[*tuple[Any, ...]]) -> Rows:
    return session.execute(statement.limit(SHOWN)).all()


def _deadlines(actor: Actor, at: datetime) -> Select[*tuple[Any, ...]]:
    """Lines whose right to cancel ends within a week, the next one first."""
    return (
        select(
            Subscription.uuid,
            Subscription.product_title,
            Subscription.quantity,
            Subscription.cancel_until,
            Customer.uuid.label("customer_uuid"),
            Customer.company_name,
        )
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(
            Subscription.partner_id == actor.partner_id,
            Subscription.cancel_until > at,
            Subscription.cancel_until <= at + DEADLINE_SOON,
            Subscription.status == SubscriptionStatus.ACTIVE,
        )
        .order_by(Subscription.cancel_until)
    )


def _waiting(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Lines that wait for a key (D12), the oldest first."""
    return (
        select(
            Subscription.uuid,
            Subscription.product_title,
            KeyWait.version,
            KeyWait.since,
            Customer.uuid.label("customer_uuid"),
            Customer.company_name,
        )
        .join(Subscription, Subscription.id == KeyWait.subscription_id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(KeyWait.ended_at.is_(None), Subscription.partner_id == actor.partner_id)
        .order_by(KeyWait.id)
    )


def _links(actor: Actor, at: datetime) -> Select[*tuple[Any, ...]]:
    """Living download links that end within days (R26)."""
    return (
        select(
            DownloadOption.file_name,
            DownloadLink.recipient,
            DownloadLink.expires_at,
            (DownloadLink.max_downloads - DownloadLink.used).label("left"),
            Subscription.uuid,
            Subscription.product_title,
            Customer.uuid.label("customer_uuid"),
            Customer.company_name,
        )
        .join(DownloadOption, DownloadOption.id == DownloadLink.option_id)
        .join(Subscription, Subscription.id == DownloadLink.subscription_id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(
            DownloadLink.partner_id == actor.partner_id,
            DownloadLink.expires_at > at,
            DownloadLink.expires_at <= at + LINK_SOON,
            DownloadLink.revoked_at.is_(None),
            DownloadLink.used < DownloadLink.max_downloads,
        )
        .order_by(DownloadLink.expires_at)
    )


def _tickets(actor: Actor) -> Rows:
    """The partner's support requests that are not closed; those that wait for the partner first (D3)."""

    def latest(place: int, status: TicketStatus) -> Select[*tuple[Any, ...]]:
        columns = (literal(place).label("place"), Ticket.number, Ticket.title, Ticket.status, Ticket.impact)
        found = select(*columns, Ticket.updated_at, Customer.company_name)
        return (
            found.outerjoin(Customer, Customer.id == Ticket.customer_id)
            .where(Ticket.partner_id == actor.partner_id, Ticket.status == status)
            .order_by(Ticket.updated_at.desc())
        )

    return _first([latest(0, TicketStatus.ATTENTION_NEEDED), latest(1, TicketStatus.OPEN)], "updated_at", newest=True)


def _first(parts: Sequence[Select[*tuple[Any, ...]]], by: str, *, newest: bool = False) -> Rows:
    """The first rows of the first part, then of the next: each part reads the few rows of an index that it gives."""
    short = [select(part.limit(SHOWN).subquery()) for part in parts]
    found = union_all(*short).subquery()
    order = found.c[by].desc() if newest else found.c[by]
    return session.execute(select(found).order_by(found.c.place, order).limit(SHOWN)).all()


def _orders(actor: Actor) -> Select[*tuple[Any, ...]]:
    """The partner's latest orders."""
    lines = select(func.count()).select_from(Subscription).where(Subscription.order_id == Order.id).scalar_subquery()
    return (
        select(
            Order.order_id,
            Order.placed_at,
            lines.label("lines"),
            Customer.uuid.label("customer_uuid"),
            Customer.company_name,
        )
        .join(Customer, Customer.id == Order.customer_id)
        .where(Order.partner_id == actor.partner_id)
        .order_by(Order.id.desc())
    )


def _queue() -> Rows:
    """All partners' open support requests: unanswered ones first, by when the answer is due (D3)."""
    assignee = aliased(User)

    def due(place: int, answered: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
        columns = (literal(place).label("place"), Ticket.number, Ticket.title, Ticket.status, Ticket.impact)
        who = (Partner.name.label("partner"), assignee.name.label("assigned_to"))
        return (
            select(*columns, Ticket.first_answer_due_at, (literal(place) == 1).label("answered"), *who)
            .join(Partner, Partner.id == Ticket.partner_id)
            .outerjoin(assignee, assignee.id == Ticket.assigned_to_id)
            .where(NOT_CLOSED, Ticket.status == TicketStatus.OPEN, answered)
            .order_by(Ticket.first_answer_due_at)
        )

    unanswered, answered = Ticket.first_answered_at.is_(None), Ticket.first_answered_at.is_not(None)
    return _first([due(0, unanswered), due(1, answered)], "first_answer_due_at")
