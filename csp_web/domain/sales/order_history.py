"""Orders and reservations of a customer as lists: only the columns that are shown, the same statements at any size."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, case, func, or_, select

from csp_web.db import session
from csp_web.domain.paging import Page, page_of
from csp_web.i18n import N_
from csp_web.identifiers import Kind, looks_like, parse_guid
from csp_web.models import Customer, Order, ProductType, Subscription, SubscriptionStatus, User

COMPLETED, PARTLY, CANCELLED = N_("Completed"), N_("Partly cancelled"), N_("Cancelled")

_orders, _lines = Order.__table__.c, Subscription.__table__.c


@dataclass(slots=True)
class OrderRow:
    """An order as the history shows it. ``totals`` are minor units by currency."""

    order_id: str
    alternate_id: str
    placed_at: datetime
    reference: str
    placed_by: str
    first_title: str = ""
    lines: int = 0
    cancelled: int = 0
    totals: dict[str, int] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """Completed unless lines were cancelled: all of them, or some."""
        return state_of(self.lines, self.cancelled)


@dataclass(frozen=True, slots=True)
class History:
    """A page of orders, newest first."""

    rows: Sequence[OrderRow]
    previous: str | None
    next: str | None


def state_of(lines: int, cancelled: int) -> str:
    """An order's state by its lines; to be translated where it is shown."""
    if not cancelled:
        return COMPLETED
    return CANCELLED if cancelled == lines else PARTLY


def order_history(customer: Customer, *, text: str = "", cursor: str | None = None) -> History:
    """A customer's orders, newest first; those that an identifier or reference names, when one is given (D10)."""
    statement = (
        select(Order.id, Order.order_id, Order.alternate_id, Order.placed_at, Order.reference, User.name)
        .join(User, User.id == Order.placed_by_id)
        .where(Order.customer_id == customer.id)
    )
    if text:
        statement = statement.where(_named(text))
    page = page_of(statement, (_orders.id,), cursor=cursor, descending=True)
    rows = {row.id: OrderRow(*row[1:]) for row in page.rows}
    if rows:
        _add_lines(rows)
    return History(list(rows.values()), page.previous, page.next)


def _named(text: str) -> Any:
    kind = looks_like(text)
    if kind is Kind.GUID:
        return Order.lines.any(Subscription.uuid == (parse_guid(text) or uuid.UUID(int=0)))
    if kind is Kind.ALTERNATE_ID:
        return or_(Order.alternate_id == text.strip().lower(), Order.reference == text)
    if kind is Kind.ORDER_ID:
        return or_(Order.order_id == text.strip(), Order.reference == text)
    return Order.reference.icontains(text, autoescape=True)


def _add_lines(rows: dict[int, OrderRow]) -> None:
    cancelled = case((Subscription.status == SubscriptionStatus.CANCELLED, 1), else_=0)
    first = case((Subscription.line_number == 0, Subscription.product_title), else_="")
    sums = session.execute(
        select(
            Subscription.order_id,
            Subscription.currency,
            func.count(),
            func.sum(cancelled),
            func.sum(Subscription.total),
            func.max(first),
        )
        .where(Subscription.order_id.in_(rows))
        .group_by(Subscription.order_id, Subscription.currency)
        .order_by(Subscription.order_id, Subscription.currency)
    )
    for order, currency, lines, gone, total, title in sums:
        row = rows[order]
        row.lines += lines
        row.cancelled += int(gone)
        row.totals[currency] = int(total)
        row.first_title = title or row.first_title


def order_lines(order: Order) -> Sequence[Row[*tuple[Any, ...]]]:
    """The lines of one order, in their order; one statement."""
    return session.execute(
        select(
            Subscription.uuid, Subscription.line_number, Subscription.product_title, Subscription.sku_title,
            Subscription.product_type, Subscription.quantity, Subscription.unit_price, Subscription.total,
            Subscription.currency, Subscription.term, Subscription.billing_plan, Subscription.ends_at,
            Subscription.cancel_until, Subscription.status, Subscription.cancelled_at, Subscription.policy_terms,
            Subscription.azure_subscription_id, Subscription.region, Subscription.scope,
        )
        .where(Subscription.order_id == order.id)
        .order_by(Subscription.line_number)
    ).all()  # fmt: skip


def reservations(customer: Customer, *, cursor: str | None = None) -> Page:
    """A customer's Azure reservations, newest first; they have no keys and no files."""
    statement = (
        select(
            Subscription.id, Subscription.uuid, Subscription.product_title, Subscription.sku_title,
            Subscription.quantity, Subscription.region, Subscription.scope, Subscription.azure_subscription_id,
            Subscription.term, Subscription.billing_plan, Subscription.ordered_at, Subscription.ends_at,
            Subscription.status, Subscription.cancelled_at, Subscription.policy_terms, Order.order_id,
        )
        .join(Order, Order.id == Subscription.order_id)
        .where(Subscription.customer_id == customer.id, Subscription.product_type == ProductType.RESERVATION)
    )  # fmt: skip
    return page_of(statement, (_lines.id,), cursor=cursor, descending=True)
