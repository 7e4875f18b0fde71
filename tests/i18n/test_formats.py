"""B13: numbers, sizes, times, money and names of countries as each language writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from csp_web import i18n
from csp_web.domain.companies.countries import country_name, territories

NBSP = "\N{NO-BREAK SPACE}"


def spaced(text: str) -> str:
    return text.replace(NBSP, " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("size", "english", "russian"),
    [
        (0, "0 bytes", "0 байт"),
        (1, "1 byte", "1 байт"),
        (2, "2 bytes", "2 байта"),
        (11, "11 bytes", "11 байт"),
        (999, "999 bytes", "999 байт"),
        (1000, "1 KB", "1 КБ"),
        (5_430_000, "5.4 MB", "5,4 МБ"),
        (7_000_000_000, "7 GB", "7 ГБ"),
    ],
)
def test_b13_sizes(size: int, english: str, russian: str) -> None:
    assert i18n.format_size(size) == english
    with i18n.use_place("ru"):
        assert i18n.format_size(size) == russian


@pytest.mark.parametrize(
    ("minutes", "english", "russian"),
    [
        (-5, "0 minutes", "0 минут"),
        (1, "1 minute", "1 минута"),
        (59, "59 minutes", "59 минут"),
        (60, "1 hour 0 minutes", "1 час 0 минут"),
        (22 * 60 + 2, "22 hours 2 minutes", "22 часа 2 минуты"),
        (24 * 60, "1 day 0 hours", "1 день 0 часов"),
        (21 * 24 * 60 + 61, "21 days 1 hour", "21 день 1 час"),
        (1000 * 24 * 60, "1,000 days 0 hours", "1 000 дней 0 часов"),
    ],
)
def test_b5_time_left(minutes: int, english: str, russian: str) -> None:
    assert i18n.format_left(timedelta(minutes=minutes)) == english
    with i18n.use_place("ru"):
        assert spaced(i18n.format_left(timedelta(minutes=minutes))) == russian


@pytest.mark.parametrize(
    ("amount", "currency", "english", "russian"),
    [
        (123_456, "USD", "$1,234.56", "1 234,56 $"),
        (123_456, "EUR", "€1,234.56", "1 234,56 €"),
        (-100, "USD", "-$1.00", "-1,00 $"),
        (500, "JPY", "¥500", "500 ¥"),
        (123_456, "RUB", "RUB1,234.56", "1 234,56 ₽"),
    ],
)
def test_d6_money(amount: int, currency: str, english: str, russian: str) -> None:
    assert spaced(i18n.format_money(amount, currency)).replace("RUB ", "RUB") == english
    with i18n.use_place("ru"):
        assert spaced(i18n.format_money(amount, currency)) == russian


def test_d1_moments_on_the_readers_clock() -> None:
    moment = datetime(2026, 5, 1, 21, 5, tzinfo=UTC)
    assert (i18n.format_datetime(moment), i18n.format_date(date(2026, 11, 2))) == ("1 May 2026, 21:05", "2 Nov 2026")
    with i18n.use_place("ru", "Asia/Yekaterinburg"):
        assert (i18n.format_datetime(moment), i18n.format_date(moment)) == ("2 мая 2026, 02:05", "2 мая 2026")
    assert i18n.format_datetime(None) == ""


def test_b13_numbers_and_plurals() -> None:
    with i18n.use_place("ru"):
        said = [
            spaced(i18n.ngettext("%(num)s file", "%(num)s files", n)) for n in (1, 2, 5, 11, 12, 21, 104, 1111, 1002)
        ]
    assert said == [
        "1 файл", "2 файла", "5 файлов", "11 файлов", "12 файлов", "21 файл", "104 файла", "1 111 файлов", "1 002 файла",
    ]  # fmt: skip
    assert [i18n.ngettext("%(num)s file", "%(num)s files", n) for n in (0, 1, 1000)] == [
        "0 files",
        "1 file",
        "1,000 files",
    ]


def test_b13_countries_are_named_and_ordered_in_each_language() -> None:
    assert (country_name("DE", "en"), country_name("DE", "ru")) == ("Germany", "Германия")
    english, russian = [name for _code, name in territories("en")], [name for _code, name in territories("ru")]
    assert english.index("Åland Islands") < english.index("Albania") < english.index("Zambia")
    assert russian.index("Австрия") < russian.index("Германия") < russian.index("Япония")
    assert not any(character.isascii() and character.isalpha() for name in russian for character in name)
