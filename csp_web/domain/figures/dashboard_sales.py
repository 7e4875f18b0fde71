"""What was ordered, given back and may still be cancelled, over weeks and months, per currency (B5, D6, D9).

Money of different currencies is never added. Every function takes one statement, less what the book remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, func, literal, literal_column, select, union_all

from csp_web.db import read
from csp_web.domain.access.actors import Actor
from csp_web.domain.figures.dashboard_spans import Book, Span, Sums, weeks_ahead
from csp_web.models import AccountEntry, Customer, Order, Product, Subscription

WEEKS, MONTHS = 12, 6
DEADLINES_WITHIN = timedelta(days=60)
TOP = 6
NEWEST = 500  # customers among whom those without an order are looked for
SHOWN = 8
_line = Subscription.__table__.c
_One = Callable[[int, Span], Select[*tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Clock:
    """Whose figures, at which moment, on whose clock, and the book in which they are kept."""

    actor: Actor
    at: datetime
    book: Book

    @property
    def zone(self) -> ZoneInfo:
        """The person's time zone."""
        return ZoneInfo(self.actor.time_zone)


def orders_placed(clock: Clock, spans: Sequence[Span]) -> list[int]:
    """How many orders were placed in each span."""

    def one(place: int, span: Span) -> Select[*tuple[Any, ...]]:
        found = select(literal(place), func.count()).select_from(Order)
        return found.where(
            Order.partner_id == clock.actor.partner_id, Order.placed_at >= span.start, Order.placed_at < span.end
        )

    sums = clock.book.sums(("orders", clock.actor.partner_id), clock.zone, spans, clock.at, per_span(one, keys=0))
    return [found.get((), (0,))[0] for found in sums]


def ordered_money(clock: Clock, spans: Sequence[Span]) -> dict[str, list[int]]:
    """What was ordered in each span, minor units by currency; cancelled lines included, for they were ordered."""
    total = func.sum(_line.total)
    sums = _sold(clock, spans, "money", (_line.currency,), total)
    return _by_key(sums)


def refunded_money(clock: Clock, spans: Sequence[Span]) -> dict[str, list[int]]:
    """What was given back in each span, minor units by currency, positive (D6)."""

    def one(place: int, span: Span) -> Select[*tuple[Any, ...]]:
        found = select(literal(place), AccountEntry.currency, func.sum(-AccountEntry.amount))
        return found.where(
            AccountEntry.kind == literal_column("'refund'"),  # word for word the condition of the index
            AccountEntry.partner_id == clock.actor.partner_id,
            AccountEntry.at >= span.start,
            AccountEntry.at < span.end,
        ).group_by(AccountEntry.currency)

    what = ("refunds", clock.actor.partner_id)
    return _by_key(clock.book.sums(what, clock.zone, spans, clock.at, per_span(one, keys=1)))


def top_products(clock: Clock, spans: Sequence[Span]) -> list[tuple[str, int]]:
    """The products of which most was ordered in these spans together: title and quantity. Two statements."""
    sums = _sold(clock, spans, "products", (_line.product_id,), func.sum(_line.quantity))
    quantities = {product: sum(row) for product, row in _by_key(sums).items()}
    best = sorted(quantities, key=lambda product: (-quantities[product], product))[:TOP]
    found: Iterable[Any] = read(select(Product.id, Product.title).where(Product.id.in_(best)))
    titles = dict(map(tuple, found))
    return [(titles[product], quantities[product]) for product in best]


def _sold(clock: Clock, spans: Sequence[Span], name: str, keys: tuple[Any, ...], figure: Any) -> list[Sums]:
    def one(place: int, span: Span) -> Select[*tuple[Any, ...]]:
        found = select(literal(place), *keys, figure).group_by(*keys)
        return found.where(
            _line.partner_id == clock.actor.partner_id, _line.ordered_at >= span.start, _line.ordered_at < span.end
        )

    what = (name, clock.actor.partner_id)
    return clock.book.sums(what, clock.zone, spans, clock.at, per_span(one, keys=len(keys)))


def deadlines_ahead(clock: Clock) -> tuple[tuple[Span, ...], list[int]]:
    """Order lines whose right to cancel ends, by week, within 60 days: all of them less the cancelled ones."""
    spans = weeks_ahead(clock.zone, clock.at, clock.at + DEADLINES_WITHIN)

    def one(place: int, span: Span) -> Select[*tuple[Any, ...]]:
        ends = (
            _line.partner_id == clock.actor.partner_id,
            _line.cancel_until > span.start,
            _line.cancel_until <= span.end,
        )
        gone = _line.status == literal_column("'cancelled'")  # word for word the condition of the index
        cancelled = select(func.count()).select_from(Subscription).where(*ends, gone).scalar_subquery()
        return select(literal(place), func.count() - cancelled).select_from(Subscription).where(*ends)

    return spans, [found.get((), (0,))[0] for found in per_span(one, keys=0)(spans)]


def customers_without_orders(actor: Actor) -> Sequence[Row[*tuple[Any, ...]]]:
    """Of the newest customers those who have bought nothing yet. Rows: uuid, company_name, created_at."""
    newest = (
        select(Customer.id, Customer.uuid, Customer.company_name, Customer.created_at)
        .where(Customer.partner_id == actor.partner_id)
        .order_by(Customer.id.desc())
        .limit(NEWEST)
        .subquery()
    )
    bought = select(Subscription.id).where(Subscription.customer_id == newest.c.id)
    chosen = select(newest.c.uuid, newest.c.company_name, newest.c.created_at).where(~bought.exists())
    return read(chosen.order_by(newest.c.id.desc()).limit(SHOWN)).all()


def per_span(one: _One, *, keys: int) -> Callable[[Sequence[Span]], list[Sums]]:
    """Ask for all spans in one statement, each part a range of an index. Columns: place, keys, figures."""

    def ask(spans: Sequence[Span]) -> list[Sums]:
        found: list[Sums] = [{} for _span in spans]
        for row in read(union_all(*(one(place, span) for place, span in enumerate(spans)))):
            found[row[0]][tuple(row[1 : keys + 1])] = tuple(int(figure or 0) for figure in row[keys + 1 :])
        return found

    return ask


def _by_key(sums: Sequence[Sums]) -> dict[Any, list[int]]:
    """Figures per key over all spans, those of the most spans first: sums of two currencies do not compare."""
    keys = {key for found in sums for key in found}
    rows = {key[0]: [found.get(key, (0,))[0] for found in sums] for key in keys}
    return dict(sorted(rows.items(), key=lambda item: (-sum(map(bool, item[1])), str(item[0]))))
