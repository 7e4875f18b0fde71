"""Price sheets as they are exported: every real difference is read, every wrong row named (R1, D6)."""

import csv
import io
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp_web.domain.price_sheet import COLUMNS, PriceRow, read_price_sheet
from csp_web.domain.product_titles import Family, ProductType, is_suite, version_of
from csp_web.domain.sheets import RowError
from csp_web.i18n import use_place

SERVER = {
    "ProductTitle": "Windows Server 2019 Standard",
    "ProductId": "DG7GMGF0AAAA",
    "SkuId": "000C",
    "SkuTitle": "Windows Server Standard 16 Core License Pack - 1 year",
    "Publisher": "Microsoft",
    "SkuDescription": "Windows Server 2019 Standard - 16 Core License Pack, subscription",
    "UnitOfMeasure": "1 License",
    "TermDuration": "P1Y",
    "BillingPlan": "OneTime",
    "Market": "US",
    "Currency": "USD",
    "UnitPrice": "176.00",
    "PricingTierRangeMin": "",
    "PricingTierRangeMax": "",
    "EffectiveStartDate": "8/1/2018 12:00:00 AM",
    "EffectiveEndDate": "11/30/9999 11:59:59 PM",
    "Tags": "Software",
    "ERP Price": "207.68",
    "Segment": "Commercial",
}
RESERVATION = SERVER | {
    "ProductTitle": "Reserved VM Instance, Standard_D2s_v5",
    "ProductId": "DZH318Z0AAAA",
    "SkuTitle": "Standard_D2s_v5 - West Europe - 1 year",
    "SkuDescription": "Reserved VM Instance, Standard_D2s_v5, West Europe",
    "UnitOfMeasure": "1 Instance",
    "BillingPlan": "Monthly",
    "Tags": "Azure;Reservation",
}
SUITE = SERVER | {
    "ProductTitle": 'SQL Server Standard Suite, "Server + 10 CAL"',
    "SkuTitle": "SQL Server Standard Suite, 1 Server and 10 User CAL - 1 year",
    "SkuDescription": 'SQL Server Standard Suite, "Server + 10 CAL", subscription',
}
OPTIONAL = ("PricingTierRangeMin", "PricingTierRangeMax", "Tags", "ERP Price", "Segment")


def sheet(*rows: dict[str, str], delimiter: str = ",", end: str = "\r\n", quoting: int = csv.QUOTE_ALL) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return text.getvalue()


def read(data: str | bytes) -> list[PriceRow | RowError]:
    return list(read_price_sheet(io.BytesIO(data.encode() if isinstance(data, str) else data)))


def only_row(data: str | bytes) -> PriceRow:
    (row,) = read(data)
    assert isinstance(row, PriceRow), row
    return row


def only_error(data: str | bytes) -> RowError:
    (error,) = read(data)
    assert isinstance(error, RowError), error
    return error


def test_a_row_is_read_whole() -> None:
    assert only_row(sheet(SERVER)) == PriceRow(
        line=2,
        product_title="Windows Server 2019 Standard",
        product_id="DG7GMGF0AAAA",
        sku_id="000C",
        sku_title="Windows Server Standard 16 Core License Pack - 1 year",
        publisher="Microsoft",
        description="Windows Server 2019 Standard - 16 Core License Pack, subscription",
        unit="1 License",
        term="P1Y",
        billing_plan="OneTime",
        market="US",
        currency="USD",
        unit_price=17600,
        tier_min=None,
        tier_max=None,
        valid_from=datetime(2018, 8, 1, tzinfo=UTC),
        valid_to=None,
        tags=("Software",),
        erp_price=20768,
        segment="Commercial",
    )


# ---------------------------------------------------------------- how sheets differ


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_line_ends_and_delimiters(encoding: str, end: str, delimiter: str) -> None:
    title = 'Windows Server 2019 "Стандарт", 標準; x'
    row = only_row(sheet(SERVER | {"ProductTitle": title}, delimiter=delimiter, end=end).encode(encoding))
    assert (row.product_title, row.unit_price, row.line) == (title, 17600, 2)


def test_unquoted_fields_and_a_missing_last_line_end() -> None:
    assert only_row(sheet(SERVER, quoting=csv.QUOTE_MINIMAL).rstrip()).unit_price == 17600


def test_column_order_case_blanks_and_unknown_columns_do_not_matter() -> None:
    shuffled = dict(sorted(SERVER.items(), reverse=True)) | {"Something New": "?"}
    renamed = {f" {name.upper().replace(' ', '_')} ": value for name, value in shuffled.items()}
    assert only_row(sheet(renamed)) == only_row(sheet(SERVER))


