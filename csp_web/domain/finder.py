"""One search for everything: any identifier typed in finds its thing (D10), a text finds customers and tickets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from csp_web.db import session
from csp_web.domain.actors import Actor, scoped
from csp_web.domain.customers import list_customers
from csp_web.identifiers import Kind, looks_like, parse_guid
from csp_web.models import Customer, Order, Subscription, Ticket

SHOWN = 10


class FoundKind(StrEnum):
    """What was found."""

    CUSTOMER = "customer"
    ORDER = "order"
    SUBSCRIPTION = "subscription"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was found: ``key`` is its public id, ``customer`` the customer's GUID where it is needed to go there."""

    kind: FoundKind
    key: str
    title: str
    sub: str = ""
    customer: str = ""


def find_everything(actor: Actor, text: str) -> list[Found]:
    """What the actor can see and the text names, the surest first."""
    text = text.strip()
    if not text:
        return []
    found: list[Found] = []
    kind = looks_like(text)
    if actor.may("orders.see"):
        if kind is Kind.GUID:
            found += _subscriptions(actor, text)
        if kind in {Kind.ORDER_ID, Kind.ALTERNATE_ID}:
            found += _orders(actor, text)
    if actor.may("tickets.see"):
        found += _tickets(actor, text, kind)
    if actor.may("customers.see"):
        found += _customers(actor, text)
    return found


def _subscriptions(actor: Actor, text: str) -> Iterator[Found]:
    rows = session.execute(
        select(Subscription.uuid, Subscription.product_title, Customer.company_name, Customer.uuid.label("customer"))
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(Subscription.partner_id == actor.partner_id, Subscription.uuid == parse_guid(text))
    )
    for row in rows:
        yield Found(FoundKind.SUBSCRIPTION, str(row.uuid), row.product_title, row.company_name, str(row.customer))


def _orders(actor: Actor, text: str) -> Iterator[Found]:
    rows = session.execute(
        select(Order.order_id, Order.alternate_id, Customer.company_name)
        .join(Customer, Customer.id == Order.customer_id)
        .where(
            Order.partner_id == actor.partner_id,
            (Order.order_id == text) | (Order.alternate_id == text.lower()),
        )
    )
    for row in rows:
        yield Found(FoundKind.ORDER, row.order_id, row.order_id, row.company_name)


def _tickets(actor: Actor, text: str, kind: Kind) -> Iterator[Found]:
    if kind is not Kind.TICKET_NUMBER:
        return
    statement = scoped(Ticket, actor).with_only_columns(Ticket.number, Ticket.title).where(Ticket.number == text)
    for row in session.execute(statement.limit(SHOWN)):
        yield Found(FoundKind.TICKET, row.number, row.title, row.number)


def _customers(actor: Actor, text: str) -> Iterator[Found]:
    for row in list_customers(actor, text=text).rows[:SHOWN]:
        yield Found(FoundKind.CUSTOMER, str(row.uuid), row.company_name, row.domain)
