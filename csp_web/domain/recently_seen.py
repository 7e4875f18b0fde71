"""What a person opened last, as it is now: names are read anew, and what can no longer be seen is left out (S-1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from csp_web.db import session
from csp_web.domain.access.actors import Actor, scoped
from csp_web.domain.finder import Found, FoundKind
from csp_web.models import Customer, Order, Ticket

Seen = tuple[FoundKind, int]  # what it is, and the id of its row


def seen_things(actor: Actor, seen: Sequence[Seen]) -> list[Found]:
    """These things in the order given. At most one statement per kind, none for a kind that is not there."""
    wanted: dict[FoundKind, list[int]] = {}
    for kind, number in seen:
        wanted.setdefault(kind, []).append(number)
    found: dict[Seen, Found] = {}
    if FoundKind.CUSTOMER in wanted and actor.may("customers.see"):
        found |= _customers(actor, wanted[FoundKind.CUSTOMER])
    if FoundKind.ORDER in wanted and actor.may("orders.see"):
        found |= _orders(actor, wanted[FoundKind.ORDER])
    if FoundKind.TICKET in wanted and actor.may("tickets.see"):
        found |= _tickets(actor, wanted[FoundKind.TICKET])
    return [found[each] for each in seen if each in found]


def _customers(actor: Actor, ids: list[int]) -> Iterator[tuple[Seen, Found]]:
    columns = (Customer.id, Customer.uuid, Customer.company_name, Customer.domain)
    for row in session.execute(scoped(Customer, actor).with_only_columns(*columns).where(Customer.id.in_(ids))):
        thing = Found(FoundKind.CUSTOMER, str(row.uuid), row.company_name, row.domain)
        yield (FoundKind.CUSTOMER, row.id), thing


def _orders(actor: Actor, ids: list[int]) -> Iterator[tuple[Seen, Found]]:
    statement = select(Order.id, Order.order_id, Order.alternate_id, Customer.company_name).join(
        Customer, Customer.id == Order.customer_id
    )
    for row in session.execute(statement.where(Order.partner_id == actor.partner_id, Order.id.in_(ids))):
        yield (FoundKind.ORDER, row.id), Found(FoundKind.ORDER, row.order_id, row.alternate_id, row.company_name)


def _tickets(actor: Actor, ids: list[int]) -> Iterator[tuple[Seen, Found]]:
    columns = (Ticket.id, Ticket.number, Ticket.title)
    for row in session.execute(scoped(Ticket, actor).with_only_columns(*columns).where(Ticket.id.in_(ids))):
        yield (FoundKind.TICKET, row.id), Found(FoundKind.TICKET, row.number, row.title, row.number)


__all__ = ["Seen", "seen_things"]
