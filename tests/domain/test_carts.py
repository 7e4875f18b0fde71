"""Carts: they belong to the team, add up, and know what stands in the way (R4, R14-R17, D1, D12, B6)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from csp_web import db
from csp_web.db import now, select, session, transaction
from csp_web.domain.cart_review import changes_since
from csp_web.domain.carts import MOST_LINES, add_line, cart_size, change_lines, find_cart
from csp_web.domain.price_import import import_price_sheet
from csp_web.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from csp_web.models import AuditEntry, Cart, CartLine, Offer
from tests.support.sheets import price, sheet
from tests.support.shop import (
    AZURE,
    add,
    add_stock,
    build_shop,
    cart_of,
    end_price,
    exclude_from,
    look,
    new_price,
    new_token,
)
from tests.world import World, make_offer

OTHER_AZURE = "9b2e4a7c-3d51-4e0f-8a6b-1c2d3e4f5a6b"


@pytest.fixture
def shop(database: None) -> World:
    return build_shop()


def lines(world: World) -> list[tuple[int, int]]:
    session.rollback()
    return [(line.offer_id, line.quantity) for line in session.scalars(select(CartLine).order_by(CartLine.id))]


def change(
    world: World, quantities: dict[str, int] | None = None, *, remove: tuple[str, ...] = (), who: str = "alice"
) -> None:
    cart = cart_of(world)
    with transaction():
        change_lines(cart, quantities=quantities or {}, remove=remove, by=world.actor(who))


# ---------------------------------------------------------------- adding


def test_r15_an_offer_goes_into_the_customers_cart(shop: World) -> None:
    add(shop, "windows-US", 3)
    assert lines(shop) == [(shop.offers["windows-US"], 3)]
    assert cart_size(shop.customer("coho")) == 1
    assert cart_size(shop.customer("datum")) == 0


def test_the_same_offer_adds_up_and_others_do_not(shop: World) -> None:
    add(shop, "windows-US", 3)
    add(shop, "sql-US", 1)
    add(shop, "windows-US", 4)
    assert lines(shop) == [(shop.offers["windows-US"], 7), (shop.offers["sql-US"], 1)]


def test_the_cart_belongs_to_the_team(shop: World) -> None:
    add(shop, "windows-US", 3, who="alice")
    add(shop, "windows-US", 2, who="bob")
    assert lines(shop) == [(shop.offers["windows-US"], 5)]
    cart = cart_of(shop)
    assert cart.modified_by_id == shop.people["bob"]
    assert session.scalars(select(CartLine)).one().added_by_id == shop.people["alice"]


def test_each_change_raises_the_version(shop: World) -> None:
    line = add(shop, "windows-US", 3)
    first = cart_of(shop).version
    change(shop, {line: 4})
    assert cart_of(shop).version == first + 1
    change(shop, {line: 4})
    assert cart_of(shop).version == first + 1


def test_the_same_form_twice_adds_once(shop: World) -> None:
    token = new_token()
    assert add(shop, "windows-US", 3, token=token) == add(shop, "windows-US", 3, token=token)
    assert lines(shop) == [(shop.offers["windows-US"], 3)]


def test_the_same_form_with_other_content_is_refused(shop: World) -> None:
    token = new_token()
    add(shop, "windows-US", 3, token=token)
    with pytest.raises(Conflict):
        add(shop, "windows-US", 4, token=token)


def test_the_same_form_after_the_line_was_taken_out_does_not_bring_it_back(shop: World) -> None:
    token = new_token()
    line = add(shop, "windows-US", 3, token=token)
    change(shop, remove=(line,))
    with pytest.raises(Conflict):
        add(shop, "windows-US", 3, token=token)
    assert lines(shop) == []


@pytest.mark.parametrize("who", ["helen", "bill", "audrey"])
def test_d14_who_may_not_order_may_not_fill_a_cart(shop: World, who: str) -> None:
    with pytest.raises(Forbidden):
        add(shop, who=who)
    assert find_cart(shop.customer("coho")) is None


def test_r11_b6_what_cannot_be_bought_does_not_get_into_the_cart(shop: World) -> None:
    with pytest.raises(Refused, match="seed-2018"):
        add(shop, "reservation-RU", customer="datum", azure=AZURE, scope="single")
    assert lines(shop) == []


@pytest.mark.parametrize("quantity", [0, -1, 10_001])
def test_quantities_out_of_limits_are_refused_beside_the_field(shop: World, quantity: int) -> None:
    with pytest.raises(Invalid) as refused:
        add(shop, "windows-US", quantity)
    assert "quantity" in refused.value.problems


def test_adding_up_stops_at_the_limit_too(shop: World) -> None:
    add(shop, "windows-US", 9_999)
    with pytest.raises(Invalid):
        add(shop, "windows-US", 2)
    assert lines(shop) == [(shop.offers["windows-US"], 9_999)]


def test_a_cart_holds_so_many_lines_and_says_so(shop: World) -> None:
    add(shop, "windows-US")
    cart, offer = cart_of(shop), shop.offers["windows-US"]
    with transaction():
        session.add_all(
            CartLine(cart_id=cart.id, offer_id=offer, quantity=1, unit_price=1, scope=str(number))
            for number in range(MOST_LINES - 1)
        )
    with pytest.raises(Refused, match=str(MOST_LINES)):
        add(shop, "sql-US")


# ---------------------------------------------------------------- reservations


def test_r4_a_reservation_names_the_azure_subscription_and_scope(shop: World) -> None:
    add(shop, "reservation-US", azure=f"{{{AZURE.upper()}}}", scope="shared")
    line = session.scalars(select(CartLine)).one()
    assert (line.azure_subscription_id, line.scope) == (AZURE, "shared")


@pytest.mark.parametrize(
    ("azure", "scope", "fields"),
    [
        ("", "single", {"azure_subscription"}),
        ("not a guid", "single", {"azure_subscription"}),
        (AZURE, "everything", {"scope"}),
        ("", "", {"azure_subscription", "scope"}),
    ],
)
def test_r4_without_them_it_is_not_taken(shop: World, azure: str, scope: str, fields: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        add(shop, "reservation-US", azure=azure, scope=scope)
    assert set(refused.value.problems) == fields


def test_reservations_for_two_azure_subscriptions_are_two_lines(shop: World) -> None:
    for azure in (AZURE, OTHER_AZURE, AZURE):
        add(shop, "reservation-US", azure=azure, scope="single")
    add(shop, "reservation-US", azure=AZURE, scope="shared")
    assert sorted(quantity for _, quantity in lines(shop)) == [1, 1, 2]


def test_software_carries_no_azure_subscription(shop: World) -> None:
    add(shop, "windows-US", azure=AZURE, scope="single")
    line = session.scalars(select(CartLine)).one()
    assert (line.azure_subscription_id, line.scope) == (None, None)


# ---------------------------------------------------------------- changing


def test_quantities_are_set_and_lines_taken_out(shop: World) -> None:
    first, second = add(shop, "windows-US", 3), add(shop, "sql-US", 1)
    change(shop, {first: 5}, remove=(second,))
    assert lines(shop) == [(shop.offers["windows-US"], 5)]


def test_a_line_that_is_gone_in_the_meantime_is_passed_over(shop: World) -> None:
    first, second = add(shop, "windows-US", 3), add(shop, "sql-US", 1)
    change(shop, remove=(second,))
    change(shop, {first: 4, second: 9}, remove=(second,))
    assert lines(shop) == [(shop.offers["windows-US"], 4)]


def test_one_wrong_quantity_changes_nothing_and_is_named(shop: World) -> None:
    first, second = add(shop, "windows-US", 3), add(shop, "sql-US", 1)
    with pytest.raises(Invalid) as refused:
        change(shop, {first: 5, second: 0})
    assert set(refused.value.problems) == {f"quantity-{second}"}
    assert [quantity for _, quantity in lines(shop)] == [3, 1]


def test_only_who_may_order_changes_a_cart(shop: World) -> None:
    line = add(shop)
    with pytest.raises(Forbidden):
        change(shop, {line: 2}, who="helen")


def test_d14_another_partners_cart_is_not_found(shop: World) -> None:
    line = add(shop)
    with pytest.raises(NotFound):
        change(shop, {line: 2}, who="charlie")


def test_b11_changes_are_in_the_log(shop: World) -> None:
    line = add(shop, "windows-US", 3)
    change(shop, {line: 5})
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.seq)).all()
    assert [entry.operation for entry in entries] == ["add_to_cart", "change_cart"]
    assert {entry.customer_id for entry in entries} == {shop.customers["coho"]}


def test_two_people_adding_at_once_lose_nothing(shop: World, database_url: str) -> None:
    def run(who: str) -> None:
        try:
            for _ in range(5):
                add(shop, "windows-US", 1, who=who)
        except Exception as error:  # noqa: BLE001 -- shown by the assertion below
            failures.append(error)
        finally:
            db.session.remove()

    failures: list[Exception] = []
    threads = [threading.Thread(target=run, args=(who,)) for who in ("alice", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert lines(shop) == [(shop.offers["windows-US"], 10)]
    assert session.scalars(select(Cart)).one().version == 11


def test_an_old_page_does_not_touch_a_line_that_took_the_number_of_another(shop: World) -> None:
    old = add(shop, "windows-US", 3)
    change(shop, remove=(old,))
    new = add(shop, "sql-US", 1)
    change(shop, {old: 9}, remove=(old,))
    assert new != old
    assert lines(shop) == [(shop.offers["sql-US"], 1)]


# ---------------------------------------------------------------- review


def test_d6_totals_are_sums_of_minor_units_by_currency(shop: World) -> None:
    add(shop, "windows-US", 3)
    add(shop, "sql-US", 2)
    review = look(shop)
    assert [line.total for line in review.lines] == [323_400, 215_600]
    assert review.totals == {"USD": 539_000}


def test_d1_every_line_tells_until_when_it_could_be_cancelled(shop: World) -> None:
    add(shop, "windows-US")
    add(shop, "reservation-US", azure=AZURE, scope="single")
    at = datetime(2028, 1, 15, tzinfo=UTC)
    software, reservation = look(shop, at=at).lines
    assert software.until == datetime(2028, 3, 15, tzinfo=UTC)
    assert reservation.until is None
    assert software.policy is not None
    assert reservation.policy is not None
    assert (software.policy.code, reservation.policy.code) == ("seed-2018", "reservation")


def test_d12_a_line_without_stock_says_that_it_waits(shop: World) -> None:
    add(shop, "windows-US")
    assert look(shop).lines[0].waits
    add_stock(shop, "windows-US", "Windows Server 2025")
    assert not look(shop).lines[0].waits


def test_b6_a_line_that_cannot_be_ordered_any_more_says_why_and_costs_nothing(shop: World) -> None:
    exclude_from(shop, now() + timedelta(days=1))
    customer = shop.customer("coho")
    with transaction():
        customer.country = "RU"
    add(shop, "windows-RU", 1)
    add(shop, "reservation-RU", azure=AZURE, scope="single")
    review = look(shop, at=now() + timedelta(days=2))
    assert [len(line.problems) for line in review.lines] == [0, 1]
    assert "seed-2018" in review.refused[0].problems[0]
    assert review.totals == {"RUB": 107_800}


def test_b6_a_price_that_ended_without_a_newer_one_refuses_the_line(shop: World) -> None:
    add(shop, "windows-US")
    end_price(shop, "windows-US", now())
    (line,) = look(shop).lines
    assert "ended" in line.problems[0]
    assert line.total == 0


def test_a_newer_price_counts_and_is_pointed_out(shop: World) -> None:
    add(shop, "windows-US", 2)
    newer = new_price(shop, "windows-US", 120_000, now())
    (line,) = look(shop).lines
    assert line.price is not None
    assert (line.price.offer_id, line.total, line.price_changed) == (newer.id, 240_000, True)
    assert line.line.unit_price == 107_800


def test_a_newer_price_of_the_same_amount_is_nothing_to_point_out(shop: World) -> None:
    add(shop, "windows-US", 2)
    new_price(shop, "windows-US", 107_800, now())
    assert not look(shop).price_changed


def test_adding_the_same_at_the_newer_price_still_points_it_out(shop: World) -> None:
    add(shop, "windows-US", 2)
    shop.offers["newer"] = new_price(shop, "windows-US", 120_000, now()).id
    add(shop, "newer", 1)
    (line,) = look(shop).lines
    assert (line.line.quantity, line.price_changed) == (3, True)


def test_a_price_that_ended_cannot_be_added_from_an_old_page(shop: World) -> None:
    new_price(shop, "windows-US", 120_000, now())
    with pytest.raises(Refused, match="ended"):
        add(shop, "windows-US", 1)


def tiered(shop: World) -> str:
    """A cart with nine of what costs less from ten on."""
    import_price_sheet(
        sheet(price("100.00", PricingTierRangeMin=1, PricingTierRangeMax=9), price("90.00", PricingTierRangeMin=10)),
        "tiers.csv",
        by=None,
    )
    offer = session.scalars(select(Offer).filter_by(unit_price=10_000)).one()
    shop.offers["tier"] = offer.id
    return add(shop, "tier", 9)


def test_a_volume_price_follows_the_quantity_without_being_called_a_change(shop: World) -> None:
    line = tiered(shop)
    assert look(shop).totals == {"USD": 90_000}
    change(shop, {line: 10})
    review = look(shop)
    assert review.totals == {"USD": 90_000}
    assert not review.price_changed


def test_a_quantity_without_a_volume_price_is_refused(shop: World) -> None:
    with transaction():
        offer = make_offer("sql", market="US", currency="USD", term="P3Y")
        offer.tier_min = 5
        shop.offers["from five"] = offer.id
    with pytest.raises(Invalid) as refused:
        add(shop, "from five", 4)
    assert "5" in refused.value.problems["quantity"]


def test_an_amount_beyond_what_can_be_counted_is_refused_not_rounded(shop: World) -> None:
    offer = shop.offer("windows-US")
    with transaction():
        offer.unit_price = 2**52
    add(shop, "windows-US", 3)
    (line,) = look(shop).lines
    assert line.problems == ["The amount is too large."]


def test_a_cart_that_nobody_filled_is_empty(shop: World) -> None:
    from csp_web.domain.cart_review import review

    empty = review(None, shop.customer("coho"), now())
    assert (empty.lines, empty.totals, empty.version) == ([], {}, 0)


def test_what_changed_since_a_person_looked_is_said_line_by_line(shop: World) -> None:
    first, second = add(shop, "windows-US", 2), add(shop, "sql-US", 1)
    seen = look(shop).shown
    assert changes_since(seen, look(shop)) == []
    change(shop, {first: 5}, remove=(second,))
    add(shop, "cal-US", 1)
    said = " ".join(changes_since(seen, look(shop)))
    assert "quantity of “Windows Server 2025 Datacenter, Windows Server 2025 Datacenter - 1 year”" in said
    assert "was added" in said
    assert "no longer in the cart: 1" in said


def test_a_changed_price_or_a_refusal_is_a_change_too(shop: World) -> None:
    add(shop, "windows-US", 2)
    seen = look(shop).shown
    new_price(shop, "windows-US", 120_000, now())
    assert " price" in changes_since(seen, look(shop))[0]
    assert "cannot be ordered" in changes_since(seen, look(shop, at=datetime(2017, 1, 1, tzinfo=UTC)))[0]


def test_a_line_is_added_only_with_a_quantity_that_the_database_would_take(shop: World) -> None:
    with pytest.raises(Invalid), transaction():
        add_line(shop.customer("coho"), shop.offer("windows-US"), 10**30, by=shop.actor("alice"), token=new_token())
