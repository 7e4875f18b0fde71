"""How single cells of the sheets are read: each takes the stripped text, or raises ValueError with a sentence.

Values that come again and again (a title, a date) are read once.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from csp_web.domain.companies.countries import is_country
from csp_web.i18n import gettext as _
from csp_web.identifiers import parse_guid
from csp_web.money import known_currency

Value = TypeVar("Value")

_LONGEST_TEXT = 500
_PRODUCT_ID = re.compile(r"[A-Z0-9]{12}")
_SKU_ID = re.compile(r"[A-Z0-9]{4}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,15}")
_CLOCK = r"(?: +(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?)?"
_AMERICAN = re.compile(
    rf"(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})/(?P<year>\d{{4}}){_CLOCK}(?: *(?P<half>[AP])M)?",
    re.IGNORECASE | re.ASCII,
)
_DOTTED = re.compile(rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}){_CLOCK}(?P<half>)", re.ASCII)
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.IGNORECASE | re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OPEN_END = 9999
_FIRST_YEAR = 2000


def quoted(text: str) -> str:
    """What stands in the cell, short enough for a sentence."""
    return text if len(text) <= 40 else f"{text[:39]}…"


def text(value: str) -> str:
    """Text that must be there."""
    if not value:
        raise ValueError(_("This cell is empty."))
    return optional_text(value)


def optional_text(value: str) -> str:
    """Text, perhaps none."""
    if len(value) > _LONGEST_TEXT:
        raise ValueError(_("At most %(count)s characters.", count=_LONGEST_TEXT))
    return value


@lru_cache(maxsize=1024)
def tags(value: str) -> tuple[str, ...]:
    """Words between semicolons or commas, perhaps none."""
    return tuple(tag.strip() for tag in optional_text(value).replace(",", ";").split(";") if tag.strip())


def optional(read: Callable[[str], Value]) -> Callable[[str], Value | None]:
    """Read a cell that may be empty: then it is None."""

    def read_or_none(value: str) -> Value | None:
        return read(value) if value else None

    return read_or_none


def one_of(*choices: str, default: str = "") -> Callable[[str], str]:
    """Read one of a few words, in any case, as it is written here; an empty cell is the default, if there is one."""
    known = {choice.casefold(): choice for choice in choices} | ({"": default} if default else {})

    def read(value: str) -> str:
        try:
            return known[value.casefold()]
        except KeyError:
            words = ", ".join(choices)
            raise ValueError(_("“%(value)s” is not one of: %(words)s.", value=quoted(value), words=words)) from None

    return read


@lru_cache(maxsize=8192)
def product_id(value: str) -> str:
    """A product's identifier: 12 capital letters and digits. The sentence never repeats the cell: see key sheets."""
    if not _PRODUCT_ID.fullmatch(value):
        raise ValueError(_("A product ID has 12 capital letters and digits."))
    return value


@lru_cache(maxsize=8192)
def sku_id(value: str) -> str:
    """A SKU's identifier: 4 capital letters and digits; unique inside its product only."""
    if not _SKU_ID.fullmatch(value):
        raise ValueError(_("A SKU ID has 4 capital letters and digits. Keep its leading zeros."))
    return value


@lru_cache(maxsize=512)
def country(value: str) -> str:
    """A country's or market's ISO 3166 code."""
    if not is_country(value.upper()):
        raise ValueError(_("“%(value)s” is not the two-letter code of a country.", value=quoted(value)))
    return value.upper()


@lru_cache(maxsize=512)
def currency(value: str) -> str:
    """A currency's ISO 4217 code."""
    if not known_currency(value.upper()):
        raise ValueError(_("“%(value)s” is not a known currency code.", value=quoted(value)))
    return value.upper()


def whole_number(value: str) -> int:
    """A number of pieces or bytes, written in digits only."""
    if not _WHOLE_NUMBER.fullmatch(value):
        raise ValueError(_("“%(value)s” is not a whole number.", value=quoted(value)))
    return int(value)


def guid(value: str) -> UUID:
    """A GUID in hyphenated form."""
    found = parse_guid(value)
    if found is None:
        raise ValueError(_("“%(value)s” is not a GUID.", value=quoted(value)))
    return found


@lru_cache(maxsize=1024)
def moment(value: str) -> datetime:
    """A moment in UTC: "8/1/2018 12:00:00 AM" (month first), "2026-01-01T00:00:00Z" or "01.08.2018 00:00:00"."""
    found = open_ended(value) if value else None
    if found is None:
        raise ValueError(_not_a_date(value))
    return found


@lru_cache(maxsize=1024)
def open_ended(value: str) -> datetime | None:
    """A moment as `moment` reads it; None for an empty cell or the year 9999, which stand for no end."""
    plain = " ".join(value.split())  # some programs put a narrow no-break blank before AM
    if not plain:
        return None
    try:
        found = _iso(plain) if _ISO.fullmatch(plain) else _spelled(plain)
    except (ValueError, OverflowError):
        raise ValueError(_not_a_date(value)) from None
    if found.year < _FIRST_YEAR:
        raise ValueError(_not_a_date(value))
    return None if found.year >= _OPEN_END else found.astimezone(UTC)


def _iso(value: str) -> datetime:
    found = datetime.fromisoformat(value.upper())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _spelled(value: str) -> datetime:
    match = _AMERICAN.fullmatch(value) or _DOTTED.fullmatch(value)
    if match is None:
        raise ValueError
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
    return datetime(int(match["year"]), int(match["month"]), int(match["day"]), hour, minute, second, tzinfo=UTC)


def _not_a_date(value: str) -> str:
    return _(
        "“%(value)s” is not a date. Write it like 2026-01-31T00:00:00Z or 1/31/2026 12:00:00 AM.", value=quoted(value)
    )


def day(value: str) -> date:
    """A day: 2018-08-01."""
    try:
        if not _DAY.fullmatch(value):  # Python would read week dates too
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(_("“%(value)s” is not a day. Write it like 2026-01-31.", value=quoted(value))) from None
