"""Which pictures each role's start page has: a few that help it to act today (B5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Row

from csp_web.blueprints.home.charts import (
    DOTTED,
    HATCHED,
    Axis,
    Chart,
    Series,
    chart,
    counted,
    days_of,
    months_of,
    paid,
    weeks_of,
)
from csp_web.domain.figures import dashboard_sales as sales
from csp_web.domain.figures import dashboard_tickets as tickets
from csp_web.domain.figures import dashboard_watch as watch
from csp_web.domain.figures.dashboard_sales import Clock
from csp_web.domain.figures.dashboard_spans import days, months, weeks
from csp_web.i18n import gettext as _
from csp_web.models import Impact, Role
from csp_web.web import charts

MOST_CURRENCIES = 2  # that are drawn; the others are told in tables
STACKED = partial(charts.columns, stacked=True)


@dataclass(frozen=True, slots=True)
class Panel:
    """A titled box with one chart or one per currency, and the list that tells more."""

    id: str
    title: str
    charts: Sequence[Chart]
    endpoint: str = ""
    more: str = ""
    share: tuple[int, int] | None = None  # so many of so many, for a meter


def pictures(clock: Clock) -> list[Panel]:
    """The boxes for all roles of a person, none of them twice."""
    roles = clock.actor.roles
    makers = [maker for role in Role if role in roles for maker in _PICTURES[role]]
    if Role.ADMIN_AGENT in roles:
        makers = [maker for maker in makers if maker is not _orders_per_month]
    return [panel for maker in dict.fromkeys(makers) for panel in maker(clock)]


def _orders_per_week(clock: Clock) -> Iterator[Panel]:
    spans = weeks(clock.zone, clock.at, sales.WEEKS)
    axis = weeks_of([span.day for span in spans])
    placed = counted(_("Orders"), sales.orders_placed(clock, spans))
    yield Panel("orders-per-week", _("Orders per week"), [chart("orders", _("Orders per week"), axis, [placed])])


def _money_per_week(clock: Clock) -> Iterator[Panel]:
    spans = weeks(clock.zone, clock.at, sales.WEEKS)
    axis = weeks_of([span.day for span in spans])
    money = sales.ordered_money(clock, spans)
    parts = {currency: [paid(_("Ordered"), values, currency)] for currency, values in money.items()}
    yield from _per_currency("ordered", _ordered_title, axis, parts)


def _ordered_title(currency: str) -> str:
    return _("Ordered per week, %(currency)s", currency=currency)


def _deadlines(clock: Clock) -> Iterator[Panel]:
    spans, lines = sales.deadlines_ahead(clock)
    axis = weeks_of([span.day for span in spans])
    drawn = chart("deadlines-ahead", _("Lines"), axis, [counted(_("Lines"), lines)])
    title = _("Rights to cancel that end within 60 days")
    yield Panel("deadlines-by-week", title, [drawn], "software.everything", _("All software"))


def _orders_per_month(clock: Clock) -> Iterator[Panel]:
    spans = months(clock.zone, clock.at, sales.MONTHS)
    placed = counted(_("Orders"), sales.orders_placed(clock, spans))
    drawn = chart("orders-per-month", _("Orders"), months_of([span.day for span in spans]), [placed])
    yield Panel("orders-per-month", _("Orders per month"), [drawn])


def _top_products(clock: Clock) -> Iterator[Panel]:
    found = sales.top_products(clock, weeks(clock.zone, clock.at, sales.WEEKS))
    names = tuple(title for title, _quantity in found)
    axis = Axis(_("Product"), names, names)
    ordered = counted(_("Quantity"), [quantity for _title, quantity in found])
    drawn = chart("top-products", _("Quantity"), axis, [ordered], charts.rows)
    yield Panel("products-ordered", _("Most ordered in 12 weeks"), [drawn])


def _money_per_month(clock: Clock) -> Iterator[Panel]:
    spans = months(clock.zone, clock.at, sales.MONTHS)
    axis = months_of([span.day for span in spans])
    ordered, refunded = sales.ordered_money(clock, spans), sales.refunded_money(clock, spans)
    nothing = [0] * len(spans)
    parts = {
        currency: [
            paid(_("Ordered"), ordered.get(currency, nothing), currency),
            paid(_("Refunded"), refunded.get(currency, nothing), currency, HATCHED),
        ]
        for currency in {**ordered, **refunded}
    }
    yield from _per_currency("account", _account_title, axis, parts)


def _account_title(currency: str) -> str:
    return _("Ordered and refunded per month, %(currency)s", currency=currency)


def _per_currency(
    name: str, title: Callable[[str], str], axis: Axis, parts: Mapping[str, Sequence[Series]]
) -> Iterator[Panel]:
    """A box for each of the first currencies, and one table of the others: money of two currencies is never added (D6)."""
    drawn = list(parts)[:MOST_CURRENCIES]
    for currency in drawn:
        picture = chart(f"{name}-{currency}", title(currency), axis, parts[currency], currency=currency)
        yield Panel(f"{name}-in-{currency}", title(currency), [picture])
    others = [
        replace(series, name=f"{series.name}, {currency}")
        for currency in parts
        if currency not in drawn
        for series in parts[currency]
    ]
    if others:
        told = chart(f"{name}-others", _("Other currencies"), axis, others, drawn=False)
        yield Panel(f"{name}-in-others", _("Other currencies"), [told])


def _own_queue(clock: Clock) -> Iterator[Panel]:
    waits_for_us, waits_for_support = tickets.own_queue(clock.actor, clock.at)
    ages = (_("Less than a day"), _("1 to 3 days"), _("3 to 7 days"), _("More than 7 days"))
    parts = [counted(_("Attention needed"), waits_for_us, HATCHED), counted(_("Open"), waits_for_support)]
    drawn = chart("own-queue", _("Support requests"), Axis(_("Last change"), ages, ages), parts, charts.rows)
    yield Panel("queue-by-age", _("Own support requests by age"), [drawn], "tickets.index", _("All support requests"))


def _acts(clock: Clock) -> Iterator[Panel]:
    spans = days(clock.zone, clock.at, watch.DAYS)
    done, refused = zip(*watch.acts(clock, spans), strict=True)
    lines = [counted(_("Done"), done), counted(_("Refused"), refused, HATCHED)]
    drawn = chart("acts", _("Acts"), days_of([span.day for span in spans]), lines, charts.line)
    yield Panel("acts-per-day", _("Acts per day"), [drawn], "audit.index", _("Activity log"))


def _queue_by_clock(clock: Clock) -> Iterator[Panel]:
    found = tickets.queue_by_clock(clock.at)
    names = {Impact.CRITICAL: _("Critical"), Impact.MODERATE: _("Moderate"), Impact.MINIMAL: _("Minimal")}
    overdue, due, answered = ([found[impact][place] for impact in names] for place in range(3))
    parts = [
        counted(_("Answer overdue"), overdue, HATCHED),
        counted(_("Answer due"), due),
        counted(_("Answered"), answered, DOTTED),
    ]
    axis = Axis(_("Impact"), tuple(names.values()), tuple(names.values()))
    drawn = chart("queue-clock", _("Open requests"), axis, parts, charts.rows)
    yield Panel("queue-by-impact", _("Queue by impact"), [drawn], "tickets.index", _("All support requests"))


def _answers(clock: Clock) -> Iterator[Panel]:
    spans = weeks(clock.zone, clock.at, tickets.WEEKS)
    in_time, late = zip(*tickets.answers_given(clock, spans), strict=True)
    parts: list[Series] = [counted(_("In time"), in_time), counted(_("Late"), late, HATCHED)]
    drawn = chart("answers", _("First answers"), weeks_of([span.day for span in spans]), parts, STACKED)
    given = sum(in_time) + sum(late)
    yield Panel("answers-given", _("First answers per week"), [drawn], share=(sum(in_time), given) if given else None)


def stock(pools: Sequence[Row[*tuple[Any, ...]]]) -> Panel:
    """Free keys by pool; pools at or below their warning level are drawn apart."""
    names = tuple(
        pool.product_title if pool.product_title.startswith(pool.version) else f"{pool.product_title}, {pool.version}"
        for pool in pools
    )
    low = [pool.free if pool.free <= pool.low_at else 0 for pool in pools]
    enough = [pool.free if pool.free > pool.low_at else 0 for pool in pools]
    parts = [counted(_("Low"), low, HATCHED), counted(_("Enough"), enough)]
    drawn = chart("free-keys", _("Free keys"), Axis(_("Stock of keys"), names, names), parts, charts.rows)
    return Panel("free-keys", _("Free keys"), [drawn], "admin.keys", _("Keys"))


_PICTURES: dict[Role, tuple[Callable[[Clock], Iterator[Panel]], ...]] = {
    Role.ADMIN_AGENT: (_orders_per_week, _deadlines, _money_per_week),
    Role.SALES_AGENT: (_orders_per_month, _top_products),
    Role.HELPDESK_AGENT: (_own_queue,),
    Role.BILLING_ADMIN: (_money_per_month,),
    Role.AUDITOR: (_acts,),
    Role.SUPPORT_AGENT: (_queue_by_clock, _answers),
    Role.OPERATOR_ADMIN: (),
}
