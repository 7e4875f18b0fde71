"""Weeks, months and days on a person's clock, and sums over them that are asked once (B5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp_web.domain.figures.dashboard_spans import KEPT, Book, Span, Sums, days, months, weeks, weeks_ahead

pytestmark = pytest.mark.one_database

zones = st.sampled_from([ZoneInfo(name) for name in ("UTC", "Asia/Kolkata", "America/New_York", "Pacific/Apia")])
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(days=3650)).map(lambda later: EPOCH + later)
BERLIN = ZoneInfo("Europe/Berlin")


@given(zones, moments)
def test_spans_meet_begin_at_midnight_and_the_last_one_is_now(zone: ZoneInfo, at: datetime) -> None:
    for spans in (days(zone, at, 14), weeks(zone, at, 12), months(zone, at, 6)):
        assert all(before.end == after.start for before, after in pairwise(spans))
        assert spans[-1].start <= at < spans[-1].end
        assert all(span.start.astimezone(zone).date() == span.day for span in spans)
    assert {span.day.weekday() for span in weeks(zone, at, 12)} == {0}
    assert {span.day.day for span in months(zone, at, 6)} == {1}


@given(zones, moments)
def test_weeks_ahead_begin_now_and_end_at_the_moment(zone: ZoneInfo, at: datetime) -> None:
    until = at + timedelta(days=60)
    spans = weeks_ahead(zone, at, until)
    assert (spans[0].start, spans[-1].end) == (at, until)
    assert all(before.end == after.start for before, after in pairwise(spans))
    assert all(span.start < span.end for span in spans)


def test_a_day_has_25_hours_when_the_clock_goes_back() -> None:
    (span,) = days(BERLIN, datetime(2026, 10, 25, 12, tzinfo=UTC), 1)
    assert span.day == date(2026, 10, 25)
    assert span.end - span.start == timedelta(hours=25)


class Ledger:
    """Rows that are only ever added, and what was asked about them."""

    def __init__(self) -> None:
        self.rows: list[tuple[datetime, str, int]] = []
        self.asked: list[list[Span]] = []

    def ask(self, spans: Sequence[Span]) -> list[Sums]:
        self.asked.append(list(spans))
        found: list[Sums] = []
        for span in spans:
            sums: Sums = {}
            for at, currency, amount in self.rows:
                if span.start <= at < span.end:
                    count, total = sums.get((currency,), (0, 0))
                    sums[currency,] = count + 1, total + amount
            found.append(sums)
        return found


@given(st.lists(st.tuples(st.integers(0, 90 * 24 * 60), st.sampled_from(["USD", "EUR"]), st.integers(1, 100))), zones)
def test_the_book_says_what_the_rows_say(rows: list[tuple[int, str, int]], zone: ZoneInfo) -> None:
    at = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    ledger, book, spans = Ledger(), Book(), weeks(zone, at, 12)
    ledger.rows = [(at - timedelta(minutes=minutes), currency, amount) for minutes, currency, amount in rows]
    once = book.sums(("x", 1), zone, spans, at, ledger.ask)
    ledger.rows.append((at, "USD", 7))
    again = book.sums(("x", 1), zone, spans, at, ledger.ask)
    assert once[:-1] == again[:-1] == ledger.ask(spans)[:-1]
    assert again[-1] == ledger.ask(spans[-1:])[0]


def test_only_what_can_still_change_is_asked_again() -> None:
    at = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    ledger, book, spans = Ledger(), Book(), weeks(BERLIN, at, 12)
    book.sums(("x", 1), BERLIN, spans, at, ledger.ask)
    book.sums(("x", 1), BERLIN, spans, at + timedelta(minutes=1), ledger.ask)
    midnight = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)
    assert [len(asked) for asked in ledger.asked] == [13, 1]
    assert (ledger.asked[1][0].start, ledger.asked[1][0].end) == (midnight, spans[-1].end)
    book.sums(("x", 2), BERLIN, spans, at, ledger.ask)  # somebody else's
    assert len(ledger.asked[2]) == 13
    book.sums(("x", 1), BERLIN, spans, at + KEPT, ledger.ask)
    assert len(ledger.asked[3]) == 13


def test_a_day_that_has_just_ended_is_not_kept_yet() -> None:
    """An act that began before midnight may be stored some seconds after it."""
    midnight = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
    ledger, book = Ledger(), Book()
    for after in (1, 2):
        at = midnight + timedelta(minutes=after)
        ledger.rows.append((midnight - timedelta(seconds=after), "USD", 1))
        found = book.sums(("x", 1), BERLIN, days(BERLIN, at, 3), at, ledger.ask)
        assert found[1] == {("USD",): (after, after)}
