"""Languages: texts, dates, numbers and money for people (B13).

A thin layer over Babel that needs no request: the domain, the command line and mails speak the same two
languages as the pages. Catalogues are read once per process from ``translations/<language>/LC_MESSAGES/messages.po``;
patterns are cached, because formatting fifty rows through Babel costs more than the rest of the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import Locale
from babel.core import get_global
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, get_currency_precision

LANGUAGES = {"en": "English", "ru": "Русский"}
TRANSLATIONS = Path(__file__).parent / "translations"


class Place(NamedTuple):
    """Whose language and clock is spoken now."""

    language: str
    zone: tzinfo
    zone_name: str


_HOME = Place("en", UTC, "UTC")
_place: ContextVar[Place] = ContextVar("place", default=_HOME)


class Catalogue(NamedTuple):
    """The texts of one language and its rule for plurals."""

    one: dict[str, str]
    many: dict[str, tuple[str, ...]]
    plural: Any


@lru_cache
def catalogue(language: str) -> Catalogue:
    """Read the catalogue of a language; English has an empty one, for its texts are the keys."""
    path = TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return Catalogue({}, {}, lambda n: int(n != 1))
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    one: dict[str, str] = {}
    many: dict[str, tuple[str, ...]] = {}
    for message in messages:
        if not message.id or message.fuzzy:
            continue
        said = message.string or ""
        if isinstance(message.id, str):
            if said:
                one[message.id] = str(said)
        elif not isinstance(said, str) and all(said):
            many[message.id[0]] = tuple(said)
    return Catalogue(one, many, _russian_plural if language == "ru" else lambda n: int(n != 1))


def _russian_plural(n: int) -> int:
    """1 файл, 2 файла, 5 файлов."""
    if n % 10 == 1 and n % 100 != 11:
        return 0
    if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14:
        return 1
    return 2


class Said(str):
    """A text that knows how it was said: kept in the database it can be said in another language (``csp_web.said``)."""

    __slots__ = ("how",)
    how: tuple[Any, ...]

    def __new__(cls, text: str, *how: Any) -> Said:
        """``how``: a kind that ``csp_web.said`` knows, and what it was said of."""
        said = str.__new__(cls, text)
        said.how = how
        return said

    def __str__(self) -> str:
        return self


def translate(message: str, /, **values: Any) -> str:
    """Say a text in the language in force as a plain string, for templates: what they say is never kept."""
    text = catalogue(_place.get().language).one.get(message, message)
    return text % values if values else text


def gettext(message: str, /, **values: Any) -> str:
    """Say a text in the language in force; ``%(name)s`` are filled from the values."""
    return Said(translate(message, **values), "text", message, values)


def ngettext(singular: str, plural: str, number: int, /, **values: Any) -> str:
    """Say a text with a number in it (``%(num)s``), in the form that the number asks for."""
    text = plural_form(singular, plural, number) % {"num": format_number(number), **values}
    return Said(text, "plural", singular, plural, number, values)


def plural_form(singular: str, plural: str, number: int) -> str:
    """The form of a text that a number asks for, its placeholders not filled."""
    spoken = catalogue(_place.get().language)
    forms = spoken.many.get(singular)
    if forms is None:
        return singular if abs(number) == 1 else plural
    return forms[min(spoken.plural(abs(number)), len(forms) - 1)]


class LazyText:
    """A text that is translated when it is shown, for what is written at import time."""

    __slots__ = ("message", "values")

    def __init__(self, message: str, **values: Any) -> None:
        self.message = message
        self.values = values

    def __str__(self) -> str:
        return gettext(self.message, **self.values)

    def __html__(self) -> str:
        from markupsafe import escape

        return str(escape(str(self)))

    def __repr__(self) -> str:
        return f"LazyText({self.message!r})"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(self.message)

    def __mod__(self, values: Any) -> str:
        return str(self) % values

    def __add__(self, other: Any) -> str:
        return str(self) + str(other)

    def __len__(self) -> int:
        return len(str(self))


def lazy_gettext(message: str, /, **values: Any) -> Any:
    """A text that is translated when it is shown."""
    return LazyText(message, **values)


def N_(message: str) -> str:  # noqa: N802 -- the customary name of the marker that pybabel looks for
    """Mark a text for translation where it is written; it is translated where it is used."""
    return message


def language() -> str:
    """The language in force: ``en`` or ``ru``."""
    return _place.get().language


def locale() -> Locale:
    """Babel's locale of the language in force."""
    return _locale(_place.get().language)


@lru_cache
def _locale(code: str) -> Locale:
    return Locale.parse(code)


def zone_name() -> str:
    """The time zone in force, as an IANA name."""
    return _place.get().zone_name


@lru_cache(maxsize=512)
def known_zone(name: str | None) -> bool:
    """Whether an IANA time zone of this name exists."""
    return bool(name) and name in available_timezones()


