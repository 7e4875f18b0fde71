"""What a cancelled line gives back: by the policy frozen at purchase, never more than was paid (D6, D8, R33)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select

from csp_web.db import session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor
from csp_web.errors import Refused
from csp_web.i18n import format_money
from csp_web.i18n import gettext as _
from csp_web.models import AccountEntry, AccountEntryKind, Cancellation, Refund, Subscription

DAY = timedelta(days=1)


def refundable(subscription: Subscription) -> int:
    """What was paid for the line less what was refunded, in minor units of its currency (D6)."""
    total = select(func.sum(AccountEntry.amount)).where(AccountEntry.subscription_id == subscription.id)
    return max(int(session.scalar(total) or 0), 0)


def refund_due(subscription: Subscription, at: datetime) -> int:
    """What cancelling at an instant gives back by the line's own policy, in minor units; at most ``refundable``.

    The first step of the policy that has not ended decides: all, the share of the days of the term that are left, or
    nothing. A fee in per cent is taken off; the shipped policies have none (R33).
    """
    paid = refundable(subscription)
    kind = _refund_kind(subscription, at)
    if kind == "none":
        return 0
    share = paid * _days_left(subscription, at) // _days(subscription) if kind == "prorata" else paid
    fee = Decimal(str(subscription.policy_terms.get("fee_percent") or 0))
    return share - int(share * fee / 100)


def _refund_kind(subscription: Subscription, at: datetime) -> str:
    for step in subscription.policy_terms.get("steps", []):
        hours = step.get("until_hours")
        if hours is None or at < subscription.ordered_at + timedelta(hours=hours):
            return str(step["refund"])
    return "none"


def _days(subscription: Subscription) -> int:
    return max(-((subscription.ordered_at - subscription.ends_at) // DAY), 1)


def _days_left(subscription: Subscription, at: datetime) -> int:
    """Whole days of the term that have not begun; a day counts as used from its first instant."""
    begun = (at - subscription.ordered_at) // DAY + 1
    return max(_days(subscription) - begun, 0)


def record_refund(cancellation: Cancellation, amount: int, *, by: Actor, at: datetime) -> Refund:
    """Give money back for a cancellation, once; the caller holds the subscription's row.

    Raises:
        Refused: it is more than was paid and not yet refunded (D6).
    """
    subscription = cancellation.subscription
    left = refundable(subscription)
    if not 0 < amount <= left:
        raise Refused(_("At most %(left)s can be refunded.", left=format_money(left, subscription.currency)), rule="D6")
    entry = AccountEntry(
        partner_id=subscription.partner_id,
        subscription_id=subscription.id,
        kind=AccountEntryKind.REFUND,
        amount=-amount,
        currency=subscription.currency,
        at=at,
        by_id=by.id,
    )
    session.add(entry)
    session.flush()
    refund = Refund(
        cancellation_id=cancellation.id,
        account_entry_id=entry.id,
        amount=amount,
        currency=subscription.currency,
        at=at,
        by_id=by.id,
    )
    session.add(refund)
    session.flush()
    audit.record(
        "refund",
        by=by,
        resource=("subscription", subscription.uuid),
        customer=subscription.customer,
        amount=amount,
        currency=subscription.currency,
        cancellation=cancellation.id,
    )
    return refund
