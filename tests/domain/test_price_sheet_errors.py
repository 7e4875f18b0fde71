"""Price sheets with something wrong in them: every wrong row, cell and file is named (R1, D6)."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp_web.domain.sales.price_sheet import PriceRow, read_price_sheet
from csp_web.domain.sheets import RowError
from csp_web.i18n import use_place
from tests.support.price_sheets import RESERVATION, SERVER, only_error, read, sheet


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("ProductTitle", "", "This cell is empty."),
        ("ProductTitle", "x" * 501, "At most 500 characters."),
        ("ProductTitle", "Office 365 E3", "“Office 365 E3” does not belong to a product family that is sold here."),
        ("ProductId", "DG7GMGF0AAA", "A product ID has 12 capital letters and digits."),
        ("ProductId", "dg7gmgf0aaaa", "A product ID has 12 capital letters and digits."),
        ("SkuId", "1", "A SKU ID has 4 capital letters and digits. Keep its leading zeros."),
        ("TermDuration", "P2Y", "“P2Y” is not one of: P1M, P1Y, P3Y."),
        ("TermDuration", "", "“” is not one of: P1M, P1Y, P3Y."),
        ("BillingPlan", "Weekly", "“Weekly” is not one of: OneTime, Monthly, Annual, Triennial."),
        ("Market", "UK", "“UK” is not the two-letter code of a country."),
        ("Market", "EU", "“EU” is not the two-letter code of a country."),
        ("Currency", "ZZZ", "“ZZZ” is not a known currency code."),
        ("UnitPrice", "", "This cell is empty."),
        ("UnitPrice", "-1.00", "“-1.00” is not an amount."),
        ("UnitPrice", "NaN", "“NaN” is not an amount."),
        ("UnitPrice", "1.234", "Amounts in USD have at most 2 decimals."),
        ("ERP Price", "free", "“free” is not an amount."),
        ("PricingTierRangeMin", "1.5", "“1.5” is not a whole number."),
        ("PricingTierRangeMin", "²", "“²” is not a whole number."),
        ("EffectiveStartDate", "", "“” is not a date."),
        ("EffectiveStartDate", "13/1/2018 12:00:00 AM", "“13/1/2018 12:00:00 AM” is not a date."),
        ("EffectiveStartDate", "8/1/2018 13:00:00 PM", "“8/1/2018 13:00:00 PM” is not a date."),
        ("EffectiveStartDate", "11/30/9999 11:59:59 PM", "“11/30/9999 11:59:59 PM” is not a date."),
        ("EffectiveStartDate", "1/1/0001 12:00:00 AM", "“1/1/0001 12:00:00 AM” is not a date."),
        ("EffectiveEndDate", "2018-02-30", "“2018-02-30” is not a date."),
        ("EffectiveEndDate", "0001-01-01T00:00:00+14:00", "“0001-01-01T00:00:00+14:00” is not a date."),
        ("EffectiveEndDate", "7/31/2018 12:00:00 AM", "The end is not after the start."),
        ("EffectiveEndDate", "8/1/2018 12:00:00 AM", "The end is not after the start."),
        ("Segment", "Friends", "“Friends” is not one of: Commercial, Education"),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(column: str, value: str, sentence: str) -> None:
    good = SERVER | {"SkuId": "0009"}
    rows = read(sheet(good, SERVER | {column: value}, good | {"Market": "DE"}))
    assert isinstance(rows[0], PriceRow)
    assert isinstance(rows[1], RowError)
    assert (rows[1].line, rows[1].column) == (3, column)
    assert rows[1].sentence.startswith(sentence)
    assert isinstance(rows[2], PriceRow)


def test_jpy_has_no_decimals() -> None:
    error = only_error(sheet(SERVER | {"Currency": "JPY"}))
    assert error.sentence == "Amounts in JPY have no decimals."


def test_tiers_must_be_in_order() -> None:
    error = only_error(sheet(SERVER | {"PricingTierRangeMin": "50", "PricingTierRangeMax": "49"}))
    assert error.column == "PricingTierRangeMax"


def test_every_wrong_cell_of_a_row_is_reported() -> None:
    errors = read(sheet(SERVER | {"Market": "??", "Currency": "!!", "SkuId": ""}))
    assert [str(error).split(":")[0] for error in errors] == ["Line 2, SkuId", "Line 2, Market", "Line 2, Currency"]


def test_a_row_that_comes_twice_names_the_first() -> None:
    error = read(sheet(SERVER, RESERVATION, SERVER | {"UnitPrice": "1.00"}))[2]
    assert str(error) == "Line 4: This row repeats line 2."


@pytest.mark.parametrize(
    ("column", "value"),
    [("Market", "DE"), ("Currency", "EUR"), ("TermDuration", "P3Y"), ("BillingPlan", "Monthly"), ("Segment", "Education"),
     ("PricingTierRangeMin", "10"), ("EffectiveStartDate", "8/2/2018"), ("SkuId", "0001"), ("ProductId", "DG7GMGF0BBBB")],
)  # fmt: skip
def test_rows_that_differ_in_their_key_are_two_prices(column: str, value: str) -> None:
    assert all(isinstance(row, PriceRow) for row in read(sheet(SERVER, SERVER | {column: value})))


def test_a_row_with_too_few_or_too_many_fields() -> None:
    header, body = sheet(SERVER).strip().split("\r\n")
    short, long, padded = body.rpartition(",")[0], f'{body},"x"', f"{body},,"
    rows = read("\n".join([header, short, long, padded]))
    assert [str(row) for row in rows[:2]] == [
        "Line 2: This row has 18 fields, the header has 19.",
        "Line 3: This row has 20 fields, the header has 19.",
    ]
    assert isinstance(rows[2], PriceRow)


def test_a_stray_quotation_mark_is_an_error_of_its_row() -> None:
    header, body = sheet(SERVER).strip().split("\r\n")
    rows = read("\n".join([header, body.replace('"Microsoft"', '"Micro"soft"'), body]))
    assert str(rows[0]).startswith("Line 2: This row cannot be read")
    assert isinstance(rows[1], PriceRow)


@pytest.mark.parametrize("following", [0, 1000])
def test_a_quotation_mark_that_is_never_closed_ends_the_reading(following: int) -> None:
    header, body = sheet(SERVER).strip().split("\r\n")
    plain = sheet(SERVER | {"SkuId": "0001"}, quoting=csv.QUOTE_MINIMAL).strip().split("\r\n")[1].replace('"', "")
    rows = read("\n".join([header, body, '"' + body.replace('"', ""), *[plain] * following]))
    assert isinstance(rows[0], PriceRow)
    assert str(rows[1]) == "Line 3: A quotation mark that opens on this line is never closed."
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf", "The file is empty."),
        (b"\r\n \r\n", "The file is empty."),
        (sheet(SERVER).split("\r\n", maxsplit=1)[0].encode(), "The file has a header and no rows."),
        (b"PK\x03\x04....[Content_Types].xml", "not a CSV file but an Excel workbook (.xlsx)"),
        (b"PK\x03\x04....prices.csv", "not a CSV file but a ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "not a CSV file but an Excel workbook (.xls)"),
        (b"\x1f\x8b\x08", "not a CSV file but a compressed file (.gz)"),
        (b"%PDF-1.7", "not a CSV file but a PDF document"),
        (b"\xef\xbb\xbf<!DOCTYPE html>", "not a CSV file but a web page or an XML file"),
    ],
)
def test_a_file_that_is_no_sheet_is_told_what_it_is(data: bytes, sentence: str) -> None:
    error = only_error(data)
    assert error.line == 0
    assert sentence in str(error)


def test_the_line_that_is_not_utf_8_is_named() -> None:
    good = sheet(SERVER)
    bad = sheet(SERVER | {"Publisher": "Müller"}).split("\r\n")[1].encode("latin-1")
    error = read(good.encode() + b"\r\n" * 40_000 + bad)[-1]
    assert isinstance(error, RowError)
    assert (error.line, error.sentence) == (40_003, "This line is not UTF-8 text. Save the file as “CSV UTF-8”.")


@pytest.mark.parametrize(("text", "code"), [("\0", "0000"), ("\x1b", "001B"), ("\x7f", "007F")])
def test_the_line_with_a_control_character_is_named(text: str, code: str) -> None:
    error = only_error(sheet(SERVER, SERVER | {"Publisher": f"Micro{text}soft"}))
    assert error.line == 3
    assert f"(U+{code})" in error.sentence


def test_a_line_without_end_is_not_held_in_memory() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"x" * size

    (error,) = read_price_sheet(Endless())  # type: ignore[arg-type]
    assert str(error) == "Line 1: This line is too long for a table."


@given(st.binary(max_size=300))
def test_any_bytes_after_the_header_are_rows_or_errors(data: bytes) -> None:
    header = sheet(SERVER).split("\r\n", maxsplit=1)[0].encode()
    for item in read(header + b"\n" + data):
        assert isinstance(item, PriceRow) or str(item)


@given(st.text(max_size=60), st.sampled_from(list(SERVER)))
def test_any_text_in_any_cell_is_a_row_or_an_error(text: str, column: str) -> None:
    for item in read(sheet(SERVER | {column: text}).encode("utf-8", "replace")):
        assert isinstance(item, PriceRow) or str(item)


def test_errors_are_said_in_the_language_in_force() -> None:
    """The sentence is made when the row is read; what is remembered of good cells holds no language."""
    with use_place("ru"):
        russian = only_error(sheet(SERVER | {"Market": "??"}))
    assert russian.column == "Market"
    assert only_error(sheet(SERVER | {"Market": "??"})).sentence == "“??” is not the two-letter code of a country."