@lru_cache(maxsize=512)
def _place_of(code: str, zone: str) -> Place:
    try:
        return Place(code if code in LANGUAGES else "en", UTC if zone == "UTC" else ZoneInfo(zone), zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Place(code if code in LANGUAGES else "en", UTC, "UTC")


def set_place(code: str, zone: str = "UTC") -> None:
    """Speak this language and this clock from now on in this request or thread."""
    _place.set(_place_of(code, zone or "UTC"))


@contextmanager
def use_place(code: str, zone: str = "UTC") -> Iterator[None]:
    """Speak a language and a clock for a while: a mail in the recipient's language, a test."""
    token = _place.set(_place_of(code, zone or "UTC"))
    try:
        yield
    finally:
        _place.reset(token)


# Looked up instead of formatted: a list of fifty rows says two hundred instants.
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))


@lru_cache
def _months(code: str) -> tuple[str, ...]:
    names = _locale(code).months["format"]["abbreviated"]
    return ("", *(names[month] for month in range(1, 13)))


def format_date(moment: date | datetime | None) -> str:
    """The day of a moment on the user's clock: 22 Nov 2026."""
    return "" if moment is None else Said(plain_date(moment), "date", moment)


def plain_date(moment: date | datetime | None) -> str:
    """``format_date`` for templates."""
    if moment is None:
        return ""
    place = _place.get()
    day = moment.astimezone(place.zone) if isinstance(moment, datetime) else moment
    return f"{day.day} {_months(place.language)[day.month]} {day.year}"


def format_datetime(moment: datetime | None) -> str:
    """A moment on the user's clock, to the minute: 22 Nov 2026, 16:31."""
    return "" if moment is None else Said(plain_datetime(moment), "datetime", moment)


def plain_datetime(moment: datetime | None) -> str:
    """``format_datetime`` for templates."""
    if moment is None:
        return ""
    place = _place.get()
    local = moment.astimezone(place.zone)
    clock = f"{_TWO_DIGITS[local.hour]}:{_TWO_DIGITS[local.minute]}"
    return f"{local.day} {_months(place.language)[local.month]} {local.year}, {clock}"


def format_utc(moment: datetime | None) -> str:
    """A moment in UTC, to the second (D1): 2026-11-22 16:31:07 UTC."""
    return "" if moment is None else f"{format_second(moment)} UTC"


def format_second(moment: datetime) -> str:
    """A moment in UTC, to the second; with a Z behind it machines read it: 2026-11-22 16:31:07."""
    at = moment.astimezone(UTC)
    day = f"{at.year:04}-{_TWO_DIGITS[at.month]}-{_TWO_DIGITS[at.day]}"
    return f"{day} {_TWO_DIGITS[at.hour]}:{_TWO_DIGITS[at.minute]}:{_TWO_DIGITS[at.second]}"


def format_number(number: int | Decimal) -> str:
    """A number with the separators of the language."""
    if isinstance(number, int) and -1000 < number < 1000:
        return str(number)
    return _decimal(number, _place.get().language)


@lru_cache(maxsize=4096)
def _decimal(number: int | Decimal, code: str) -> str:
    return format_decimal(number, locale=code)


def format_money(amount: int, currency: str) -> str:
    """Money: whole minor units and an ISO currency (D6), as the language writes it."""
    return Said(plain_money(amount, currency), "money", amount, currency)


def plain_money(amount: int, currency: str) -> str:
    """``format_money`` for templates."""
    return _money(amount, currency, _place.get().language)


@lru_cache(maxsize=16384)
def _money(amount: int, currency: str, code: str) -> str:
    digits = get_currency_precision(currency)
    return format_currency(Decimal(amount).scaleb(-digits), currency, locale=code)


_UNITS = {"en": ("", "KB", "MB", "GB", "TB"), "ru": ("", "КБ", "МБ", "ГБ", "ТБ")}


def format_size(size: int) -> str:
    """A file's size in bytes, rounded as people read it: 5.4 MB."""
    code = _place.get().language
    units = _UNITS[code]
    value, step = Decimal(size), 0
    while value >= 1000 and step < len(units) - 1:
        value, step = value / 1000, step + 1
    if not step:
        return Said(str(ngettext("%(num)s byte", "%(num)s bytes", size)), "size", size)
    shown = format_decimal(value.quantize(Decimal("0.1")), locale=code)
    return Said(f"{shown} {units[step]}", "size", size)


def format_left(left: timedelta) -> str:
    """Time left in days and hours, hours and minutes on the last day, minutes in the last hour (B5); nothing below zero."""
    code = _place.get().language
    days, hours, minutes = left.days, left.seconds // 3600, left.seconds // 60 % 60
    if days > 0:
        return f"{_days(days, code)} {_hours(hours, code)}"
    if days < 0:
        hours = minutes = 0
    return f"{_hours(hours, code)} {_minutes(minutes, code)}" if hours else _minutes(minutes, code)


@lru_cache(maxsize=4096)
def _days(number: int, _code: str) -> str:
    return ngettext("%(num)s day", "%(num)s days", number)


@lru_cache
def _hours(number: int, _code: str) -> str:
    return ngettext("%(num)s hour", "%(num)s hours", number)


@lru_cache
def _minutes(number: int, _code: str) -> str:
    return ngettext("%(num)s minute", "%(num)s minutes", number)


def territory_currencies() -> Any:
    """Babel's table of the currencies of every territory."""
    return get_global("territory_currencies")
