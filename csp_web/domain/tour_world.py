"""What the tour shows: one customer, one line and one request that the person can see, which make the story complete."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select

from csp_web.db import now, session
from csp_web.domain.access.actors import Actor, scoped
from csp_web.models import (
    AuditEntry,
    Customer,
    DownloadLink,
    ProductType,
    Subscription,
    SubscriptionStatus,
    Ticket,
    TicketStatus,
)

DEMO = "fill_demo_world"  # the act by which a demo world is known


@dataclass(frozen=True, slots=True)
class Sample:
    """Ids as they stand in addresses; empty where the person has nothing of the kind."""

    customer: str = ""
    line: str = ""
    ticket: str = ""


def sample(actor: Actor) -> Sample:
    """A line that can still be cancelled, best one with a link; its customer; the request changed last. Two statements."""
    ticket = _ticket(actor)
    linked = exists().where(DownloadLink.subscription_id == Subscription.id)
    line = session.execute(
        select(Customer.uuid, Subscription.uuid.label("line"))
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(
            Subscription.partner_id == actor.partner_id,
            Subscription.product_type == ProductType.SOFTWARE_SUBSCRIPTION,
            Subscription.status == SubscriptionStatus.ACTIVE,
            Subscription.cancel_until > now(),
        )
        .order_by(linked.desc(), Subscription.id)
        .limit(1)
    ).first()
    return Sample(str(line.uuid), str(line.line), ticket) if line else Sample(ticket=ticket)


def _ticket(actor: Actor) -> str:
    if not actor.may("tickets.see"):
        return ""
    mine = scoped(Ticket, actor).with_only_columns(Ticket.number)
    is_open = (Ticket.status == TicketStatus.OPEN).desc()
    return session.scalar(mine.order_by(is_open, Ticket.updated_at.desc(), Ticket.id.desc()).limit(1)) or ""


def is_demo() -> bool:
    """Whether this is a demo world. It is made at the beginning or never, so it need not be asked twice."""
    return session.scalar(select(AuditEntry.seq).filter_by(operation=DEMO).limit(1)) is not None
