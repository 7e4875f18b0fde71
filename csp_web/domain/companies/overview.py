"""What one customer's page tells at a glance: the latest orders and tickets, deadlines that end soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, select

from csp_web.db import now, session
from csp_web.models import Customer, Order, ProductType, Subscription, SubscriptionStatus, Ticket

LATEST = 5
SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class CustomerOverview:
    """Rows for the customer's page; each list is short."""

    orders: Sequence[Row[*tuple[Any, ...]]]  # order_id, placed_at, lines
    tickets: Sequence[Row[*tuple[Any, ...]]]  # number, title, status, updated_at
    deadlines: Sequence[Row[*tuple[Any, ...]]]  # uuid, product_title, sku_title, cancel_until


def customer_overview(customer: Customer) -> CustomerOverview:
    """Three statements, whatever the customer has bought."""
    lines = select(func.count()).select_from(Subscription).where(Subscription.order_id == Order.id).scalar_subquery()
    at = now()
    return CustomerOverview(
        orders=session.execute(
            select(Order.order_id, Order.placed_at, lines.label("lines"))
            .where(Order.customer_id == customer.id)
            .order_by(Order.id.desc())
            .limit(LATEST)
        ).all(),
        tickets=session.execute(
            select(Ticket.number, Ticket.title, Ticket.status, Ticket.updated_at)
            .where(Ticket.customer_id == customer.id)
            .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
            .limit(LATEST)
        ).all(),
        deadlines=session.execute(
            select(Subscription.uuid, Subscription.product_title, Subscription.sku_title, Subscription.cancel_until)
            .where(
                Subscription.customer_id == customer.id,
                Subscription.product_type == ProductType.SOFTWARE_SUBSCRIPTION,
                Subscription.status == SubscriptionStatus.ACTIVE,
                Subscription.cancel_until > at,
                Subscription.cancel_until <= at + SOON,
            )
            .order_by(Subscription.cancel_until)
            .limit(LATEST)
        ).all(),
    )
