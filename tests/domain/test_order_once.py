"""One form is one order: sent twice, at once, or after a restart (I7, B3, D12)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from csp_web import db
from csp_web.db import select, session, transaction
from csp_web.domain.sales.cart_review import CartChanged
from csp_web.domain.sales.ordering import place_order
from csp_web.errors import Conflict
from csp_web.models import (
    KeyAssignment,
    KeyWait,
    Order,
    ProductKey,
    Subscription,
)
from tests.support.shop import (
    add,
    add_stock,
    build_shop,
    cart_of,
    new_token,
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


def subscriptions() -> list[Subscription]:
    session.rollback()
    return list(session.scalars(select(Subscription).order_by(Subscription.id)))


def test_i7_the_same_form_again_is_the_same_order(shop: World) -> None:
    add(shop)
    token, cart = new_token(), cart_of(shop)
    version, alice = cart.version, shop.actor("alice")
    numbers = set()
    for _ in range(3):
        with transaction():
            numbers.add(place_order(cart, by=alice, token=token, version=version).order_id)
    assert len(numbers) == len(orders()) == 1


def test_i7_the_same_form_after_a_restart_is_the_same_order(shop: World, database_url: str) -> None:
    add(shop)
    token = new_token()
    version = cart_of(shop).version
    first = order(shop, token=token, version=version).order_id
    db.engine().dispose()
    db.configure(database_url)
    assert order(shop, token=token, version=version).order_id == first
    assert len(orders()) == 1


def test_i7_the_same_form_with_other_content_is_refused(shop: World) -> None:
    add(shop)
    token = new_token()
    order(shop, token=token)
    add(shop, "sql-US")
    with pytest.raises(Conflict):
        order(shop, token=token)
    assert len(orders()) == 1


def run_at_once(world: World, tokens: list[str], people: list[str]) -> tuple[set[str], list[Exception]]:
    """Place the same cart from several threads at the same moment."""
    version = cart_of(world).version
    start = threading.Barrier(len(tokens))
    numbers: set[str] = set()
    failures: list[Exception] = []

    def run(token: str, who: str) -> None:
        try:
            cart, actor = cart_of(world), world.actor(who)
            start.wait(30)
            with transaction():
                numbers.add(place_order(cart, by=actor, token=token, version=version).order_id)
        except Exception as error:  # noqa: BLE001 -- looked at by the test
            failures.append(error)
        finally:
            db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(tokens, people, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return numbers, failures


def test_i7_the_same_form_sent_at_once_is_one_order(shop: World) -> None:
    add(shop)
    token = new_token()
    numbers, failures = run_at_once(shop, [token] * 8, ["alice"] * 8)
    assert failures == []
    assert len(numbers) == len(orders()) == len(subscriptions()) == 1


def test_two_people_ordering_the_same_cart_at_once_are_one_order_and_one_refusal(shop: World) -> None:
    add(shop)
    numbers, failures = run_at_once(shop, [new_token(), new_token()], ["alice", "bob"])
    assert len(numbers) == len(orders()) == 1
    assert [type(error) for error in failures] == [CartChanged]


def test_b3_each_subscription_gets_a_key_of_its_own_from_stock(shop: World) -> None:
    add_stock(shop, "windows-US", "Windows Server 2025", 2)
    for _ in range(3):
        add(shop, "windows-US", 4)
        order(shop)
    keys = session.scalars(select(KeyAssignment.product_key_id)).all()
    assert len(keys) == len(set(keys)) == 2
    assert len(session.scalars(select(KeyWait)).all()) == 1
    assert {key.state.value for key in session.scalars(select(ProductKey))} == {"handed_out"}
