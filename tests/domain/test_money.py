"""D6: money is whole minor units plus an ISO currency; nothing is rounded, guessed or held as a float."""

from decimal import Decimal

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from csp_web.money import LARGEST, exponent, known_currency, parse_amount, plain, to_minor

CURRENCIES = ("USD", "EUR", "CHF", "RUB", "JPY", "KRW", "KWD", "BRL", "GBP")


@pytest.mark.parametrize(("code", "digits"), [("USD", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("RUB", 2)])
def test_exponents(code: str, digits: int) -> None:
    assert exponent(code) == digits


@pytest.mark.parametrize("code", ["", "usd", "US", "XXX", "ZZZ", "DEM", "US$", "ДОЛ", "USD "])
def test_unknown_currencies_are_refused(code: str) -> None:
    assert not known_currency(code)
    with pytest.raises(ValueError, match="known currency"):
        exponent(code)


def test_d6_an_upgraded_babel_cannot_move_the_decimal_point_of_stored_amounts() -> None:
    """Stored minor units mean another amount when an exponent changes, so this list may never change silently."""
    known = {code for uses in get_global("territory_currencies").values() for code, *_ in uses if known_currency(code)}
    three = {code for code in known if exponent(code) == 3}
    assert {"BHD", "JOD", "KWD", "OMR", "TND", "LYD"} == three
    for code in ("JPY", "KRW", "VND", "CLP", "ISK", "PYG", "UGX", "XAF", "XOF", "XPF", "IQD"):
        assert exponent(code) == 0, code
    for code in ("USD", "EUR", "GBP", "CHF", "RUB", "BRL", "TRY", "UAH", "KZT", "INR", "CNY", "HKD", "TWD"):
        assert exponent(code) == 2, code
    for code in ("MXN", "ARS", "IDR", "HUF", "CZK", "PLN", "SAR", "AED", "COP", "AMD", "UZS", "ZAR", "MYR"):
        assert exponent(code) == 2, code


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("176.00", "USD", 17600), ("176", "USD", 17600), ("0.5", "USD", 50), ("26400", "JPY", 26400),
     ("54.560", "KWD", 54560), ("54.5", "KWD", 54500), (" 1.00 ", "EUR", 100), ("0", "EUR", 0)],
)  # fmt: skip
def test_machine_amounts(text: str, currency: str, minor: int) -> None:
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1e3", "NaN", "inf", "1,5", "1 000", "1.", ".5", "0x10", "1_000", "١", "1.2.3", "1\0", "--"],
)
def test_machine_amounts_are_read_strictly(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        to_minor(text, "USD")


@pytest.mark.parametrize(("text", "currency"), [("1.234", "USD"), ("1.000", "USD"), ("1.0", "JPY"), ("1.2345", "KWD")])
def test_more_decimals_than_the_currency_has_are_refused_not_rounded(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match="decimals"):
        to_minor(text, currency)
    with pytest.raises(ValueError, match="decimals"):
        to_minor(Decimal(text), currency)


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("-0.01")])
def test_decimals_that_are_no_amount_are_refused(amount: Decimal) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        to_minor(amount, "USD")


def test_decimals_are_taken_exactly() -> None:
    assert to_minor(Decimal("19.99"), "USD") == 1999
    assert to_minor(Decimal("1E+3"), "JPY") == 1000


def test_amounts_end_where_other_programs_lose_digits() -> None:
    assert to_minor(plain(LARGEST, "USD"), "USD") == LARGEST
    for text in (plain(LARGEST + 1, "USD"), "9" * 400):
        with pytest.raises(ValueError, match="too large"):
            to_minor(text, "USD")
        with pytest.raises(ValueError, match="too large"):
            parse_amount(text, "USD", "en")


@given(st.integers(0, LARGEST), st.sampled_from(CURRENCIES), st.sampled_from(["en", "ru", "de"]))
def test_plain_is_read_back_by_both_readers(minor: int, currency: str, locale: str) -> None:
    text = plain(minor, currency)
    assert to_minor(text, currency) == minor
    assert to_minor(Decimal(text), currency) == minor
    assert parse_amount(text, currency, locale) == minor


def test_plain() -> None:
    assert plain(17600, "USD") == "176.00"
    assert plain(5, "USD") == "0.05"
    assert plain(-5, "USD") == "-0.05"
    assert plain(26400, "JPY") == "26400"
    assert plain(54560, "KWD") == "54.560"


@given(
    st.integers(1_000_00, LARGEST),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("\u00a0", ","), ("\u202f", "."), ("'", "."), ("’", ",")]),
)
def test_grouped_amounts_of_every_habit_are_read(minor: int, marks: tuple[str, str]) -> None:
    group, point = marks
    text = f"{minor // 100:,}".replace(",", group) + f"{point}{minor % 100:02}"
    assert parse_amount(text, "USD", "en") == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("264.00", "USD", 26400), ("264,00", "RUB", 26400), ("264,5", "USD", 26450), ("1 234", "USD", 123400),
     ("1,234,567", "USD", 123456700), ("12,34,567.00", "INR", 123456700), ("26,400", "JPY", 26400),
     ("26.400", "JPY", 26400), ("54.560", "KWD", 54560), ("0,123", "KWD", 123), ("1234,567", "KWD", 1234567),
     ("1.234,567", "KWD", 1234567), ("  7 ", "EUR", 700), ("٢٦٤٫٥٠", "KWD", 264500), ("２６４", "JPY", 264)],
)  # fmt: skip
def test_typed_amounts(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency, "en") == minor


@pytest.mark.parametrize(
    ("text", "currency"), [("1,234", "USD"), ("1.234", "EUR"), ("999,999", "RUB"), ("1,234", "KWD")]
)
def test_an_amount_with_two_readings_is_refused_with_both(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match="two ways"):
        parse_amount(text, currency, "en")


def test_the_advice_is_written_in_the_readers_way() -> None:
    with pytest.raises(ValueError, match=r"1234\.00 .* 1\.23\."):
        parse_amount("1,234", "USD", "en")
    with pytest.raises(ValueError, match=r"1234,00 .* 1,23"):
        parse_amount("1,234", "USD", "ru")


@pytest.mark.parametrize("text", ["", "   ", "\u00a0"])
def test_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="Enter an amount"):
        parse_amount(text, "USD", "en")


@pytest.mark.parametrize("text", ["-5", "−5", "–5", "(5)", "5-"])
def test_negative_amounts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="negative"):
        parse_amount(text, "USD", "en")


@pytest.mark.parametrize(
    "text",
    ["abc", "12a", "$5", "5 USD", "1e5", "NaN", "1..2", "1,,2", "5.", ".5", ",", "1 23", "1,23,4", "1,234.567,89",
     "1\0", "½", "💶", "1 234'567", "1.234.56", "\u202e5"],
)  # fmt: skip
def test_what_is_no_amount_gets_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"digits only, for example 1234\.56"):
        parse_amount(text, "USD", "en")


@given(st.one_of(st.text(max_size=30), st.text("0123456789., ’²½-", max_size=12)))
def test_whatever_is_typed_is_an_amount_or_a_sentence(text: str) -> None:
    answer: int | str
    try:
        answer = parse_amount(text, "USD", "en")
    except ValueError as refusal:
        answer = str(refusal)
    assert 0 <= answer <= LARGEST if isinstance(answer, int) else answer.endswith(".")
