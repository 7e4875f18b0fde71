"""A chart as a template shows it: words, figures, where they are drawn, and the same figures for a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_compact_decimal, get_currency_precision

from csp_web.i18n import format_date, format_money, format_number, language
from csp_web.i18n import gettext as _
from csp_web.web import charts
from csp_web.web.charts import Picture

PLAIN, HATCHED, DOTTED = "plain", "hatched", "dotted"  # colours help, but no picture depends on them
Draw = Callable[[charts.Series, Sequence[str], charts.Say], Picture]


@dataclass(frozen=True, slots=True)
class Series:
    """One row of figures: what they are, how they are drawn, and each of them in words."""

    name: str
    tone: str
    values: Sequence[int]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """``names`` are the places in full, for the table, whose first column is called ``first``; None draws only the table."""

    id: str
    title: str
    first: str
    names: tuple[str, ...]
    series: tuple[Series, ...]
    picture: Picture | None
    summary: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(any(each.values) for each in self.series)


@dataclass(frozen=True, slots=True)
class Axis:
    """The places of a chart: short words below the bars, full ones in the table, and what they are."""

    first: str
    short: tuple[str, ...]
    names: tuple[str, ...]


def weeks_of(days: Sequence[date]) -> Axis:
    """Weeks by their first day."""
    return Axis(_("Week from"), tuple(map(_day, days)), tuple(map(format_date, days)))


def days_of(days: Sequence[date]) -> Axis:
    """Days by their date."""
    return Axis(_("Day"), tuple(map(_day, days)), tuple(map(format_date, days)))


def months_of(days: Sequence[date]) -> Axis:
    """Months by name; the year stands in the table."""
    names = tuple(format_date(day).partition(" ")[2] for day in days)
    return Axis(_("Month"), tuple(name.partition(" ")[0] for name in names), names)


def _day(day: date) -> str:
    return format_date(day).rpartition(" ")[0]


def counted(name: str, values: Sequence[int], tone: str = PLAIN) -> Series:
    """Figures that count things."""
    return Series(name, tone, values, tuple(map(format_number, values)))


def paid(name: str, values: Sequence[int], currency: str, tone: str = PLAIN) -> Series:
    """Figures of money: minor units of one currency."""
    return Series(name, tone, values, tuple(format_money(value, currency) for value in values))


def chart(
    name: str,
    title: str,
    axis: Axis,
    series: Sequence[Series],
    draw: Draw = charts.columns,
    *,
    currency: str = "",
    drawn: bool = True,
) -> Chart:
    """Draw figures; with a currency the levels are said in its whole units."""
    values = [each.values for each in series]
    picture = draw(values, axis.short, lambda level: compact(level, currency)) if drawn else None
    return Chart(name, title, axis.first, axis.names, tuple(series), picture, _summary(axis, series))


def _summary(axis: Axis, series: Sequence[Series]) -> str:
    """What somebody who does not see the picture should know first: each series' greatest figure, and its latest."""
    said = []
    for each in series:
        if any(each.values):
            place = max(range(len(each.values)), key=lambda index: each.values[index])
            said.append(
                _(
                    "%(name)s: most at %(place)s, %(most)s; last %(last)s.",
                    name=each.name,
                    place=axis.names[place],
                    most=each.texts[place],
                    last=each.texts[-1],
                )
            )
    return " ".join(said) or _("Nothing in this time.")


def compact(level: int, currency: str = "") -> str:
    """A figure for the edge of a picture: 12K, 1.5M."""
    return _compact(level, get_currency_precision(currency) if currency else 0, language())


@lru_cache(maxsize=4096)
def _compact(level: int, digits: int, code: str) -> str:
    return format_compact_decimal(Decimal(level).scaleb(-digits), locale=code, fraction_digits=1)
