"""The sheets of keys, files, markets and customers; how they are read at all is proven with the price sheets."""

import io
from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp_web.domain.companies.customer_sheet import CustomerRow, read_customer_sheet
from csp_web.domain.delivery.file_sheet import FileRow, Language, read_file_sheet
from csp_web.domain.sales.market_sheet import MarketRow, read_market_sheet
from csp_web.domain.sheets import Column, RowError, read_rows
from csp_web.domain.stock.key_sheet import KeyRow, normalize_key, read_key_sheet

KEY = "2GBT6-7YPFV-22KKC-CDV6Y-CW64B"
KEYS = "ProductId,SkuId,Version,ProductKey\r\n"
FILES = "ProductId,Version,Language,FileType/OS,FileName,SizeBytes\r\n"
MARKETS = "Set,ProductType,Country,ValidFrom,ValidTo,Note\r\n"
CUSTOMERS = "\ufeffMicrosoft ID,Company name,Primary domain name,Relationship,Country\r\n"
GUID = "537c36c8-ccf2-33db-1e5b-dd4a676e0c55"
GUID2 = "9187a08b-a365-c0f2-4ec0-f2e961e9bd20"

Reader = Callable[[io.BytesIO], Iterator[object]]


def read(reader: Reader, *lines: str) -> list[object]:
    return list(reader(io.BytesIO("\r\n".join(lines).encode())))


def errors(reader: Reader, *lines: str) -> list[str]:
    return [str(item) for item in read(reader, *lines) if isinstance(item, RowError)]


# ---------------------------------------------------------------- keys


def test_d11_keys_are_read() -> None:
    (row,) = read(read_key_sheet, KEYS + f"DG7GMGF0QLYC,0001,Windows Server 2019,{KEY}")
    assert row == KeyRow(2, "DG7GMGF0QLYC", "0001", "Windows Server 2019", KEY)
    assert isinstance(row, KeyRow)
    assert row.last_five == "CW64B"


@pytest.mark.parametrize(
    "text",
    [KEY, KEY.lower(), f"  {KEY} ", KEY.replace("-", " "), KEY.replace("-", "–"), KEY.replace("-", ""), "\u00a0" + KEY],
)
def test_keys_are_taken_as_people_paste_them(text: str) -> None:
    assert normalize_key(text) == KEY


@pytest.mark.parametrize(
    "text", ["", "abc", KEY[:-1], KEY + "X", KEY.replace("G", "Ж"), KEY.replace("2", "²"), KEY.replace("G", "!")]
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="five groups of five"):
        normalize_key(text)


def test_b4_no_error_and_no_repr_holds_a_key() -> None:
    """Whatever is wrong with the row, and in whichever column the key stands: at most its last five are shown."""
    good = ["DG7GMGF0QLYC", "0001", "Windows Server 2019", KEY]
    broken = [f"{KEY}X", KEY[:-2], KEY.replace("-", "_")]
    rows = [",".join(good), ",".join(good)]
    rows += [",".join([*good[:place], KEY, *good[place + 1 :]]) for place in range(3)]
    rows += [",".join([*good[:place], wrong, *good[place + 1 :]]) for place in range(4) for wrong in broken]
    rows += [",".join([*good, KEY]), KEY, f'"{KEY}"{KEY},0001,x,{KEY}', f'"{KEY}']
    said = " ".join(f"{item} {item!r}" for item in read(read_key_sheet, KEYS + "\r\n".join(rows)))
    assert said.count("RowError") > len(rows) - 2
    for piece in ("2GBT6", "7YPFV", "22KKC", "CDV6Y"):
        assert piece not in said


def test_b4_a_sheet_without_header_does_not_repeat_its_first_line() -> None:
    for lines in (f"DG7GMGF0QLYC,0001,Windows Server 2019,{KEY}", f"{KEY},{KEY}"):
        (error,) = errors(read_key_sheet, lines)
        assert error == "Line 1: These columns are missing: ProductId, SkuId, Version, ProductKey."


def test_a_key_that_comes_twice_for_a_sku_names_the_first_line() -> None:
    row = "DG7GMGF0QLYC,0001,Windows Server 2019,"
    other_sku = row.replace("0001", "0002")
    items = read(read_key_sheet, KEYS + row + KEY, other_sku + KEY, row + KEY.lower())
    assert [type(item) for item in items] == [KeyRow, KeyRow, RowError]
    assert str(items[2]) == "Line 4, ProductKey: This row repeats line 2. The key ends in CW64B."


