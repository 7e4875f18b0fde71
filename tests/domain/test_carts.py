"""Carts: they belong to the team, add up, and know what stands in the way (R4, R14-R17, D1, D12, B6)."""

from __future__ import annotations

import threading

import pytest

from csp_web import db
from csp_web.db import select, session, transaction
from csp_web.domain.sales.carts import MOST_LINES, cart_size, change_lines, find_cart
from csp_web.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from csp_web.models import AuditEntry, Cart, CartLine
from tests.support.shop import (
    AZURE,
    add,
    build_shop,
    cart_of,
    new_token,
)
from tests.world import World

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


@pytest.mark.parametrize("quantity", [0, -1, -9])
def test_adding_nothing_or_less_takes_nothing_out_of_the_cart(shop: World, quantity: int) -> None:
    add(shop, "windows-US", 10)
    with pytest.raises(Invalid) as refused:
        add(shop, "windows-US", quantity)
    assert "quantity" in refused.value.problems
    assert lines(shop) == [(shop.offers["windows-US"], 10)]


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
