"""Money as whole minor units plus an ISO 4217 code (D6): no float ever holds an amount.

`to_minor` reads what machines write and is strict; `parse_amount` reads what people type and is forgiving,
except where two readings are possible. `plain` writes what both of them read back.
"""

import re
import unicodedata
from decimal import Decimal
from functools import cache

from babel.core import get_global
from babel.numbers import get_currency_precision, get_decimal_symbol

from csp_web.i18n import gettext as _

LARGEST = 2**53  # beyond this a JSON reader or a spreadsheet silently loses the last digits
_EARLIEST_YEAR = 2018  # currencies that ended before the first price sheet are not sold in

_MACHINE = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_GROUPING = re.compile(r"\d{1,3}([.,' ])(?:\d{2,3}\1)*\d{3}")  # pairs of digits as in 12,34,567
_SPACES = dict.fromkeys(map(ord, "\t\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f"), " ")
_LOOKALIKES = {
    ord("’"): "'",
    ord("‘"): "'",
    ord("ʼ"): "'",
    ord("٬"): "'",
    ord("٫"): ".",
    ord("，"): ",",
    ord("．"): ".",
}


@cache
def _currencies() -> frozenset[str]:
    return frozenset(
        currency
        for uses in get_global("territory_currencies").values()
        for currency, _start, end, tender in uses
        if tender and (end is None or end[0] >= _EARLIEST_YEAR)
    )


def known_currency(code: str) -> bool:
    """Whether `code` (upper case) is the ISO 4217 code of money that somebody pays with."""
    return code in _currencies()


@cache
def exponent(currency: str) -> int:
    """How many decimals the currency has: USD 2, JPY 0, KWD 3. Raises ValueError for an unknown currency."""
    if not known_currency(currency):
        raise ValueError(_("“%(code)s” is not a known currency code.", code=currency[:12]))
    return get_currency_precision(currency)


def to_minor(amount: str | Decimal, currency: str) -> int:
    """Minor units of a machine-written amount ("176.00" USD -> 17600); ValueError with a sentence otherwise.

    Signs, exponents, grouping, NaN and more decimals than the currency has are refused, never rounded.
    """
    text = f"{amount:f}" if isinstance(amount, Decimal) else amount.strip()
    match = _MACHINE.fullmatch(text)
    if match is None:
        raise ValueError(_("“%(text)s” is not an amount.", text=text[:40]))
    return _scaled(match[1], match[2] or "", currency)


def _scaled(whole: str, fraction: str, currency: str) -> int:
    digits = exponent(currency)
    if len(fraction) > digits:
        raise ValueError(_too_many_decimals(currency))
    if len(whole.lstrip("0")) > 16 or (minor := int(whole + fraction.ljust(digits, "0"))) > LARGEST:
        raise ValueError(_("The amount is too large."))
    return minor


def _too_many_decimals(currency: str) -> str:
    digits = exponent(currency)
    if digits == 0:
        return _("Amounts in %(currency)s have no decimals.", currency=currency)
    return _("Amounts in %(currency)s have at most %(digits)s decimals.", currency=currency, digits=digits)


def parse_amount(text: str, currency: str, locale: str) -> int:
    """Minor units of an amount that a person typed; ValueError with a sentence for the field.

    Takes the usual ways of writing ("1,234.56", "1 234,56", "1.234,56", "1'234.50", "264") whatever the
    locale, for people paste from elsewhere. What could mean two amounts ("1,234") is refused, not guessed;
    the locale only chooses how the advice is written. Every `plain` form is read back unchanged.
    """
    tidy = _ascii_digits(text.translate(_SPACES).translate(_LOOKALIKES)).strip()
    if not tidy:
        raise ValueError(_("Enter an amount."))
    if tidy[0] in "-−–(" or tidy.endswith("-"):
        raise ValueError(_("The amount cannot be negative."))
    whole, fraction = _split(tidy, currency, locale)
    if not _grouped_or_bare(whole) or not (fraction == "" or fraction.isdecimal()):
        raise ValueError(
            _("Write the amount with digits only, for example %(example)s.", example=_example(currency, locale))
        )
    return _scaled(re.sub(r"\D", "", whole), fraction, currency)


def _ascii_digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(ch)) if ch.isdecimal() else ch for ch in text)


def _split(text: str, currency: str, locale: str) -> tuple[str, str]:
    """Whole part (perhaps grouped) and decimals; the last of '.' and ',' decides, when it can only be one thing."""
    at = max(text.rfind("."), text.rfind(","))
    if at < 0 or text.count(text[at]) > 1:
        return text, ""
    whole, fraction = text[:at], text[at + 1 :]
    could_group = len(fraction) == 3 and bool(re.fullmatch(r"[1-9]\d{0,2}", whole))
    if could_group and exponent(currency) == 0:
        return text, ""
    if could_group and not (text[at] == "." and exponent(currency) == 3):  # "54.560" KWD is the plain form
        raise ValueError(_ambiguous(text, currency, locale))
    return (whole, fraction) if fraction else ("?", "")


def _grouped_or_bare(whole: str) -> bool:
    return whole.isdecimal() or bool(_GROUPING.fullmatch(whole))


def _ambiguous(text: str, currency: str, locale: str) -> str:
    point, digits = get_decimal_symbol(locale), exponent(currency)
    whole, fraction = re.split(r"[.,]", text)
    large = f"{whole}{fraction}{point}{'0' * digits}"
    small = f"{whole}{point}{fraction[:digits]}"
    return _("“%(text)s” can be read in two ways. Write %(large)s or %(small)s.", text=text, large=large, small=small)


def _example(currency: str, locale: str) -> str:
    return plain(123456, currency).replace(".", get_decimal_symbol(locale))


def plain(minor: int, currency: str) -> str:
    """The amount as form fields and exports carry it: "176.00", JPY "26400", KWD "54.560"; no grouping, no symbol."""
    digits = exponent(currency)
    if digits == 0:
        return str(minor)
    sign, text = ("-" if minor < 0 else ""), str(abs(minor)).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}"
