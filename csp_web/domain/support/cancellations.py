"""Cancelling a purchased line: may it still be, the request, and the decision with all its effects (R30-R36, D1, D5-D7, B1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from csp_web.db import for_update, now, session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.delivery.links import revoke_links
from csp_web.domain.stock.keys import revoke_keys
from csp_web.domain.support.cancellation_window import (
    CancellationTerms,
    cancellation_terms,
    requested_in,
    terms_of,
)
from csp_web.domain.support.refunds import record_refund, refund_due, refundable
from csp_web.domain.support.ticket_mail import tell_partner
from csp_web.domain.support.ticket_thread import add_note, change_status, hold
from csp_web.errors import Conflict, Refused
from csp_web.i18n import format_datetime, format_money, format_utc, use_place
from csp_web.i18n import gettext as _
from csp_web.models import (
    Cancellation,
    CancellationState,
    CancellationStep,
    DownloadLink,
    KeyAssignment,
    KeyWait,
    Subscription,
    SubscriptionStatus,
    Ticket,
    TicketStatus,
    User,
)


def request_cancellation(
    subscription: Subscription, *, ticket: Ticket, amount: int, reason: str, by: Actor, at: datetime
) -> Cancellation:
    """Ask for a line to be cancelled, as part of filing its refund ticket. ``at`` decides, whenever support acts (D1).

    ``amount`` is in minor units of the line's currency and was checked against ``refund_due``.

    Raises:
        Forbidden: only admin agents may (R31). Refused: the line may not be cancelled (any more).
    """
    require(by, "subscriptions.cancel")
    subscription = for_update(Subscription, subscription.id)
    terms = cancellation_terms(subscription, at)
    if not terms.may:
        raise Refused(terms.reason, rule=terms.rule)
    cancellation = Cancellation(
        partner_id=subscription.partner_id,
        subscription_id=subscription.id,
        ticket_id=ticket.id,
        reason=reason,
        amount_requested=amount,
        currency=subscription.currency,
        requested_at=at,
        requested_by_id=by.id,
    )
    session.add(cancellation)
    session.flush()
    _step(cancellation, CancellationState.REQUESTED, by=by, at=at)
    _audit("request_cancellation", cancellation, by=by, ticket=ticket.number, amount=amount, reason=reason)
    return cancellation


def approve(cancellation: Cancellation, *, by: Actor, note: str = "", at: datetime | None = None) -> Cancellation:
    """Carry a cancellation out, wholly or not at all (B1, R30): the line ends, its keys are revoked, its links are
    dead, the money goes back, the ticket is answered and closed.

    Pressed twice by the same person it is one act.

    Raises:
        Forbidden: only support agents decide. Conflict: a colleague has decided already.
    """
    require(by, "support.work")
    at = at or now()
    subscription = for_update(Subscription, cancellation.subscription_id)
    cancellation = for_update(Cancellation, cancellation.id)
    ticket = hold(cancellation.ticket)
    if not _to_be_decided(cancellation, CancellationState.COMPLETED, by):
        return cancellation
    reason = _("Cancelled in ticket %(number)s.", number=ticket.number)
    _step(cancellation, CancellationState.APPROVED, by=by, at=at, note=note)
    subscription.status, subscription.cancelled_at = SubscriptionStatus.CANCELLED, at
    session.flush()  # what follows reads the row again
    revoke_keys(subscription, by=by, reason=reason)
    revoke_links(subscription, by=by, reason=reason)
    amount = min(cancellation.amount_requested, refundable(subscription))
    if amount:
        record_refund(cancellation, amount, by=by, at=at)
    _step(cancellation, CancellationState.COMPLETED, by=by, at=at)
    _audit("approve_cancellation", cancellation, by=by, ticket=ticket.number, refunded=amount)
    _answer(ticket, lambda: _approval(subscription, amount, note), TicketStatus.CLOSED, by=by, at=at)
    return cancellation


def decline(
    cancellation: Cancellation, *, by: Actor, reason: str, close: bool = False, at: datetime | None = None
) -> Cancellation:
    """Refuse a cancellation, with the reason for the partner. It may be requested again while the window is open.

    Raises:
        Forbidden: only support agents decide. Conflict: a colleague has decided already.
    """
    require(by, "support.work")
    at = at or now()
    for_update(Subscription, cancellation.subscription_id)
    cancellation = for_update(Cancellation, cancellation.id)
    ticket = hold(cancellation.ticket)
    if not _to_be_decided(cancellation, CancellationState.DECLINED, by):
        return cancellation
    _step(cancellation, CancellationState.DECLINED, by=by, at=at, note=reason)
    _audit("decline_cancellation", cancellation, by=by, ticket=ticket.number, reason=reason)
    after = TicketStatus.CLOSED if close else TicketStatus.ATTENTION_NEEDED
    _answer(ticket, lambda: _refusal(cancellation, reason), after, by=by, at=at)
    return cancellation


def _to_be_decided(cancellation: Cancellation, wanted: CancellationState, by: Actor) -> bool:
    """Whether the decision is open; False when this person took the same one a moment ago."""
    if cancellation.state is CancellationState.REQUESTED:
        return True
    if cancellation.state is wanted and cancellation.steps[-1].by_id == by.id:
        return False
    raise Conflict(why_no_decision(cancellation))


def why_no_decision(cancellation: Cancellation) -> str:
    """Why a cancellation can be neither approved nor declined: it was already; empty while it can (B6)."""
    if cancellation.state is CancellationState.REQUESTED:
        return ""
    last = cancellation.steps[-1]
    names = {CancellationState.DECLINED: _("declined"), CancellationState.COMPLETED: _("approved")}
    return _(
        "The cancellation was already %(decision)s by %(name)s on %(date)s.",
        decision=names[cancellation.state],
        name=last.by.name,
        date=format_datetime(last.at),
    )


def _step(cancellation: Cancellation, state: CancellationState, *, by: Actor, at: datetime, note: str = "") -> None:
    cancellation.state = state
    session.add(CancellationStep(cancellation_id=cancellation.id, state=state, note=note, at=at, by_id=by.id))
    session.flush()


def _audit(operation: str, cancellation: Cancellation, *, by: Actor, **details: Any) -> None:
    line = cancellation.subscription
    audit.record(
        operation,
        by=by,
        resource=("subscription", line.uuid),
        customer=line.customer,
        currency=cancellation.currency,
        **details,
    )


def _answer(ticket: Ticket, text: Any, status: TicketStatus, *, by: Actor, at: datetime) -> None:
    """Tell the partner in the language of the colleague who asked (D5), and mail the same."""
    asker: User = ticket.created_by
    with use_place(asker.language, asker.time_zone):
        add_note(ticket, text(), by=by, at=at)
    change_status(ticket, status, by=by, at=at)
    tell_partner(ticket, subject=lambda: _("Your cancellation was decided"), body=text)


def _approval(line: Subscription, amount: int, note: str) -> str:
    done = _(
        "The cancellation was approved. %(product)s (%(sku)s) is cancelled, its keys are revoked and its download "
        "links have ended. Refunded: %(amount)s.",
        product=line.product_title,
        sku=line.sku_title,
        amount=format_money(amount, line.currency),
    )
    return f"{note}\n\n{done}" if note else done


def _refusal(cancellation: Cancellation, reason: str) -> str:
    line = cancellation.subscription
    said = _("The cancellation of %(product)s was declined: %(reason)s", product=line.product_title, reason=reason)
    terms = terms_of(line, now())
    if terms.may:
        until = f"{format_datetime(terms.until)} ({format_utc(terms.until)})"
        said += "\n\n" + _("It may be requested again until %(until)s.", until=until)
    return said


@dataclass(frozen=True, slots=True)
class Consequences:
    """What approving would do just now, for the page that asks. ``refund`` is in minor units."""

    refund: int
    keys: int
    waits: int
    links: int


def consequences(cancellation: Cancellation) -> Consequences:
    """Count what **Approve cancellation** would end."""
    line = cancellation.subscription
    return Consequences(
        refund=min(cancellation.amount_requested, refundable(line)),
        keys=_count(KeyAssignment, KeyAssignment.subscription_id == line.id, KeyAssignment.revoked_at.is_(None)),
        waits=_count(KeyWait, KeyWait.subscription_id == line.id, KeyWait.ended_at.is_(None)),
        links=_count(
            DownloadLink,
            DownloadLink.subscription_id == line.id,
            DownloadLink.revoked_at.is_(None),
            DownloadLink.expires_at > now(),
            DownloadLink.used < DownloadLink.max_downloads,
        ),
    )


def _count(model: Any, *conditions: Any) -> int:
    return session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def cancellation_of(ticket: Ticket) -> Cancellation | None:
    """The cancellation that a ticket asks for, with its history and refund."""
    statement = (
        select(Cancellation)
        .where(Cancellation.ticket_id == ticket.id)
        .options(joinedload(Cancellation.refund), joinedload(Cancellation.subscription))
    )
    return session.scalar(statement)


__all__ = [
    "CancellationTerms",
    "Consequences",
    "approve",
    "cancellation_of",
    "cancellation_terms",
    "consequences",
    "decline",
    "refund_due",
    "refundable",
    "request_cancellation",
    "requested_in",
    "terms_of",
]
