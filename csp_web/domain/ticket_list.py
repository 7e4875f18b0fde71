"""The list of support requests: the partner's own, or every partner's for support agents (B10)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from csp_web.db import session
from csp_web.domain.actors import Actor, scoped
from csp_web.domain.paging import Page, page_of
from csp_web.errors import NotFound
from csp_web.identifiers import fold
from csp_web.models import Customer, Partner, Subscription, Ticket, TicketStatus

_columns = Ticket.__table__.c


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

    Rows: updated_at, id, number, title, status, impact, created_at, first_answer_due_at, first_answered_at, customer,
    product, partner.
    """
    statement = (
        scoped(Ticket, actor)
        .with_only_columns(
            Ticket.updated_at,
            Ticket.id,
            Ticket.number,
            Ticket.title,
            Ticket.status,
            Ticket.impact,
            Ticket.created_at,
            Ticket.first_answer_due_at,
            Ticket.first_answered_at,
            Customer.company_name.label("customer"),
            Subscription.product_title.label("product"),
            Partner.name.label("partner"),
        )
        .join(Partner, Partner.id == Ticket.partner_id)
        .outerjoin(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(Subscription, Subscription.id == Ticket.subscription_id)
    )
    keys = (_columns.updated_at, _columns.id)
    return page_of(_narrowed(statement, wanted, actor), keys, cursor=cursor, descending=True)


def _narrowed(statement: Select[*tuple[Any, ...]], wanted: TicketFilter, actor: Actor) -> Select[*tuple[Any, ...]]:
    if wanted.status is not None:
        statement = statement.where(Ticket.status == wanted.status)
    if wanted.type_code:
        statement = statement.where(Ticket.type_code == wanted.type_code)
    if wanted.customer is not None:
        statement = statement.where(Customer.uuid == wanted.customer)
    if wanted.mine:
        own = Ticket.assigned_to_id if actor.sees_all_partners else Ticket.created_by_id
        statement = statement.where(own == actor.id)
    for word in fold(wanted.text).split():
        statement = statement.where(Ticket.search_text.contains(word, autoescape=True))
    return statement


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
