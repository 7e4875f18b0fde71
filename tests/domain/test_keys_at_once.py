"""Acts on the same keys at the same moment: nobody waits for somebody who waits for them (D12, B3)."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from csp_web.db import session, transaction
from csp_web.domain.access.actors import Actor
from csp_web.domain.sales import ordering
from csp_web.domain.stock.key_quarantine import quarantine
from csp_web.domain.stock.key_stock import take_key
from csp_web.domain.stock.keys import hand_out_own_version
from csp_web.errors import Invalid
from csp_web.models import KeyPool, KeyState, KeyWait, Order, ProductKey, Subscription
from tests.support.shop import add, add_stock, build_shop, cart_of, new_token
from tests.support.stock import pool_of, sku_of, stock
from tests.support.waiting import until_somebody_waits
from tests.world import World, make_customer

OWN = "Windows Server 2025"


def test_quarantine_of_the_last_key_waits_for_an_order_that_takes_it_and_holds_up_nothing(world: World) -> None:
    """The order's second line finds the pool empty and locks it: quarantine must not have it by then."""
    stock(sku_of(world), OWN, 1)
    pool, key = pool_of(sku_of(world), OWN).id, session.query(ProductKey).one()
    number, ending = key.id, key.last_five
    session.rollback()

    def put_away() -> int:
        try:
            with transaction():
                return quarantine(session.get_one(KeyPool, pool), [ending], by=world.actor("olga"), reason="leaked")
        finally:
            session.remove()

    with ThreadPoolExecutor(1) as other:
        with transaction():
            assert take_key(session.get_one(KeyPool, pool)) == number
            late = other.submit(put_away)
            until_somebody_waits()
            assert take_key(session.get_one(KeyPool, pool)) is None
        with pytest.raises(Invalid):
            late.result(60)
    assert session.get_one(ProductKey, number).state is KeyState.HANDED_OUT


def test_two_orders_of_the_same_empty_pools_in_turned_order_are_both_placed(
    database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each locks the pools that it finds empty; they do it in one order, whatever the order of the lines."""
    world = build_shop()
    with transaction():
        world.customers["wingtip"] = make_customer(world.partners["contoso"], "Wingtip", country="US").id
    for offer, version in (("windows-US", OWN), ("sql-US", "SQL Server 2025")):
        add_stock(world, offer, version, 0)
    for customer, offers in (("coho", ("windows-US", "sql-US")), ("wingtip", ("sql-US", "windows-US"))):
        for offer in offers:
            add(world, offer, customer=customer)
    others: list[Future[None]] = []

    def stopping(line: Subscription, *, by: Actor) -> object:
        """After the first line of the first order the second order comes, as far as it gets."""
        made = hand_out_own_version(line, by=by)
        if not others:
            others.append(other.submit(place, world, "wingtip"))
            until_somebody_waits()
        return made

    monkeypatch.setattr(ordering, "hand_out_own_version", stopping)
    with ThreadPoolExecutor(1) as other:
        place(world, "coho")
        others[0].result(60)
    assert session.query(Order).count() == 2
    assert session.query(KeyWait).count() == 4


def place(world: World, customer: str) -> None:
    try:
        cart = cart_of(world, customer)
        version = cart.version
        with transaction():
            ordering.place_order(cart, by=world.actor("alice"), token=new_token(), version=version)
    finally:
        session.remove()