def test_a_key_needs_its_version() -> None:
    assert errors(read_key_sheet, KEYS + f"DG7GMGF0QLYC,0001,,{KEY}") == [
        "Line 2, Version: Write the version like Windows Server 2019."
    ]


# ---------------------------------------------------------------- files


def test_r22_files_are_read() -> None:
    line = 'DG7GMGF06GW3,Windows Server 2025,English (en-US),"64 Bit, ISO",server_en-us.iso,5400000'
    assert read(read_file_sheet, FILES + line) == [
        FileRow(
            2,
            "DG7GMGF06GW3",
            "Windows Server 2025",
            Language("English", "en-US"),
            "64 Bit, ISO",
            "server_en-us.iso",
            5400000,
        )
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (
            "DG7GMGF06GW3,V,English,ISO,a.iso,1",
            "Line 2, Language: “English” is not a language. Write it like English (en-US).",
        ),
        ("DG7GMGF06GW3,V,English (en-US),ISO,../a.iso,1", "Line 2, FileName: “../a.iso” is not a plain file name."),
        ("DG7GMGF06GW3,V,English (en-US),ISO,.hidden,1", "Line 2, FileName: “.hidden” is not a plain file name."),
        ("DG7GMGF06GW3,V,English (en-US),ISO,C:\\a.iso,1", "Line 2, FileName: “C:\\a.iso” is not a plain file name."),
        ("DG7GMGF06GW3,V,English (en-US),ISO,,1", "Line 2, FileName: This cell is empty."),
        ("DG7GMGF06GW3,V,English (en-US),ISO,a.iso,-1", "Line 2, SizeBytes: “-1” is not a whole number."),
        ("DG7GMGF06GW3,V,English (en-US),ISO,a.iso,1e6", "Line 2, SizeBytes: “1e6” is not a whole number."),
        ("short,V,English (en-US),ISO,a.iso,1", "Line 2, ProductId: A product ID has 12 capital letters and digits."),
    ],
)
def test_wrong_files(line: str, error: str) -> None:
    assert errors(read_file_sheet, FILES + line) == [error]


def test_a_long_file_name_is_refused() -> None:
    assert len(errors(read_file_sheet, FILES + f"DG7GMGF06GW3,V,Русский (ru-RU),ISO,{'ж' * 128}.iso,1")) == 1


def test_an_option_has_one_file() -> None:
    line = "DG7GMGF06GW3,V,{} (en-US),ISO,{}.iso,1"
    said = errors(read_file_sheet, FILES + line.format("English", "a"), line.format("Englisch", "b"))
    assert said == ["Line 3: This row repeats line 2."]


# ---------------------------------------------------------------- markets


def test_r11_markets_are_read() -> None:
    items = read(
        read_market_sheet,
        MARKETS + "seed-2018,reservation,AR,2018-08-01,2019-04-03,shipped as default; Argentina",
        "2021-07,software_subscription,xk,2021-07-01,,",
    )
    assert items == [
        MarketRow(
            2, "seed-2018", "reservation", "AR", date(2018, 8, 1), date(2019, 4, 3), "shipped as default; Argentina"
        ),
        MarketRow(3, "2021-07", "software_subscription", "XK", date(2021, 7, 1), None, ""),
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (",reservation,AR,2018-08-01,,", "Line 2, Set: This cell is empty."),
        (
            "s,support,AR,2018-08-01,,",
            "Line 2, ProductType: “support” is not one of: software_subscription, reservation.",
        ),
        ("s,reservation,UK,2018-08-01,,", "Line 2, Country: “UK” is not the two-letter code of a country."),
        ("s,reservation,AR,8/1/2018,,", "Line 2, ValidFrom: “8/1/2018” is not a day. Write it like 2026-01-31."),
        ("s,reservation,AR,20180801,,", "Line 2, ValidFrom: “20180801” is not a day. Write it like 2026-01-31."),
        ("s,reservation,AR,2018-W31-3,,", "Line 2, ValidFrom: “2018-W31-3” is not a day. Write it like 2026-01-31."),
        ("s,reservation,AR,2018-02-30,,", "Line 2, ValidFrom: “2018-02-30” is not a day. Write it like 2026-01-31."),
        ("s,reservation,AR,2018-08-01,2018-08-01,", "Line 2, ValidTo: The end is not after the start."),
    ],
)
def test_wrong_markets(line: str, error: str) -> None:
    assert errors(read_market_sheet, MARKETS + line) == [error]


