"""Lists and policies that are in force from one instant to another, one at a time for a product type (D8).

What is shipped has no dates until the operator gives it some. A change never reaches into the past: what was ordered
under the old rule stays explainable.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import TypeVar

from sqlalchemy import or_
from sqlalchemy.sql.elements import ColumnElement

from csp_web.db import now
from csp_web.errors import Invalid, Refused
from csp_web.i18n import format_utc
from csp_web.i18n import gettext as _
from csp_web.models import CancellationPolicy, MarketSet

Dated = TypeVar("Dated", MarketSet, CancellationPolicy)


def in_force(model: type[MarketSet] | type[CancellationPolicy], at: datetime) -> ColumnElement[bool]:
    """The condition that a row is in force at an instant (half open)."""
    return (model.in_force_from <= at) & or_(model.in_force_to.is_(None), model.in_force_to > at)


def is_in_force(row: MarketSet | CancellationPolicy, at: datetime) -> bool:
    """Whether a row is in force at an instant (half open)."""
    begun = row.in_force_from is not None and row.in_force_from <= at
    return begun and (row.in_force_to is None or at < row.in_force_to)


def first_instant(day: date) -> datetime:
    """When a change of that day takes effect: at 0:00 UTC, today at once.

    Raises:
        Invalid: the day is over; the past is not rewritten.
    """
    at = now()
    if day < at.astimezone(UTC).date():
        raise Invalid(
            {"day": _("This day is over. Choose today or a later day; what was ordered before stays as it is.")}
        )
    return max(at, datetime.combine(day, time(), UTC))


def begin(row: Dated, others: Iterable[Dated], at: datetime) -> None:
    """Put a row in force from an instant on; the one that was in force ends there.

    One that begins later still does: then the new one ends when that one begins.

    Raises:
        Refused: the row is in force already.
    """
    if is_in_force(row, at):
        raise Refused(_("This has been in force since %(moment)s.", moment=format_utc(row.in_force_from)))
    row.in_force_from, row.in_force_to = at, None
    for other in others:
        if other is row or other.in_force_from is None:
            continue
        if other.in_force_from > at:
            row.in_force_to = min(row.in_force_to or other.in_force_from, other.in_force_from)
        elif is_in_force(other, at):
            other.in_force_to = at


def finish(row: MarketSet | CancellationPolicy, at: datetime) -> None:
    """End a row at an instant; one that would begin then or later never begins.

    Raises:
        Refused: it is not in force then anyway.
    """
    if row.in_force_from is None or (row.in_force_to is not None and row.in_force_to <= at):
        raise Refused(_("This is not in force on that day."))
    if row.in_force_from >= at:
        row.in_force_from = row.in_force_to = None
    else:
        row.in_force_to = at