def test_optional_columns_may_be_missing() -> None:
    row = only_row(sheet({name: value for name, value in SERVER.items() if name not in OPTIONAL}))
    assert (row.tier_min, row.tier_max, row.tags, row.erp_price, row.segment) == (None, None, (), None, "Commercial")


@pytest.mark.parametrize("name", [column.name for column in COLUMNS if column.name not in OPTIONAL])
def test_a_missing_column_is_named(name: str) -> None:
    error = only_error(sheet({other: value for other, value in SERVER.items() if other != name}))
    assert str(error) == f"Line 1: These columns are missing: {name}."


def test_all_missing_columns_are_named_in_one_error() -> None:
    assert only_error("a,b\n1,2\n").sentence.count(",") == 13


def test_a_column_that_is_there_twice_is_refused() -> None:
    text = sheet(SERVER | {"ERPPrice": "1.00"})
    assert only_error(text).sentence == "These columns appear twice: ERP Price."


@pytest.mark.parametrize(
    ("price", "currency", "minor"),
    [("26400", "JPY", 26400), ("54.560", "KWD", 54560), ("237600", "KRW", 237600), ("0.00", "USD", 0)],
)
def test_d6_prices_have_the_decimals_of_their_currency(price: str, currency: str, minor: int) -> None:
    row = only_row(sheet(SERVER | {"UnitPrice": price, "ERP Price": price, "Currency": currency.lower()}))
    assert (row.unit_price, row.erp_price, row.currency) == (minor, minor, currency)


def test_decimal_commas_where_semicolons_part_the_fields() -> None:
    row = only_row(sheet(SERVER | {"UnitPrice": "16720,5", "ERP Price": "19729,60", "Currency": "RUB"}, delimiter=";"))
    assert (row.unit_price, row.erp_price) == (1672050, 1972960)


@pytest.mark.parametrize("price", ["1.234,56", "1,234.56", "1 234,56", "1,2,3"])
def test_grouped_prices_are_never_guessed(price: str) -> None:
    for delimiter in ",;\t":
        error = only_error(sheet(SERVER | {"UnitPrice": price}, delimiter=delimiter))
        assert (error.line, error.column) == (2, "UnitPrice")


