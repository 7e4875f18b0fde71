"""Placing orders: once, whole, frozen (R3, R16, R17, D1, D6-D10, D12, I7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from csp_web.db import now, select, session, transaction
from csp_web.domain.sales.cart_review import CartChanged
from csp_web.domain.sales.ordering import term_end
from csp_web.errors import Forbidden, Invalid, NotFound, Refused
from csp_web.identifiers import Kind, looks_like
from csp_web.models import (
    AccountEntry,
    AccountEntryKind,
    AuditEntry,
    CancellationPolicy,
    CartLine,
    Entitlement,
    KeyAssignment,
    KeyWait,
    Order,
    SkuInclusion,
    Subscription,
)
from tests.support.shop import (
    AZURE,
    add,
    build_shop,
    cart_of,
    end_price,
    look,
    new_price,
    order,
)
from tests.world import World

AT = datetime(2028, 2, 29, 13, 14, 15, tzinfo=UTC)


@pytest.fixture
def shop(database: None) -> World:
    return build_shop()


def orders() -> list[Order]:
    session.rollback()
    return list(session.scalars(select(Order).order_by(Order.id)))


def as_shown(world: World) -> tuple[int, list[str]]:
    """What the page of the cart would hold in its form."""
    review = look(world)
    return review.version, review.shown


def subscriptions() -> list[Subscription]:
    session.rollback()
    return list(session.scalars(select(Subscription).order_by(Subscription.id)))


# ---------------------------------------------------------------- what an order is


def test_r16_r17_an_order_is_one_subscription_per_line(shop: World) -> None:
    add(shop, "windows-US", 3)
    add(shop, "sql-US", 2)
    placed = order(shop, who="bob", reference=" PO 4711 ")
    assert (placed.customer_id, placed.partner_id) == (shop.customers["coho"], shop.partners["contoso"])
    assert (placed.placed_by_id, placed.reference) == (shop.people["bob"], "PO 4711")
    assert [(line.line_number, line.quantity, line.total, line.currency) for line in subscriptions()] == [
        (0, 3, 323_400, "USD"),
        (1, 2, 215_600, "USD"),
    ]
    assert {line.partner_id for line in subscriptions()} == {shop.partners["contoso"]}


def test_d10_an_order_has_both_identifiers(shop: World) -> None:
    add(shop)
    placed = order(shop)
    assert looks_like(placed.order_id) is Kind.ORDER_ID
    assert looks_like(placed.alternate_id) is Kind.ALTERNATE_ID
    assert len(placed.order_id) == 33


def test_d9_the_charge_goes_on_account_due_in_sixty_days(shop: World) -> None:
    add(shop, "windows-US", 3)
    placed = order(shop)
    assert placed.due_at - placed.placed_at == timedelta(days=60)
    entry = session.scalars(select(AccountEntry)).one()
    assert (entry.kind, entry.amount, entry.currency) == (AccountEntryKind.CHARGE, 323_400, "USD")
    assert entry.partner_id == shop.partners["contoso"]


def test_d8_titles_price_and_policy_are_frozen(shop: World) -> None:
    add(shop, "windows-US")
    order(shop)
    offer = shop.offer("windows-US")
    with transaction():
        offer.unit_price = 1
        offer.sku.title = offer.sku.product.title = "Something else"
        for policy in session.scalars(select(CancellationPolicy)):
            policy.terms = {"steps": []}
    (line,) = subscriptions()
    assert (line.unit_price, line.product_title) == (107_800, "Windows Server 2025 Datacenter")
    assert line.sku_title == "Windows Server 2025 Datacenter - 1 year"
    assert (line.policy_code, line.policy_terms["steps"]) == ("seed-2018", [{"until_hours": 1440, "refund": "full"}])


def test_d1_the_window_closes_sixty_times_24_hours_after_the_orders_instant(shop: World) -> None:
    add(shop, "windows-US")
    with time_machine.travel(datetime(2026, 10, 1, 10, tzinfo=UTC), tick=False):
        placed = order(shop)
    (line,) = subscriptions()
    assert line.ordered_at == placed.placed_at == datetime(2026, 10, 1, 10, tzinfo=UTC)
    assert line.cancel_until == datetime(2026, 11, 30, 10, tzinfo=UTC)


def test_d8_a_reservation_has_its_own_policy_no_window_and_no_keys(shop: World) -> None:
    add(shop, "reservation-US", 2, azure=AZURE, scope="shared")
    order(shop)
    (line,) = subscriptions()
    assert (line.policy_code, line.cancel_until) == ("reservation", None)
    assert (line.azure_subscription_id, line.scope, line.region) == (AZURE, "shared", "West Europe")
    assert session.scalars(select(KeyAssignment)).all() == []
    assert session.scalars(select(KeyWait)).all() == []


def test_the_instant_can_be_given_for_history(shop: World) -> None:
    add(shop)
    placed = order(shop, at=AT)
    (line,) = subscriptions()
    assert placed.placed_at == line.ordered_at == AT
    assert line.ends_at == datetime(2029, 2, 28, 13, 14, 15, tzinfo=UTC)
    assert session.scalars(select(AccountEntry)).one().at == AT


@pytest.mark.parametrize(
    ("start", "term", "end"),
    [
        ("2026-11-22", "P1Y", "2027-11-22"),
        ("2026-11-22", "P3Y", "2029-11-22"),
        ("2028-02-29", "P1Y", "2029-02-28"),
        ("2028-02-29", "P3Y", "2031-02-28"),
        ("2027-02-28", "P1Y", "2028-02-28"),
        ("2026-12-31", "P1M", "2027-01-31"),
        ("2027-01-31", "P1M", "2027-02-28"),
        ("2026-12-15", "P12M", "2027-12-15"),
    ],
)
def test_terms_end_on_the_same_day_or_the_months_last(start: str, term: str, end: str) -> None:
    begin, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC, hour=23, minute=59) for text in (start, end))
    assert term_end(begin, term) == expected


@pytest.mark.parametrize("term", ["", "1Y", "P1W", "PT1H", "P-1Y"])
def test_what_is_no_term_is_refused(term: str) -> None:
    with pytest.raises(ValueError, match="term"):
        term_end(AT, term)


def test_a_suites_parts_have_rights_of_their_own(shop: World) -> None:
    suite, part = shop.offer("sql-US").sku, shop.offer("cal-US").sku
    with transaction():
        session.add(SkuInclusion(sku_id=suite.id, included_sku_id=part.id, quantity=10))
    add(shop, "sql-US", 3)
    order(shop)
    rights = session.scalars(select(Entitlement).order_by(Entitlement.id)).all()
    assert [(right.sku_id, right.quantity) for right in rights] == [(suite.id, 3), (part.id, 30)]


def test_d12_without_stock_the_order_is_taken_and_the_line_waits(shop: World) -> None:
    add(shop, "windows-US")
    order(shop)
    wait = session.scalars(select(KeyWait)).one()
    assert wait.version == "Windows Server 2025"
    assert wait.subscription_id == subscriptions()[0].id


def test_b11_the_order_is_in_the_log_of_its_customer(shop: World) -> None:
    add(shop, "windows-US", 3)
    placed = order(shop)
    entries = session.scalars(select(AuditEntry).filter_by(operation="create_order")).all()
    assert [(entry.resource_id, entry.customer_id) for entry in entries] == [(placed.order_id, shop.customers["coho"])]
    assert entries[0].details["lines"][0]["total"] == 323_400


def test_what_was_ordered_leaves_the_cart(shop: World) -> None:
    add(shop, "windows-US")
    order(shop)
    assert session.scalars(select(CartLine)).all() == []
    add(shop, "sql-US")
    assert order(shop).id != orders()[0].id


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("who", ["helen", "bill", "audrey"])
def test_d14_who_may_not_order_is_refused(shop: World, who: str) -> None:
    add(shop)
    with pytest.raises(Forbidden):
        order(shop, who=who)
    assert orders() == []


def test_d14_another_partners_cart_is_not_found(shop: World) -> None:
    add(shop)
    with pytest.raises(NotFound):
        order(shop, who="charlie")
    assert orders() == []


def test_an_empty_cart_cannot_be_ordered(shop: World) -> None:
    add(shop)
    order(shop)
    with pytest.raises(Refused, match="empty"):
        order(shop)


def test_b6_one_refused_line_holds_the_order_and_is_named(shop: World) -> None:
    add(shop, "windows-US")
    add(shop, "sql-US")
    end_price(shop, "sql-US", now())
    with pytest.raises(Refused) as refused:
        order(shop)
    assert "SQL Server 2025 Standard" in refused.value.advice
    assert orders() == []


def test_b6_the_rest_is_ordered_when_told_so_and_the_refused_line_stays(shop: World) -> None:
    add(shop, "windows-US")
    add(shop, "sql-US")
    end_price(shop, "sql-US", now())
    order(shop, only_possible=True)
    assert [line.product_title for line in subscriptions()] == ["Windows Server 2025 Datacenter"]
    assert session.scalars(select(CartLine.offer_id)).all() == [shop.offers["sql-US"]]


def test_b6_when_nothing_can_be_ordered_the_permission_to_take_the_rest_does_not_help(shop: World) -> None:
    add(shop, "windows-US")
    end_price(shop, "windows-US", now())
    with pytest.raises(Refused):
        order(shop, only_possible=True)
    assert orders() == []


def test_a_changed_price_has_to_be_accepted(shop: World) -> None:
    add(shop, "windows-US", 2)
    newer = new_price(shop, "windows-US", 120_000, now())
    with pytest.raises(Invalid) as refused:
        order(shop)
    assert "accept_prices" in refused.value.problems
    order(shop, accept_prices=True)
    (line,) = subscriptions()
    assert (line.offer_id, line.unit_price, line.total) == (newer.id, 120_000, 240_000)


def test_a_cart_that_changed_meanwhile_is_not_ordered_and_says_what_is_different(shop: World) -> None:
    add(shop, "windows-US", 2)
    version, seen = as_shown(shop)
    add(shop, "windows-US", 3, who="bob")
    with pytest.raises(CartChanged) as refused:
        order(shop, version=version, seen=seen)
    assert "5" in refused.value.changes[0]
    assert orders() == []


def test_a_price_that_changed_while_the_page_was_open_is_not_charged(shop: World) -> None:
    add(shop, "windows-US", 2)
    version, seen = as_shown(shop)
    new_price(shop, "windows-US", 120_000, now())
    with pytest.raises(CartChanged):
        order(shop, version=version, seen=seen, accept_prices=True)
    assert orders() == []


def test_a_line_that_was_refused_meanwhile_is_not_left_out_silently(shop: World) -> None:
    add(shop, "windows-US")
    add(shop, "sql-US")
    version, seen = as_shown(shop)
    end_price(shop, "sql-US", now())
    with pytest.raises(CartChanged):
        order(shop, version=version, seen=seen, only_possible=True)
    assert orders() == []


def test_an_endless_reference_is_refused_beside_its_field(shop: World) -> None:
    add(shop)
    with pytest.raises(Invalid) as refused:
        order(shop, reference="x" * 101)
    assert "reference" in refused.value.problems


def test_what_fails_on_the_way_leaves_nothing(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("the stock is on fire")

    add(shop, "windows-US")
    version = cart_of(shop).version
    monkeypatch.setattr("csp_web.domain.sales.ordering.hand_out_own_version", fail)
    with pytest.raises(RuntimeError):
        order(shop)
    assert (orders(), subscriptions()) == ([], [])
    assert session.scalars(select(AccountEntry)).all() == []
    assert cart_of(shop).version == version
    assert len(look(shop).lines) == 1
