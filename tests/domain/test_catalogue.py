"""What is sold to whom, and why not (R1, R2, R5-R13, B6, D12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from csp_web import db
from csp_web.db import now, session, transaction
from csp_web.domain.sales.catalogue import hybrid_benefit, offer_problems, quantity_problem, selling_text, skus_in_stock
from csp_web.domain.sales.offer_list import Filters, OfferPage, currency_of, list_offers, recent_azure_subscription
from csp_web.domain.sales.price_import import import_price_sheet
from csp_web.i18n import use_place
from csp_web.models import MarketSet, ProductFamily
from tests.domain.test_price_import import SHIPPED
from tests.support.sheets import price, sheet
from tests.support.shop import AZURE, add, add_stock, build_shop, end_price, exclude_from, new_price
from tests.world import World, make_offer, make_subscription


@pytest.fixture
def shop(database: None) -> World:
    return build_shop()


def problems(world: World, offer: str, customer: str, at: datetime | None = None) -> list[str]:
    return offer_problems(world.offer(offer), world.customer(customer), at or now())


def shown(world: World, customer: str = "coho", cursor: str | None = None, **filters: object) -> OfferPage:
    session.rollback()
    return list_offers(world.customer(customer), Filters(**filters), at=now(), cursor=cursor)  # type: ignore[arg-type]


# ---------------------------------------------------------------- why not


def test_r12_software_is_sold_in_an_excluded_market(shop: World) -> None:
    assert problems(shop, "windows-RU", "datum") == []


def test_r11_b6_a_reservation_there_is_refused_with_list_date_and_advice(shop: World) -> None:
    (reason,) = problems(shop, "reservation-RU", "datum")
    assert "Russia" in reason
    assert "seed-2018" in reason
    assert "1 Aug 2018" in reason
    assert "operator" in reason


def test_r11_reservations_are_sold_elsewhere(shop: World) -> None:
    assert problems(shop, "reservation-US", "coho") == []
    assert problems(shop, "reservation-DE", "tailspin") == []


def test_r13_the_customers_country_decides_not_the_prices_market(shop: World) -> None:
    (reason,) = problems(shop, "reservation-US", "datum")
    assert "United States" in reason
    assert "Russia" in reason


def test_d8_before_the_list_was_in_force_the_reservation_could_be_bought(shop: World) -> None:
    begin = now() - timedelta(days=10)
    exclude_from(shop, begin)
    assert problems(shop, "reservation-RU", "datum", begin - timedelta(seconds=1)) == []
    assert problems(shop, "reservation-RU", "datum", begin) != []


def test_b6_a_price_that_ended_says_when(shop: World) -> None:
    end_price(shop, "windows-US", datetime(2026, 3, 5, tzinfo=UTC))
    (reason,) = problems(shop, "windows-US", "coho")
    assert "ended on 5 Mar 2026" in reason


def test_a_price_ends_at_its_end_and_not_before(shop: World) -> None:
    end = datetime(2026, 3, 5, tzinfo=UTC)
    end_price(shop, "windows-US", end)
    assert problems(shop, "windows-US", "coho", end - timedelta(microseconds=1)) == []
    assert problems(shop, "windows-US", "coho", end) != []


def test_b6_a_price_that_begins_later_says_when(shop: World) -> None:
    offer = shop.offer("windows-US")
    with transaction():
        offer.valid_from = datetime(2099, 7, 1, tzinfo=UTC)
    (reason,) = problems(shop, "windows-US", "coho")
    assert "applies from 1 Jul 2099" in reason


def test_r3_other_segments_than_commercial_are_not_sold(shop: World) -> None:
    offer = shop.offer("windows-US")
    with transaction():
        offer.segment = "Education"
    (reason,) = problems(shop, "windows-US", "coho")
    assert "Education" in reason


def test_b6_without_a_cancellation_policy_nothing_is_sold(shop: World) -> None:
    from csp_web.models import CancellationPolicy

    policies = session.scalars(db.select(CancellationPolicy)).all()
    with transaction():
        for policy in policies:
            policy.in_force_from = None
    (reason,) = problems(shop, "windows-US", "coho")
    assert "policy" in reason


def test_reasons_are_said_in_russian_too_or_at_least_with_russian_dates(shop: World) -> None:
    with use_place("ru"):
        (reason,) = problems(shop, "reservation-RU", "datum")
    assert "Россия" in reason
    assert "2018" in reason


@pytest.mark.parametrize(
    ("quantity", "said"), [(0, "smallest quantity is 1"), (-5, "smallest"), (1, ""), (10_000, ""), (10_001, "largest")]
)
def test_quantities_have_limits(quantity: int, said: str) -> None:
    found = quantity_problem(quantity, smallest=1, largest=10_000, prices=[])
    assert (said in found) if said else found == ""


# ---------------------------------------------------------------- the list


def test_r1_the_list_shows_the_three_families_newest_products_first(shop: World) -> None:
    page = shown(shop)
    assert [group.family for group in page.groups] == [
        ProductFamily.WINDOWS_SERVER,
        ProductFamily.WINDOWS_SERVER,
        ProductFamily.SQL_SERVER,
        ProductFamily.AZURE_RESERVATION,
    ]
    assert all(row.currency == "USD" and row.prices for group in page.groups for row in group.rows)


def test_b6_what_cannot_be_bought_is_listed_with_its_reason(shop: World) -> None:
    groups = {group.family: group for group in shown(shop, "datum").groups}
    assert "seed-2018" in groups[ProductFamily.AZURE_RESERVATION].reasons[0]
    assert groups[ProductFamily.SQL_SERVER].reasons == ()


def test_b6_a_market_without_prices_shows_everything_and_says_why_not(database: None) -> None:
    world = build_shop()
    customer = world.customer("coho")
    with transaction():
        customer.country = "FR"
    page = shown(world)
    assert len(page.groups) == 4
    assert all("France" in group.reasons[0] for group in page.groups)


def test_reasons_of_single_offers_stay_with_them(shop: World) -> None:
    three = make_three_years(shop)
    end_price(shop, three, datetime(2026, 1, 1, tzinfo=UTC))
    (group,) = [group for group in shown(shop).groups if group.title == "SQL Server 2025 Standard"]
    assert group.reasons == ()
    assert {row.term: bool(row.reasons) for row in group.rows} == {"P1Y": False, "P3Y": True}


def make_three_years(world: World) -> str:
    with transaction():
        world.offers["sql-US-3"] = make_offer("sql", market="US", currency="USD", price=290_000, term="P3Y").id
    return "sql-US-3"


def test_filters_narrow_by_family_term_plan_and_words(shop: World) -> None:
    make_three_years(shop)
    assert {g.title for g in shown(shop, family=ProductFamily.SQL_SERVER).groups} == {"SQL Server 2025 Standard"}
    (group,) = shown(shop, term="P3Y").groups
    assert [row.term for row in group.rows] == ["P3Y"]
    assert shown(shop, billing_plan="Monthly").groups == []
    assert [g.title for g in shown(shop, text="sql 2025").groups] == ["SQL Server 2025 Standard"]
    assert [g.title for g in shown(shop, text="dg7gmgf08sy7:0001").groups] == ["SQL Server 2025 Standard"]
    assert shown(shop, text="100% sure_").groups == []


def test_only_the_price_in_force_is_shown_of_those_that_follow_each_other(shop: World) -> None:
    new_price(shop, "sql-US", 120_000, now() - timedelta(days=1))
    new_price_later = new_price(shop, "windows-US", 130_000, now() + timedelta(days=1))
    rows = {group.title: group.rows for group in shown(shop).groups}
    assert [p.unit_price for p in rows["SQL Server 2025 Standard"][0].prices] == [120_000]
    (row,) = rows["Windows Server 2025 Datacenter"]
    assert [p.unit_price for p in row.prices] == [107_800]
    assert new_price_later.id not in {p.offer_id for p in row.prices}


def test_a_market_with_its_own_and_another_currency_shows_its_own(shop: World) -> None:
    with transaction():
        make_offer("sql", market="US", currency="EUR", price=5)
    (group,) = shown(shop, family=ProductFamily.SQL_SERVER).groups
    assert [row.currency for row in group.rows] == ["USD"]


@pytest.mark.parametrize(("market", "currency"), [("US", "USD"), ("DE", "EUR"), ("KZ", "KZT"), ("ZZ", "")])
def test_a_market_has_a_currency(market: str, currency: str) -> None:
    assert currency_of(market) == currency


def test_what_is_sold_in_another_currency_alone_is_shown_in_that(shop: World) -> None:
    customer = shop.customer("coho")
    with transaction():
        make_offer("sql", market="KZ", currency="USD", price=5)
        customer.country = "KZ"
    (group,) = shown(shop, family=ProductFamily.SQL_SERVER).groups
    assert [(row.currency, row.prices[0].unit_price) for row in group.rows] == [("USD", 5)]


def test_volume_prices_stand_in_one_row(database: None) -> None:
    world = build_shop()
    import_price_sheet(
        sheet(price("100.00", PricingTierRangeMin=1, PricingTierRangeMax=9), price("90.00", PricingTierRangeMin=10)),
        "tiers.csv",
        by=None,
    )
    (group,) = shown(world, text="2022 Standard").groups
    (row,) = group.rows
    assert [(p.tier_min, p.tier_max, p.unit_price) for p in row.prices] == [(1, 9, 10_000), (10, None, 9_000)]


# ---------------------------------------------------------------- what is said about a product


def test_r2_r4_families_say_what_they_are_for_and_that_software_is_not_in_a_reservation() -> None:
    assert all("always on" in selling_text(family) for family in ProductFamily)
    assert "software is not in it" in selling_text(ProductFamily.AZURE_RESERVATION)


def test_r5_r10_windows_server_products_state_the_hybrid_benefit_by_edition() -> None:
    windows = ProductFamily.WINDOWS_SERVER
    standard = hybrid_benefit("Windows Server 2025 Standard", windows, is_cal=False)
    datacenter = hybrid_benefit("Windows Server 2025 Datacenter", windows, is_cal=False)
    assert "converted" in standard
    assert "at the same time" in datacenter
    assert all("40 %" in text and "Linux" in text for text in (standard, datacenter))
    assert hybrid_benefit("Windows Server 2025", windows, is_cal=True) == ""
    assert hybrid_benefit("SQL Server 2025 Standard", ProductFamily.SQL_SERVER, is_cal=False) == ""


def test_keys_files_and_terms_are_known_of_every_product(shop: World) -> None:
    facts = {(group.product_id, group.has_keys, group.has_files, bool(group.until)) for group in shown(shop).groups}
    assert facts == {
        ("DG7GMGF06GW3", True, True, True),
        ("DG7GMGF095L8", True, False, True),
        ("DG7GMGF08SY7", True, True, True),
        ("DZH318Z07DWW", False, False, False),
    }


def test_d12_stock_of_the_products_own_version_is_told(shop: World) -> None:
    add_stock(shop, "windows-US", "Windows Server 2025")
    add_stock(shop, "sql-US", "SQL Server 2019")
    windows, sql = shop.offer("windows-US").sku_id, shop.offer("sql-US").sku_id
    assert skus_in_stock({windows, sql}) == {windows}
    stock = {group.title: [row.in_stock for row in group.rows] for group in shown(shop).groups}
    assert stock["Windows Server 2025 Datacenter"] == [True]
    assert stock["SQL Server 2025 Standard"] == [False]
    assert stock["Reserved VM Instance, Standard_D2s_v5"] == [True]  # nothing to wait for


def test_r4_the_azure_subscription_named_last_is_offered_again(shop: World) -> None:
    assert recent_azure_subscription(shop.customer("coho")) == ""
    add(shop, "reservation-US", azure=AZURE, scope="shared")
    assert recent_azure_subscription(shop.customer("coho")) == AZURE
    assert recent_azure_subscription(shop.customer("tailspin")) == ""


def test_r4_or_that_of_an_earlier_order(shop: World) -> None:
    customer, offer, alice = shop.customer("coho"), shop.offer("reservation-US"), shop.actor("alice")
    with transaction():
        make_subscription(customer, offer, by=alice).azure_subscription_id = AZURE
    assert recent_azure_subscription(shop.customer("coho")) == AZURE


# ---------------------------------------------------------------- paging and cost


@pytest.fixture
def full(database: None) -> World:
    world = build_shop()
    with SHIPPED.open("rb") as file:
        import_price_sheet(file, SHIPPED.name, by=None)
    return world


def test_pages_show_every_offer_once_forwards_and_backwards(full: World) -> None:
    cursor, seen, pages = None, [], []
    while True:
        page = shown(full, cursor=cursor)
        pages.append([(g.product_id, row.sku_id, row.billing_plan) for g in page.groups for row in g.rows])
        seen += pages[-1]
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 138  # the sheet's 134 and those of the world
    assert [len({offer[:2] for offer in page}) for page in pages] == [30, 30, 30, 30, 17]
    back = shown(full, cursor=page.previous)
    assert [(g.product_id, row.sku_id, row.billing_plan) for g in back.groups for row in g.rows] == pages[-2]


@pytest.mark.parametrize("cursor", ["", "nonsense", "WzAsIngiLCJ5IiwieiIsInciXQ", "WzAsMSwyLDMsNF0"])
def test_a_cursor_that_somebody_made_up_shows_some_page(full: World, cursor: str) -> None:
    assert shown(full, cursor=cursor).groups is not None


def test_offers_of_a_product_stand_together_in_the_sheets_order(full: World) -> None:
    (group,) = shown(full, text="2022 Datacenter").groups
    assert [row.sku_id for row in group.rows] == ["0013", "0014", "0015", "0016", "0017", "0018"]


def test_a_page_takes_five_statements_whatever_the_size(full: World) -> None:
    statements: list[str] = []
    customer = full.customer("datum")
    session.rollback()
    customer.country  # noqa: B018 -- read again before counting
    event.listen(db.engine(), "before_cursor_execute", lambda *args: statements.append(args[2]))
    list_offers(customer, Filters(), at=now())
    assert len(statements) == 5
    statements.clear()
    list_offers(customer, Filters(text="no such product"), at=now())
    assert len(statements) <= 5


def test_r11_every_reservation_of_the_sheet_is_refused_in_russia_and_nothing_else(full: World) -> None:
    refused: set[ProductFamily] = set()
    sold: set[ProductFamily] = set()
    cursor = None
    while True:
        page = shown(full, "datum", cursor=cursor)
        for group in page.groups:
            (refused if group.reasons else sold).add(group.family)
        cursor = page.next
        if cursor is None:
            break
    assert refused == {ProductFamily.AZURE_RESERVATION}
    assert sold == {ProductFamily.WINDOWS_SERVER, ProductFamily.SQL_SERVER}


def test_the_market_lists_that_wait_refuse_nothing(shop: World) -> None:
    waiting = session.scalars(db.select(MarketSet).filter_by(name="2021-07")).one()
    assert waiting.in_force_from is None
    assert problems(shop, "windows-RU", "datum") == []


def test_the_hybrid_benefit_is_stated_by_edition() -> None:
    """R5-R10: up to 40 % less for both editions at the base compute rate; Standard is converted, Datacenter re-used."""
    standard = hybrid_benefit("Windows Server 2025 Standard", ProductFamily.WINDOWS_SERVER, is_cal=False)
    datacenter = hybrid_benefit("Windows Server 2025 Datacenter", ProductFamily.WINDOWS_SERVER, is_cal=False)
    for sentence in (standard, datacenter):
        assert "up to 40 %" in sentence
        assert "base compute rate" in sentence
    assert "converted" in standard
    assert "on premises at the same time" in datacenter
    assert hybrid_benefit("SQL Server 2025 Standard", ProductFamily.SQL_SERVER, is_cal=False) == ""
    assert hybrid_benefit("Windows Server 2025", ProductFamily.WINDOWS_SERVER, is_cal=True) == ""
