"""May a purchased line be cancelled, until when, and if not, why not (R32, R34, D1, B5, B6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import ColumnElement, ScalarSelect, literal_column, select

from csp_web.db import session
from csp_web.domain.sales.policies import window_in_words
from csp_web.i18n import format_datetime, format_utc
from csp_web.i18n import gettext as _
from csp_web.models import (
    Cancellation,
    CancellationState,
    KeyAssignment,
    ProductType,
    Subscription,
    SubscriptionStatus,
    Ticket,
)

HOUR = timedelta(hours=1)
NO_TIME = timedelta(0)


class Line(Protocol):
    """What decides about a line: a subscription, or a row of a list that has these columns."""

    @property
    def status(self) -> SubscriptionStatus: ...
    @property
    def cancelled_at(self) -> datetime | None: ...
    @property
    def product_type(self) -> ProductType: ...
    @property
    def ordered_at(self) -> datetime: ...
    @property
    def cancel_until(self) -> datetime | None: ...


class CancellationTerms(NamedTuple):
    """Whether a line may be cancelled at an instant; if not, ``reason`` and ``rule`` say why (B5, B6).

    ``until`` is the first instant at which it is refused (half open, D1), ``left`` the time until then, ``ticket``
    the number of the ticket in which the cancellation was requested already.
    """

    may: bool
    until: datetime | None
    left: timedelta
    reason: str = ""
    rule: str = ""
    ticket: str = ""


def cancellation_terms(subscription: Subscription, at: datetime) -> CancellationTerms:
    """Whether the partner may request the cancellation of a subscription at an instant."""
    terms = terms_of(subscription, at, requested_in=requested_in(subscription))
    if terms.may and subscription.policy_terms.get("requires_key_unseen") and _key_was_shown(subscription):
        reason = _("Under its terms of purchase it can be cancelled only while no key has been shown.")
        return terms._replace(may=False, reason=reason, rule="D8")
    return terms


def _key_was_shown(subscription: Subscription) -> bool:
    shown = select(KeyAssignment.id).where(
        KeyAssignment.subscription_id == subscription.id, KeyAssignment.first_shown_at.is_not(None)
    )
    return session.scalar(shown.limit(1)) is not None


def terms_of(line: Line, at: datetime, *, requested_in: str = "") -> CancellationTerms:
    """The same from a row alone; ``requested_in`` is the ticket of a cancellation not yet decided."""
    over = line.status is SubscriptionStatus.CANCELLED
    terms = terms_without_words(line.product_type, line.cancel_until, at, over=over, requested_in=requested_in)
    return terms if terms.may else terms._replace(reason=_reason(terms, line))


def terms_without_words(
    kind: ProductType, until: datetime | None, at: datetime, *, over: bool, requested_in: str
) -> CancellationTerms:
    """The same without the reason, for lists of fifty lines; ``over``: the line is cancelled."""
    if over:
        return CancellationTerms(False, until, NO_TIME, rule="R30")
    if requested_in:
        left = max(until - at, NO_TIME) if until else NO_TIME
        return CancellationTerms(False, until, left, rule="D5", ticket=requested_in)
    if kind is ProductType.RESERVATION or until is None:
        return CancellationTerms(False, None, NO_TIME, rule="D8")
    if at >= until:
        return CancellationTerms(False, until, NO_TIME, rule="R34")
    return CancellationTerms(True, until, until - at)


def _reason(terms: CancellationTerms, line: Line) -> str:
    if terms.rule == "R30":
        return _("This was cancelled on %(date)s.", date=format_datetime(line.cancelled_at))
    if terms.rule == "D5":
        return _("Its cancellation was requested in ticket %(number)s.", number=terms.ticket)
    if terms.until is not None:
        return _ended(line.ordered_at, terms.until)
    if line.product_type is ProductType.RESERVATION:
        return _(
            "Azure reservations have a cancellation policy of their own. Ask support with a request of another type."
        )
    return _("Under its terms of purchase it cannot be cancelled.")


def _ended(ordered_at: datetime, until: datetime) -> str:
    return _(
        "The right to cancel ended on %(date)s (%(utc)s), %(window)s after the purchase.",
        date=format_datetime(until),
        utc=format_utc(until),
        window=window_in_words((until - ordered_at) // HOUR),
    )


def requested_in(subscription: Subscription) -> str:
    """The number of the ticket in which the cancellation was requested and is not decided; empty if none."""
    statement = select(Ticket.number).join(Cancellation, Cancellation.ticket_id == Ticket.id)
    return session.scalar(statement.where(*_undecided(subscription.id))) or ""


def number_of_request(subscription_id: ColumnElement[int]) -> ScalarSelect[str]:
    """The same as a column of a list."""
    numbers = select(_ticket.number).join_from(
        Ticket.__table__, Cancellation.__table__, _cancellation.ticket_id == _ticket.id
    )
    return numbers.where(*_undecided(subscription_id)).scalar_subquery()


def _undecided(subscription_id: ColumnElement[int] | int) -> tuple[ColumnElement[bool], ...]:
    return (
        _cancellation.subscription_id == subscription_id,
        _cancellation.state == CancellationState.REQUESTED,
        _cancellation.state != literal_column("'declined'"),  # word for word the condition of the index, for SQLite
    )


_cancellation, _ticket = Cancellation.__table__.c, Ticket.__table__.c