def test_a_decimal_comma_in_a_file_with_commas_is_refused() -> None:
    assert only_error(sheet(SERVER | {"UnitPrice": "176,00"})).sentence == "“176,00” is not an amount."


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("8/1/2018 12:00:00 AM", datetime(2018, 8, 1, tzinfo=UTC)),
        ("08/01/2018 12:30 pm", datetime(2018, 8, 1, 12, 30, tzinfo=UTC)),
        ("12/31/2025 11:59:59\u202fPM", datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("8/1/2018", datetime(2018, 8, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.0000000Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T01:00:00+01:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01 00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("31.08.2018 00:00:00", datetime(2018, 8, 31, tzinfo=UTC)),
    ],
)
def test_dates(text: str, moment: datetime) -> None:
    assert only_row(sheet(SERVER | {"EffectiveStartDate": text})).valid_from == moment


@pytest.mark.parametrize(
    "text", ["", "11/30/9999 11:59:59 PM", "9999-12-31T23:59:59Z", "12/31/9999", "9999-12-31T23:59:59-12:00"]
)
def test_an_open_end_is_none(text: str) -> None:
    assert only_row(sheet(SERVER | {"EffectiveEndDate": text})).valid_to is None


def test_an_end_is_kept() -> None:
    row = only_row(sheet(SERVER | {"EffectiveEndDate": "6/30/2019 11:59:59 PM"}))
    assert row.valid_to == datetime(2019, 6, 30, 23, 59, 59, tzinfo=UTC)


def test_tiers_and_segment() -> None:
    row = only_row(sheet(SERVER | {"PricingTierRangeMin": "1", "PricingTierRangeMax": "49", "Segment": "education"}))
    assert (row.tier_min, row.tier_max, row.segment) == (1, 49, "Education")


def test_blank_rows_and_the_separator_hint_of_spreadsheets_are_passed_over() -> None:
    header, body = sheet(SERVER, delimiter=";").split("\r\n", 1)
    rows = read(f"sep=;\r\n\r\n{header}\r\n\r\n{';' * 18}\r\n{body}\r\n")
    assert [row.line for row in rows] == [6]


def test_line_numbers_count_line_breaks_inside_fields() -> None:
    second = SERVER | {"SkuId": "000D", "TermDuration": "P2Y"}
    rows = read(sheet(SERVER | {"SkuDescription": "two\nlines"}, second, SERVER | {"SkuId": "0001"}))
    assert [row.line for row in rows] == [2, 4, 5]
    assert isinstance(rows[1], RowError)


# ---------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("ProductTitle", "", "This cell is empty."),
        ("ProductTitle", "x" * 501, "At most 500 characters."),
        ("ProductTitle", "Office 365 E3", "“Office 365 E3” does not belong to a product family that is sold here."),
        ("ProductId", "DG7GMGF0AAA", "A product ID has 12 capital letters and digits."),
        ("ProductId", "dg7gmgf0aaaa", "A product ID has 12 capital letters and digits."),
        ("SkuId", "1", "A SKU ID has 4 capital letters and digits. Keep its leading zeros."),
        ("TermDuration", "P2Y", "“P2Y” is none of: P1M, P1Y, P3Y."),
        ("TermDuration", "", "“” is none of: P1M, P1Y, P3Y."),
        ("BillingPlan", "Weekly", "“Weekly” is none of: OneTime, Monthly, Annual, Triennial."),
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
        ("Segment", "Friends", "“Friends” is none of: Commercial, Education"),
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


# ---------------------------------------------------------------- what the titles tell


def test_r1_windows_server() -> None:
    row = only_row(sheet(SERVER))
    assert (row.family, row.product_type) == (Family.WINDOWS_SERVER, ProductType.SOFTWARE_SUBSCRIPTION)
    assert row.own_version == "Windows Server 2019"
    assert (row.is_cal, row.is_suite, row.arm_sku_name, row.region) == (False, False, None, None)


def test_r1_sql_server() -> None:
    row = only_row(sheet(SERVER | {"ProductTitle": "SQL Server 2022 Enterprise", "SkuDescription": ""}))
    assert (row.family, row.own_version) == (Family.SQL_SERVER, "SQL Server 2022")


def test_r1_reservations() -> None:
    row = only_row(sheet(RESERVATION))
    assert (row.family, row.product_type) == (Family.AZURE_RESERVATION, ProductType.RESERVATION)
    assert (row.arm_sku_name, row.region) == ("Standard_D2s_v5", "West Europe")
    assert (row.own_version, row.is_cal) == (None, False)
    assert row.tags == ("Azure", "Reservation")


def test_a_reservations_region_may_stand_in_the_sku_title_only() -> None:
    row = only_row(sheet(RESERVATION | {"SkuDescription": "", "Tags": ""}))
    assert (row.family, row.region) == (Family.AZURE_RESERVATION, "West Europe")
    assert only_row(sheet(RESERVATION | {"SkuDescription": "", "SkuTitle": "1 year"})).region is None


def test_client_access_licences_have_keys_and_no_files() -> None:
    row = only_row(
        sheet(SERVER | {"ProductTitle": "Windows Server 2019", "SkuTitle": "Windows Server CAL - 1 User - 1 year"})
    )
    assert row.is_cal
    assert row.own_version == "Windows Server 2019"


def test_a_suite_holds_a_server_and_is_no_cal() -> None:
    row = only_row(sheet(SUITE))
    assert (row.family, row.is_cal, row.is_suite, row.own_version) == (Family.SQL_SERVER, False, True, None)
    assert only_row(sheet(SUITE | {"SkuDescription": "SQL Server 2019 Suite"})).own_version == "SQL Server 2019"


def test_versions_and_suites_in_titles() -> None:
    assert version_of("windows server  2012 R2 Datacenter") == "Windows Server 2012 R2"
    assert version_of("Windows Server", "SQL Server 2025 Standard") == "SQL Server 2025"
    assert version_of("Windows Server Standard") is None
    assert not is_suite("Suited for SQL Server")


# ---------------------------------------------------------------- size


class Generated(io.RawIOBase):
    """A sheet of many rows that never lies in memory."""

    def __init__(self, rows: int) -> None:
        self._lines = self._generate(rows)

    def read(self, size: int = -1) -> bytes:
        return b"".join(line for _, line in zip(range(200), self._lines, strict=False))

    @staticmethod
    def _generate(rows: int) -> Iterator[bytes]:
        header, body = sheet(SERVER).encode().split(b"\r\n")[:2]
        yield header + b"\n"
        for number in count():
            if number == rows:
                return
            yield body.replace(b"DG7GMGF0AAAA", b"DG7GM%07d" % number) + b"\n"


def test_memory_does_not_grow_with_the_sheet() -> None:
    tracemalloc.start()
    try:
        rows = sum(isinstance(row, PriceRow) for row in read_price_sheet(Generated(20_000)))  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 20_000
    assert peak < 8_000_000  # the sheet itself has 7 MB as bytes, some 40 MB as rows
