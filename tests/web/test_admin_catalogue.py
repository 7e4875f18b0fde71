"""The operator's catalogue, market lists and policies (R11, D8, D14)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from csp_web.db import now, select, session, transaction
from csp_web.domain.upkeep.installation import install_rules
from csp_web.models import CancellationPolicy, MarketSet, Offer, PriceSheetImport
from tests.support.plain import PlainBrowser
from tests.support.sheets import price, sheet
from tests.support.statements import counted_statements
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

SHIPPED = Path(__file__).parents[2] / "csp_web" / "data" / "demo" / "price-sheet.csv"
PAGES = ("/admin/catalogue", "/admin/markets", "/admin/policies")


@pytest.fixture
def shop(world: World) -> World:
    with transaction():
        install_rules()
    return world


@pytest.fixture
def olga(app: Flask, shop: World) -> PlainBrowser:
    return PlainBrowser(shop.sign_in(app, "olga"))


def status(browser: PlainBrowser) -> int:
    assert browser.answer is not None
    return browser.answer.status_code


def offers() -> int:
    session.rollback()
    return len(session.scalars(select(Offer.id)).all())


def upload(browser: PlainBrowser, content: bytes, button: str, name: str = "june.csv") -> PlainBrowser:
    return browser.open("/admin/catalogue").fill("Price sheet", [(name, content)]).press(button)


# ---------------------------------------------------------------- import


def test_a_sheet_is_imported_and_listed(olga: PlainBrowser, shop: World) -> None:
    before = offers()
    upload(olga, SHIPPED.read_bytes(), "Import", "price-sheet.csv")
    assert offers() - before == 1174
    for text in ("1,174 rows were imported", "price-sheet.csv", "Windows Server 2019 Remote Desktop Services", "Olga"):
        assert text in olga.text
    upload(olga, SHIPPED.read_bytes(), "Import", "price-sheet.csv")
    assert "nothing changed" in olga.text
    assert offers() - before == 1174


def test_a_check_shows_what_would_change_and_stores_nothing(olga: PlainBrowser, shop: World) -> None:
    before = offers()
    upload(olga, sheet(price(), price(SkuId="000E")).read(), "Check only")
    assert status(olga) == 200
    for text in ("june.csv", "Nothing was stored", "Prices added", "New SKUs"):
        assert text in olga.text
    assert offers() == before
    assert session.scalars(select(PriceSheetImport)).all() == []


@pytest.mark.parametrize("button", ["Check only", "Import"])
def test_errors_are_shown_with_their_lines_and_nothing_is_stored(olga: PlainBrowser, shop: World, button: str) -> None:
    before = offers()
    upload(olga, sheet(price(), price("<b>17</b>", SkuId="000E"), price(Market="ZZ")).read(), button)
    assert status(olga) == 422
    for text in ("2 errors", "Line 3, UnitPrice", "Line 4, Market"):
        assert text in olga.text
    assert olga.page.find("b") is None
    assert offers() == before


def test_of_very_many_errors_the_first_are_shown(olga: PlainBrowser, shop: World) -> None:
    upload(olga, sheet(*(price("x", SkuId=f"{n:04d}") for n in range(150))).read(), "Check only")
    assert "150 errors" in olga.text
    assert "Only the first 100 are shown" in olga.text


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"PK\x03\x04", b"a,b\n1,2\n", "ÿþ🙂".encode()])
def test_files_that_are_no_sheets_get_a_sentence(olga: PlainBrowser, shop: World, content: bytes) -> None:
    upload(olga, content, "Import", "\u202eevil<b>.csv")
    assert status(olga) == 422
    assert "Nothing was stored" in olga.text


def test_no_file_gets_a_sentence(olga: PlainBrowser, shop: World) -> None:
    olga.open("/admin/catalogue").press("Import")
    assert status(olga) == 422
    assert "Choose a file" in olga.text


def test_products_are_searched(olga: PlainBrowser, shop: World) -> None:
    olga.open("/admin/catalogue").fill("Product or ID", "sql 2025").press("Search", within="Product or ID")
    assert "SQL Server 2025 Standard" in olga.text
    assert "Windows Server 2025 Datacenter" not in olga.text
    olga.open("/admin/catalogue?q=nothing%00")
    assert "No product matches" in olga.text
    part = olga.client.get("/admin/catalogue?q=sql", headers={"HX-Request": "true"})
    assert " ".join(part.text.split()).startswith('<div id="product-list"')


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_take_the_same_number_of_statements_at_any_size(olga: PlainBrowser, shop: World, page: str) -> None:
    olga.open(page)
    with counted_statements() as few:
        olga.open(page)
    upload(olga, SHIPPED.read_bytes(), "Import")
    olga.open(page)
    with counted_statements() as many:
        olga.open(page)
    assert len(many) == len(few)


# ---------------------------------------------------------------- lists and policies


def in_force() -> dict[str, bool]:
    session.rollback()
    at = now() + timedelta(seconds=1)
    rows = session.scalars(select(MarketSet)).all()
    return {
        row.name: bool(row.in_force_from and row.in_force_from <= at and (not row.in_force_to or row.in_force_to > at))
        for row in rows
    }


def test_r11_d8_the_operator_puts_another_list_in_force(olga: PlainBrowser, shop: World) -> None:
    olga.open("/admin/markets")
    assert "Kazakhstan" in olga.text
    olga.press("Put in force on this day", within="2019-04")
    assert "was saved" in olga.text
    assert in_force() == {"seed-2018": False, "2019-04": True, "2019-07": False, "2019-12": False, "2021-07": False}


def test_d8_a_list_is_ended(olga: PlainBrowser, shop: World) -> None:
    olga.open("/admin/markets").press("End on this day", within="seed-2018")
    assert not any(in_force().values())


@pytest.mark.parametrize("day", ["", "yesterday", "2018-01-01", "31.12.2026", "99999-01-01"])
def test_a_day_that_does_not_fit_gets_a_sentence(olga: PlainBrowser, shop: World, day: str) -> None:
    number = session.scalars(select(MarketSet.id).filter_by(name="2019-04")).one()
    token = str(olga.open("/admin/markets").page.find("input", attrs={"name": "csrf_token"})["value"])  # type: ignore[index]
    olga.answer = olga.client.post(
        f"/admin/markets/{number}", data={"csrf_token": token, "day": day, "change": "begin"}
    )
    assert status(olga) == 422
    field = olga.page.find("input", attrs={"aria-invalid": "true"})
    assert field is not None
    assert field["id"] == f"day-{number}"
    assert not in_force()["2019-04"]


def test_d8_the_operator_chooses_the_policy_of_new_orders(olga: PlainBrowser, shop: World) -> None:
    olga.open("/admin/policies")
    for text in ("seed-2018", "Within 60 days of the order", "In force"):
        assert text in olga.text
    olga.press("Put in force on this day", within="2022-07-subscription")
    session.rollback()
    chosen = session.scalars(select(CancellationPolicy).filter_by(code="2022-07-subscription")).one()
    seed = session.scalars(select(CancellationPolicy).filter_by(code="seed-2018")).one()
    assert chosen.in_force_from is not None
    assert seed.in_force_to == chosen.in_force_from > datetime(2026, 1, 1, tzinfo=UTC)


def test_a_planned_change_is_shown_as_planned(olga: PlainBrowser, shop: World) -> None:
    olga.open("/admin/policies").fill("Day (UTC)", "2099-01-01").press("Put in force on this day", within="membership")
    assert "Planned" in olga.text
    assert "2099-01-01 00:00:00 UTC" in olga.text


def test_what_is_in_force_already_is_409(olga: PlainBrowser, shop: World) -> None:
    number = session.scalars(select(CancellationPolicy.id).filter_by(code="seed-2018")).one()
    token = str(olga.open("/admin/policies").page.find("input", attrs={"name": "csrf_token"})["value"])  # type: ignore[index]
    sent = {"csrf_token": token, "day": now().date().isoformat()}
    assert olga.client.post(f"/admin/policies/{number}", data=sent).status_code == 409


@pytest.mark.parametrize("address", ["/admin/markets/999", "/admin/policies/999"])
def test_unknown_lists_and_policies_are_not_found(olga: PlainBrowser, shop: World, address: str) -> None:
    token = str(olga.open("/admin/policies").page.find("input", attrs={"name": "csrf_token"})["value"])  # type: ignore[index]
    assert olga.client.post(address, data={"csrf_token": token, "day": "2099-01-01"}).status_code == 404


@pytest.mark.parametrize("who", ["alice", "audrey", "charlie", "sam"])
@pytest.mark.parametrize("page", PAGES)
def test_d14_only_the_operator_admin_comes_in(app: Flask, shop: World, who: str, page: str) -> None:
    answer = shop.sign_in(app, who).get(page)
    assert answer.status_code == 403
    assert "Operator admin" in answer.text
