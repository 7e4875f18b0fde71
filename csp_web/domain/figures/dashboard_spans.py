"""Weeks, months and days on a person's clock, as instants; and sums over them that are not counted twice (B5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SETTLED = timedelta(minutes=10)  # after its end nothing that was under way writes into a span any more
KEPT = timedelta(minutes=15)
MOST_KEPT = 20_000

Sums = dict[tuple[Any, ...], tuple[int, ...]]  # figures by what they are grouped by: (currency,), (product,), ()
Ask = Callable[[Sequence["Span"]], Sequence[Sums]]  # one statement for all of the spans


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant up to, not including, another; ``day`` is the first day on the person's clock."""

    start: datetime
    end: datetime
    day: date


def days(zone: ZoneInfo, at: datetime, count: int) -> tuple[Span, ...]:
    """The last days, today the last of them."""
    today = at.astimezone(zone).date()
    return _spans(zone, [today + timedelta(days=number) for number in range(1 - count, 2)])


def weeks(zone: ZoneInfo, at: datetime, count: int) -> tuple[Span, ...]:
    """The last weeks, from Monday, this one the last of them."""
    today = at.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    return _spans(zone, [monday + timedelta(weeks=number) for number in range(1 - count, 2)])


def weeks_ahead(zone: ZoneInfo, at: datetime, until: datetime) -> tuple[Span, ...]:
    """From now on to a moment, a span per calendar week; the first and the last may be shorter."""
    today = at.astimezone(zone).date()
    monday, spans = today - timedelta(days=today.weekday()), []
    while (begin := _midnight(zone, monday)) < until:
        monday += timedelta(weeks=1)
        start = max(begin, at)
        spans.append(Span(start, min(_midnight(zone, monday), until), start.astimezone(zone).date()))
    return tuple(spans)


def months(zone: ZoneInfo, at: datetime, count: int) -> tuple[Span, ...]:
    """The last months, this one the last of them."""
    today = at.astimezone(zone).date()
    number = today.year * 12 + today.month - 1
    return _spans(zone, [date(each // 12, each % 12 + 1, 1) for each in range(number - count + 1, number + 2)])


def _spans(zone: ZoneInfo, edges: Sequence[date]) -> tuple[Span, ...]:
    marks = [_midnight(zone, day) for day in edges]
    return tuple(Span(*pair) for pair in zip(marks, marks[1:], edges, strict=False))


def _midnight(zone: ZoneInfo, day: date) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


@dataclass(slots=True)
class Book:
    """Sums over spans that are over, kept for a quarter of an hour: what was ordered last week does not change.

    Only the span that runs, cut at the last midnight, is counted anew for every page, so a page is never behind. It is
    for rows that are only ever added, with the present moment on them.
    """

    _kept: dict[tuple[Any, ...], tuple[datetime, Sums]] = field(default_factory=dict)

    def sums(self, what: tuple[Any, ...], zone: ZoneInfo, spans: Sequence[Span], at: datetime, ask: Ask) -> list[Sums]:
        """The sums of every span. ``what`` names the figures and whose they are; at most one call of ``ask``."""
        midnight = _midnight(zone, (at - SETTLED).astimezone(zone).date())
        pieces = [list(_pieces(span, midnight)) for span in spans]
        found = {piece: self._known(what, piece, at) for parts in pieces for piece in parts}
        missing = [piece for piece, sums in found.items() if sums is None]
        for piece, sums in zip(missing, ask(missing) if missing else (), strict=True):
            found[piece] = sums
            self._keep(what, piece, at, sums)
        return [_added(found[piece] or {} for piece in parts) for parts in pieces]

    def _known(self, what: tuple[Any, ...], piece: Span, at: datetime) -> Sums | None:
        kept_at, sums = self._kept.get((*what, piece.start, piece.end), (None, None))
        return sums if kept_at is not None and kept_at <= at < kept_at + KEPT else None

    def _keep(self, what: tuple[Any, ...], piece: Span, at: datetime, sums: Sums) -> None:
        if piece.end + SETTLED <= at:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[(*what, piece.start, piece.end)] = at, sums


def _pieces(span: Span, midnight: datetime) -> Iterator[Span]:
    if span.start < midnight < span.end:
        yield Span(span.start, midnight, span.day)
        yield Span(midnight, span.end, span.day)
    else:
        yield span


def _added(parts: Iterator[Sums]) -> Sums:
    total: Sums = {}
    for part in parts:
        for key, figures in part.items():
            before = total.get(key, (0,) * len(figures))
            total[key] = tuple(map(sum, zip(before, figures, strict=True)))
    return total


__all__ = ["Book", "Span", "Sums", "days", "months", "weeks", "weeks_ahead"]
