"""Price sheets into the catalogue: all or nothing, twice is once, newer ends older."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from csp_web.db import select, session, transaction
from csp_web.domain.sales.price_import import ImportReport, import_price_sheet
from csp_web.errors import Forbidden
from csp_web.models import AuditEntry, Offer, PriceSheetImport, Product, ProductFamily, ProductType, Sku
from tests.support.sheets import HEADER, price, sheet
from tests.world import World

pytestmark = pytest.mark.usefixtures("database")

SHIPPED = Path(__file__).parents[2] / "csp_web" / "data" / "demo" / "price-sheet.csv"
JANUARY, JUNE, SEPTEMBER = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 6, 9))
FROM = {JANUARY: "2026-01-01T00:00:00Z", JUNE: "6/1/2026 12:00:00 AM", SEPTEMBER: "2026-09-01T00:00:00Z"}


def load(*rows: dict[str, str], **options: Any) -> ImportReport:
    return import_price_sheet(sheet(*rows), "sheet.csv", by=None, **options)


def prices() -> list[tuple[int, datetime, datetime | None]]:
    session.rollback()
    rows = session.execute(select(Offer.unit_price, Offer.valid_from, Offer.valid_to).order_by(Offer.valid_from))
    return [(row.unit_price, row.valid_from, row.valid_to) for row in rows]


def everything() -> list[tuple[Any, ...]]:
    session.rollback()
    return [
        tuple(row)
        for model in (Product, Sku, Offer)
        for row in session.execute(select(*model.__table__.columns).order_by(model.id))
    ]


# ---------------------------------------------------------------- the shipped sheet


@pytest.fixture
def shipped() -> ImportReport:
    with SHIPPED.open("rb") as file:
        return import_price_sheet(file, SHIPPED.name, by=None)


def test_r1_a_real_sheet_brings_the_three_families(shipped: ImportReport) -> None:
    assert shipped.ok
    assert (shipped.rows, shipped.added, shipped.new_products, shipped.new_skus) == (1174, 1174, 25, 134)
    assert set(session.scalars(select(Product.family))) == set(ProductFamily)


def test_what_has_keys_and_files_is_known_of_every_product(shipped: ImportReport) -> None:
    def facts(product_id: str) -> tuple[Any, ...]:
        product = session.scalars(select(Product).filter_by(product_id=product_id)).one()
        return product.has_keys, product.has_files, product.is_cal, product.own_version, product.product_type

    software, reservation = ProductType.SOFTWARE_SUBSCRIPTION, ProductType.RESERVATION
    assert facts("DG7GMGF06GW3") == (True, True, False, "Windows Server 2025", software)
    assert facts("DG7GMGF095L8") == (True, False, True, "Windows Server 2025", software)  # access licences
    assert facts("DG7GMGF034BT") == (True, False, True, "Windows Server 2025", software)  # remote desktop
    assert facts("DG7GMGF0M5FM")[:3] == (True, True, False)  # a suite has the server's files
    assert facts("DZH318Z07DWW") == (False, False, False, None, reservation)


def test_reservations_name_machine_and_region(shipped: ImportReport) -> None:
    skus = session.execute(
        select(Sku.arm_sku_name, Sku.region).join(Product).where(Product.product_id == "DZH318Z07DWW")
    )
    assert ("Standard_D2s_v5", "West Europe") in {tuple(row) for row in skus}


def test_d6_prices_are_whole_minor_units_with_none_two_or_three_decimals(shipped: ImportReport) -> None:
    sku = session.scalars(
        select(Sku).join(Product).where(Product.product_id == "DG7GMGF0QLYC", Sku.sku_id == "0001")
    ).one()
    found = {
        row.currency: row.unit_price
        for row in session.execute(select(Offer.currency, Offer.unit_price).filter_by(sku_id=sku.id))
    }
    assert found["USD"] == 17600
    assert found["JPY"] == 26400
    assert found["KWD"] == 54560


def test_importing_a_sheet_twice_changes_nothing(shipped: ImportReport) -> None:
    before = everything()
    with SHIPPED.open("rb") as file:
        again = import_price_sheet(file, SHIPPED.name, by=None)
    assert (again.changes, again.unchanged) == (0, 1174)
    assert everything() == before


def test_availability_ids_are_twelve_letters_and_digits_and_unique(shipped: ImportReport) -> None:
    ids = session.scalars(select(Offer.availability_id)).all()
    assert len(set(ids)) == len(ids) == 1174
    assert all(len(text) == 12 and text.isalnum() and text == text.upper() for text in ids)


# ---------------------------------------------------------------- all or nothing


def test_one_wrong_row_keeps_the_whole_sheet_out_and_is_named_by_its_line() -> None:
    report = load(price(), price(SkuId="000E", UnitPrice="17,6.0"), price(SkuId="000F", Market="XX"))
    assert not report.ok
    assert [(error.line, error.column) for error in report.errors] == [(3, "UnitPrice"), (4, "Market")]
    assert prices() == []
    assert session.scalars(select(PriceSheetImport)).all() == []


def test_very_many_errors_are_counted_and_the_first_are_shown() -> None:
    report = load(*(price("x", SkuId=f"{number:04d}") for number in range(1200)))
    assert report.error_count == 1200
    assert len(report.errors) == 1000


def test_a_file_that_is_no_sheet_is_refused_with_a_sentence() -> None:
    report = import_price_sheet(io.BytesIO(b"PK\x03\x04 xl/ [Content_Types].xml"), "prices.xlsx", by=None)
    assert "Excel" in str(report.errors[0])


def test_a_dry_run_says_what_an_import_would_do_and_stores_nothing() -> None:
    load(price("176.00"))
    rows = [price("180.00", EffectiveStartDate=FROM[JUNE]), price(SkuId="000E")]
    before = everything()
    tried = load(*rows, dry_run=True)
    assert everything() == before
    done = load(*rows)
    assert tried.dry_run
    assert not done.dry_run
    for name in ("added", "ended", "corrected", "unchanged", "new_products", "new_skus", "retitled", "not_named"):
        assert getattr(tried, name) == getattr(done, name)
    assert (done.added, done.ended, done.new_skus) == (2, 1, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_other_encodings_delimiters_and_orders_of_columns_say_the_same(encoding: str, delimiter: str) -> None:
    header = [name for name in reversed(HEADER) if name != "ERP Price"]
    report = import_price_sheet(
        sheet(price(), encoding=encoding, delimiter=delimiter, header=header), "sheet.csv", by=None
    )
    assert report.ok
    assert prices() == [(17600, JANUARY, None)]


def test_progress_is_told() -> None:
    told: list[int] = []
    load(*(price(SkuId=f"{number:04d}") for number in range(2500)), progress=told.append)
    assert told == [1000, 2000, 2500]


# ---------------------------------------------------------------- prices that follow each other


def test_a_newer_sheet_ends_the_older_price_on_its_start_date() -> None:
    load(price("176.00"))
    report = load(price("180.00", EffectiveStartDate=FROM[JUNE]))
    assert (report.added, report.ended, report.unchanged) == (1, 1, 0)
    assert prices() == [(17600, JANUARY, JUNE), (18000, JUNE, None)]


def test_both_sheets_imported_again_change_nothing() -> None:
    old, new = price("176.00"), price("180.00", EffectiveStartDate=FROM[JUNE])
    load(old)
    load(new)
    before = everything()
    assert load(old).changes == 0
    assert load(new).changes == 0
    assert everything() == before


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_outcome_does_not_depend_on_the_order_in_which_sheets_arrive(order: tuple[int, ...]) -> None:
    rows = [
        price("176.00"),
        price("180.00", EffectiveStartDate=FROM[JUNE], EffectiveEndDate="2026-07-01T00:00:00Z"),
        price("190.00", EffectiveStartDate=FROM[SEPTEMBER]),
    ]
    for place in order:
        load(rows[place])
    july = datetime(2026, 7, 1, tzinfo=UTC)
    assert prices() == [(17600, JANUARY, JUNE), (18000, JUNE, july), (19000, SEPTEMBER, None)]


def test_prices_that_follow_each_other_in_one_sheet_do_not_overlap() -> None:
    load(price("180.00", EffectiveStartDate=FROM[JUNE]), price("176.00"))
    assert prices() == [(17600, JANUARY, JUNE), (18000, JUNE, None)]


def test_a_wrong_amount_is_corrected_in_place() -> None:
    load(price("176.00"))
    report = load(price("167.00"))
    assert (report.added, report.corrected, report.ended) == (0, 1, 0)
    assert prices() == [(16700, JANUARY, None)]


def test_a_sheet_that_names_an_end_ends_the_price_and_one_that_opens_it_again_opens_it() -> None:
    load(price())
    load(price(EffectiveEndDate="6/1/2026 12:00:00 AM"))
    assert prices() == [(17600, JANUARY, JUNE)]
    load(price())
    assert prices() == [(17600, JANUARY, None)]


def test_prices_of_other_markets_currencies_terms_plans_segments_and_tiers_are_left_alone() -> None:
    others = [
        price(Market="DE", Currency="EUR"),
        price(Currency="EUR"),
        price(TermDuration="P3Y"),
        price(BillingPlan="Annual"),
        price(Segment="Education"),
        price(PricingTierRangeMin=10),
    ]
    load(price(), *others)
    report = load(price("180.00", EffectiveStartDate=FROM[JUNE]))
    assert (report.added, report.ended) == (1, 1)
    assert sum(1 for _, _, end in prices() if end is None) == len(others) + 1


def test_what_a_newer_sheet_does_not_name_stays_and_is_counted() -> None:
    load(price(), price(SkuId="000E"), price(Market="DE", Currency="EUR"))
    report = load(price("180.00", EffectiveStartDate=FROM[JUNE]))
    assert report.not_named == 1  # 000E in the US; Germany is not in the sheet at all
    assert len(prices()) == 4


# ---------------------------------------------------------------- titles, rights, log


def test_changed_titles_are_taken_over() -> None:
    load(price())
    report = load(price(ProductTitle="Windows Server 2022 Standard Edition", SkuTitle="16 cores, 1 year"))
    assert (report.retitled, report.added, report.unchanged) == (2, 0, 1)
    session.rollback()
    assert session.scalars(select(Product.title)).one() == "Windows Server 2022 Standard Edition"
    assert session.scalars(select(Sku.title)).one() == "16 cores, 1 year"


def test_the_import_is_remembered_and_in_the_log(world: World) -> None:
    with transaction():
        report = import_price_sheet(sheet(price()), "june.csv", by=world.actor("olga"))
    kept = session.scalars(select(PriceSheetImport)).one()
    assert (kept.file_name, kept.rows, kept.added, kept.imported_by_id) == ("june.csv", 1, 1, world.people["olga"])
    assert len(kept.sha256) == 64
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.operation, entry.resource_id) == ("import_price_sheet", kept.sha256)
    assert report.ok


def test_d14_only_the_operator_imports(world: World) -> None:
    with pytest.raises(Forbidden):
        import_price_sheet(sheet(price()), "june.csv", by=world.actor("alice"))
    assert session.scalars(select(PriceSheetImport)).all() == []
