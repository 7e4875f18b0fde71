"""Price sheets as they are exported: every real difference is read, every wrong row named (R1, D6)."""

import csv
import io
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from csp_web.domain.sales.price_sheet import COLUMNS, PriceRow, read_price_sheet
from csp_web.domain.sales.product_titles import Family, ProductType, is_suite, version_of
from csp_web.domain.sheets import RowError
from tests.support.price_sheets import OPTIONAL, RESERVATION, SERVER, SUITE, only_error, only_row, read, sheet


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