def test_a_market_is_excluded_once_per_set() -> None:
    line = "s,reservation,AR,2018-08-01,,"
    assert errors(read_market_sheet, MARKETS + line, line.replace("s,", "t,", 1), line) == [
        "Line 4: This row repeats line 2."
    ]


# ---------------------------------------------------------------- customers


def test_customers_are_read() -> None:
    items = read(
        read_customer_sheet,
        CUSTOMERS + f'{GUID.upper()},"Humongous Insurance, Inc.",Customer01.Example,Reseller,CH',
        f"{GUID2},Датум Логистика,ПРИМЕР.рф,,ru",
    )
    assert items == [
        CustomerRow(2, UUID(GUID), "Humongous Insurance, Inc.", "customer01.example", "Reseller", "CH"),
        CustomerRow(3, UUID(GUID2), "Датум Логистика", "xn--e1afmkfd.xn--p1ai", "Reseller", "RU"),
    ]


def test_older_exports_have_no_country() -> None:
    (row,) = read(read_customer_sheet, "Microsoft ID;Company name;Primary domain name", f"{GUID};Contoso;contoso.com")
    assert row == CustomerRow(2, UUID(GUID), "Contoso", "contoso.com", "Reseller", None)


def test_wrong_customers() -> None:
    assert errors(read_customer_sheet, CUSTOMERS + "1234,LLC,contoso,Friend,Swiss") == [
        "Line 2, Microsoft ID: “1234” is not a GUID.",
        "Line 2, Company name: “LLC” is only a legal form. Enter the company name with it.",
        "Line 2, Primary domain name: “contoso” is not a domain. Write it like contoso.com.",
        "Line 2, Relationship: “Friend” is not one of: Reseller, Advisor, Syndication, None.",
        "Line 2, Country: “Swiss” is not the two-letter code of a country.",
    ]


def test_an_id_or_a_domain_that_comes_twice() -> None:
    said = errors(
        read_customer_sheet,
        CUSTOMERS + f"{GUID},Contoso,contoso.com,Reseller,CH",
        f"{GUID},Contoso,contoso.example,Reseller,CH",
        f"{GUID2},Contoso,CONTOSO.com,Reseller,CH",
    )
    assert said == [
        "Line 3, Microsoft ID: This row repeats line 2.",
        "Line 4, Primary domain name: This row repeats line 2.",
    ]


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize(
    ("reader", "header"),
    [(read_key_sheet, KEYS), (read_file_sheet, FILES), (read_market_sheet, MARKETS), (read_customer_sheet, CUSTOMERS)],
)
@given(cells=st.lists(st.text(max_size=20).map(lambda text: text.replace('"', "")), min_size=1, max_size=7))
def test_any_row_is_read_or_refused_with_a_sentence(reader: Reader, header: str, cells: list[str]) -> None:
    row = ",".join(f'"{cell}"' for cell in cells)
    for item in reader(io.BytesIO((header + row).encode("utf-8", "replace"))):
        assert isinstance(item, KeyRow | FileRow | MarketRow | CustomerRow) or str(item)


def test_rows_come_while_the_file_is_still_being_read() -> None:
    """Reading streams: the first row is there before the last byte was asked for."""

    class Slow(io.RawIOBase):
        def __init__(self) -> None:
            self.blocks = chain([b"a,b\n1,2\n"], [b"3,4\n"])
            self.asked = 0

        def read(self, size: int = -1) -> bytes:
            self.asked += 1
            return next(self.blocks, b"")

    stream = Slow()
    columns = [Column("a", str), Column("b", str)]
    rows = read_rows(stream, columns, lambda line, a, b: (line, a, b))  # type: ignore[arg-type]
    assert next(rows) == (2, "1", "2")
    assert stream.asked == 1
    assert list(rows) == [(3, "3", "4")]
