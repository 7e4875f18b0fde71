"""Support requests for tests: forms filled in, tickets opened, in transactions of their own."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from csp_web.db import session, transaction
from csp_web.domain.support.cancellations import approve, cancellation_of
from csp_web.domain.support.problem_types import REFUND, install_problem_types
from csp_web.domain.support.tickets import TicketDetails, open_ticket
from csp_web.models import Cancellation, Customer, Impact, Subscription, Ticket
from csp_web.money import plain
from tests.world import make_subscription

if TYPE_CHECKING:
    from tests.world import World

ORDERED = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
DAYS_60 = timedelta(days=60)
SECOND = timedelta(seconds=1)
_tokens = itertools.count(1)


def new_token() -> str:
    """The token of a form that was never sent before."""
    return f"token-of-form-{next(_tokens):06}"


def install_types() -> None:
    """The types of problem, as every installation has them."""
    with transaction():
        install_problem_types()


def line_of(
    world: World,
    offer: str = "windows-US",
    *,
    customer: str = "coho",
    by: str = "alice",
    at: datetime = ORDERED,
    quantity: int = 1,
) -> int:
    """The id of a line that was ordered at an instant."""
    with transaction():
        line = make_subscription(
            world.customer(customer), world.offer(offer), by=world.actor(by), ordered_at=at, quantity=quantity
        )
        return line.id


def line(number: int) -> Subscription:
    """The line's row, read now."""
    return session.get_one(Subscription, number)


def refund_details(subscription: Subscription, **changes: Any) -> TicketDetails:
    """The refund form as **Cancel** fills it in, with a reason."""
    customer = session.get_one(Customer, subscription.customer_id)
    facts = {
        "customer": customer.domain,
        "order_or_subscription": str(subscription.uuid),
        "refund_reason": "Ordered by mistake",
        "amount": plain(subscription.total, subscription.currency),
    }
    facts |= changes.pop("facts", {})
    filled: dict[str, Any] = {
        "type_code": REFUND,
        "impact": Impact.MINIMAL,
        "title": "Please cancel",
        "description": "",
        "contact_name": "Alice",
        "contact_email": "alice@contoso.example",
        "facts": facts,
    }
    return TicketDetails(**{**filled, **changes})


def other_details(**changes: Any) -> TicketDetails:
    """A request that is not about money."""
    filled: dict[str, Any] = {
        "type_code": "other",
        "impact": Impact.MODERATE,
        "title": "The setup stops",
        "description": "At 40 per cent.",
        "contact_name": "Bob",
        "contact_email": "bob@contoso.example",
    }
    return TicketDetails(**{**filled, **changes})


def file_ticket(
    world: World, details: TicketDetails, *, by: str = "alice", token: str = "", at: datetime = ORDERED
) -> Ticket:
    """Open a ticket."""
    with transaction():
        number = open_ticket(details, by=world.actor(by), token=token or new_token(), at=at).id
    return session.get_one(Ticket, number)


def file_refund(world: World, number: int, *, by: str = "alice", at: datetime = ORDERED, **changes: Any) -> Ticket:
    """Ask for the cancellation of a line."""
    return file_ticket(world, refund_details(line(number), **changes), by=by, at=at)


def cancellation(ticket: Ticket) -> Cancellation:
    """The cancellation that a ticket asks for."""
    found = cancellation_of(ticket)
    assert found is not None
    return found


def approve_ticket(world: World, ticket: Ticket, *, by: str = "sam", note: str = "") -> None:
    """Carry the cancellation out."""
    with transaction():
        approve(cancellation(ticket), by=world.actor(by), note=note)
