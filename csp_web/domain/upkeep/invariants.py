"""What must hold in every installation at every instant, as queries that find nothing.

For ``csp-web doctor`` and for tests that break things on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, func, select

from csp_web.db import session
from csp_web.models import (
    AccountEntry,
    Cancellation,
    CancellationState,
    DownloadLink,
    Entitlement,
    KeyAssignment,
    KeyState,
    KeyWait,
    Order,
    Product,
    ProductKey,
    Refund,
    Subscription,
    SubscriptionStatus,
)


def broken() -> Iterator[tuple[str, int]]:
    """Which rules do not hold, in words, and in how many places."""
    for sentence, statement in _QUERIES.items():
        count = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
        if count:
            yield sentence, count


_LIVE = (KeyAssignment.revoked_at.is_(None),)
_OPEN_LINE = Subscription.status == SubscriptionStatus.ACTIVE

_keys_free_and_given = select(ProductKey.id).join(KeyAssignment).where(ProductKey.state == KeyState.FREE)
_keys_out_of_nowhere = (
    select(ProductKey.id)
    .outerjoin(KeyAssignment)
    .where(ProductKey.state == KeyState.HANDED_OUT, KeyAssignment.id.is_(None))
)
_keys_alive_after_the_end = (
    select(KeyAssignment.id)
    .join(KeyAssignment.subscription)
    .where(*_LIVE, Subscription.status == SubscriptionStatus.CANCELLED)
)
_links_alive_after_the_end = (
    select(DownloadLink.id)
    .join(DownloadLink.subscription)
    .where(DownloadLink.revoked_at.is_(None), Subscription.status == SubscriptionStatus.CANCELLED)
)
_lines_without_key = (
    select(Entitlement.id)
    .join(Entitlement.subscription)
    .join(Product, Product.id == Entitlement.product_id)
    .where(
        Product.has_keys,
        Product.own_version.is_not(None),
        _OPEN_LINE,
        ~select(KeyAssignment.id).where(KeyAssignment.entitlement_id == Entitlement.id).exists(),
        ~select(KeyWait.id).where(KeyWait.entitlement_id == Entitlement.id).exists(),
    )
)
_refunds_above_paid: Select[Any] = (
    select(AccountEntry.subscription_id)
    .group_by(AccountEntry.subscription_id)
    .having(func.sum(AccountEntry.amount) < 0)
)
_lines_not_charged = (
    select(Subscription.id)
    .outerjoin(AccountEntry, (AccountEntry.subscription_id == Subscription.id) & (AccountEntry.amount >= 0))
    .group_by(Subscription.id, Subscription.total)
    .having(func.coalesce(func.sum(AccountEntry.amount), 0) != Subscription.total)
)
_completed_but_alive = (
    select(Cancellation.id)
    .join(Cancellation.subscription)
    .where(Cancellation.state == CancellationState.COMPLETED, _OPEN_LINE)
)
_cancelled_without_cancellation = (
    select(Subscription.id)
    .outerjoin(
        Cancellation,
        (Cancellation.subscription_id == Subscription.id) & (Cancellation.state == CancellationState.COMPLETED),
    )
    .where(Subscription.status == SubscriptionStatus.CANCELLED, Cancellation.id.is_(None))
)
_refunded_without_completion = (
    select(Refund.id).join(Refund.cancellation).where(Cancellation.state != CancellationState.COMPLETED)
)
_orders_without_lines = select(Order.id).outerjoin(Order.lines).where(Subscription.id.is_(None))

_QUERIES: dict[str, Select[Any]] = {
    "a key is free and handed out": _keys_free_and_given,
    "a key is handed out to nobody": _keys_out_of_nowhere,
    "a key lives although its line was cancelled": _keys_alive_after_the_end,
    "a link lives although its line was cancelled": _links_alive_after_the_end,
    "a line neither has a key nor waits for one": _lines_without_key,
    "more was refunded than paid": _refunds_above_paid,
    "a line was not charged its total": _lines_not_charged,
    "a cancellation is completed and its line is active": _completed_but_alive,
    "a line is cancelled without a completed cancellation": _cancelled_without_cancellation,
    "money was refunded without a completed cancellation": _refunded_without_completion,
    "an order has no lines": _orders_without_lines,
}
