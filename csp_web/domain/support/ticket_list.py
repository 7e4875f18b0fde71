"""The list of support requests: the partner's own, or every partner's for support agents (B10)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cache

from sqlalchemy import String, bindparam, select, type_coerce

from csp_web.db import session
from csp_web.domain.access.actors import Actor, scoped
from csp_web.domain.paging import Listing, Page
from csp_web.errors import NotFound
from csp_web.identifiers import fold
from csp_web.models import Customer, Partner, Subscription, Ticket, TicketStatus

MOST_WORDS = 8  # of a search; the statement of each number of words is built once
_ticket, _customer, _partner = Ticket.__table__.c, Customer.__table__.c, Partner.__table__.c


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """What the list is narrowed to; empty fields narrow nothing. ``mine``: opened by me, or for support given to me."""

    text: str = ""
    status: TicketStatus | None = None
    type_code: str = ""
    customer: uuid.UUID | None = None
    mine: bool = False


def list_tickets(actor: Actor, wanted: TicketFilter, *, cursor: str | None = None) -> Page:
    """A page of tickets, the one that changed last first; one statement.

    Rows: updated_at, id, number, title, status and impact in words, created_at, first_answer_due_at, first_answered_at, customer,
    product, partner.
    """
    words = fold(wanted.text).split()[:MOST_WORDS]
    values = {
        "partner": None if actor.sees_all_partners else actor.partner_id,
        "status": wanted.status,
        "type": wanted.type_code or None,
        "customer": wanted.customer,
        "assignee": actor.id if wanted.mine and actor.sees_all_partners else None,
        "opener": actor.id if wanted.mine and not actor.sees_all_partners else None,
        **{f"word_{number}": _pattern(word) for number, word in enumerate(words)},
    }
    given = {name: value for name, value in values.items() if value is not None}
    return _listing(frozenset(given)).page(cursor, **given)


def _pattern(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


@cache
def _listing(given: frozenset[str]) -> Listing:
    """The list narrowed by these values; its statement is built once. Without ``partner`` it is every partner's."""
    statement = (
        select(
            _ticket.updated_at,
            _ticket.id,
            _ticket.number,
            _ticket.title,
            type_coerce(_ticket.status, String).label("status"),
            type_coerce(_ticket.impact, String).label("impact"),
            _ticket.created_at,
            _ticket.first_answer_due_at,
            _ticket.first_answered_at,
            _customer.company_name.label("customer"),
            Subscription.__table__.c.product_title.label("product"),
            _partner.name.label("partner"),
        )
        .join_from(Ticket.__table__, Partner.__table__, _partner.id == _ticket.partner_id)
        .outerjoin(Customer.__table__, _customer.id == _ticket.customer_id)
        .outerjoin(Subscription.__table__, Subscription.__table__.c.id == _ticket.subscription_id)
    )
    equal = {
        "partner": _ticket.partner_id,
        "status": _ticket.status,
        "type": _ticket.type_code,
        "customer": _customer.uuid,
        "assignee": _ticket.assigned_to_id,
        "opener": _ticket.created_by_id,
    }
    for name in sorted(given):
        column = equal.get(name)
        like = _ticket.search_text.like(bindparam(name), escape="\\")
        statement = statement.where(like if column is None else column == bindparam(name))
    return Listing(statement, (_ticket.updated_at, _ticket.id), descending=True)


def name_of_customer(actor: Actor, guid: uuid.UUID) -> str:
    """The name of the customer whose tickets are asked for.

    Raises:
        NotFound: it is no customer of the partner's and, for support agents, of no ticket either.
    """
    name = session.scalar(scoped(Customer, actor).with_only_columns(Customer.company_name).where(Customer.uuid == guid))
    if name is None and actor.sees_all_partners:
        of_tickets = select(Customer.company_name).join(Ticket, Ticket.customer_id == Customer.id)
        name = session.scalar(of_tickets.where(Customer.uuid == guid).limit(1))
    if name is None:
        raise NotFound
    return str(name)
