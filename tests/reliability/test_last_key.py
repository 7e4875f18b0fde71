"""R-4: however many want the last key at the same moment, in however many processes, exactly one gets it (B3, D12)."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from sqlalchemy import func, select, update

from csp_web import db
from csp_web.config import Settings
from csp_web.db import session, transaction
from csp_web.domain.stock import key_stock
from csp_web.domain.stock.keys import hand_out_own_version
from csp_web.domain.upkeep import configured
from csp_web.models import KeyAssignment, KeyPool, KeyState, KeyWait, ProductKey, Subscription
from tests.support.crowd import Part, all_at_once
from tests.support.stock import sku_of, stock
from tests.world import World, make_subscription

OWN = "Windows Server 2025"
BUYERS = 64


def lines_of(world: World, count: int) -> list[int]:
    with transaction():
        customer, offer, alice = world.customer("coho"), world.offer("windows-US"), world.actor("alice")
        return [make_subscription(customer, offer, by=alice).id for _each in range(count)]


def buyers(world: World, settings: Settings, lines: list[int], *, planted: bool = False) -> Counter[str]:
    """What the buyers of some lines got, all at once, over two processes. ``planted``: with the mistake below."""

    def begin() -> Part:
        db.configure(settings.database_url)
        configured.configure(settings)
        if planted:
            key_stock.take_key = take_what_was_seen
            return lambda line: look_then_buy(world, line)
        return lambda line: buy(world, line)

    return Counter(all_at_once(begin, lines))


def buy(world: World, line: int) -> str:
    with transaction():
        got = hand_out_own_version(session.get_one(Subscription, line), by=world.actor("alice"))
        return "got" if got else "waits"


seen = threading.local()
everybody_looks = threading.Barrier(8)


def look_then_buy(world: World, line: int) -> str:
    """The planted mistake: find a free key first, take it afterwards."""
    seen.key = session.scalar(select(ProductKey.id).where(ProductKey.state == KeyState.FREE).limit(1))
    session.remove()
    everybody_looks.wait(20)
    return buy(world, line)


def take_what_was_seen(pool: KeyPool) -> int | None:
    statement = update(ProductKey).where(ProductKey.id == seen.key).values(state=KeyState.HANDED_OUT)
    session.execute(statement.execution_options(synchronize_session=False))
    return int(seen.key) if seen.key else None


def check(outcomes: Counter[str], *, keys: int, buyers: int) -> None:
    """Every key went to one line, every other line waits, and nobody saw an error."""
    assert outcomes == Counter(got=keys, waits=buyers - keys)
    handed_out = session.execute(select(KeyAssignment.product_key_id, KeyAssignment.subscription_id)).all()
    assert len({key for key, _line in handed_out}) == len({line for _key, line in handed_out}) == keys
    assert session.scalars(select(ProductKey.state)).all() == [KeyState.HANDED_OUT] * keys
    waiting = select(func.count(func.distinct(KeyWait.subscription_id))).where(KeyWait.ended_at.is_(None))
    assert session.scalar(waiting) == buyers - keys


@pytest.mark.parametrize("keys", [1, 40])
def test_r4_b3_sixty_four_buyers_over_two_processes(world: World, settings: Settings, keys: int) -> None:
    stock(sku_of(world), OWN, keys)
    outcomes = buyers(world, settings, lines_of(world, BUYERS))
    check(outcomes, keys=keys, buyers=BUYERS)


def test_r4_d12_stock_that_comes_while_others_buy_goes_to_the_oldest_who_wait(world: World, settings: Settings) -> None:
    """Twelve lines wait; ten keys arrive while twelve more buy: none of the ten goes to a newcomer, none lies idle."""
    early, late = lines_of(world, 12), lines_of(world, 12)
    for line in early:
        assert buy(world, line) == "waits"

    def begin() -> Part:
        db.configure(settings.database_url)
        configured.configure(settings)
        return lambda line: buy(world, line) if line else f"filled {stock(sku_of(world), OWN, 10).filled}"

    outcomes = Counter(all_at_once(begin, [*late[:6], 0, *late[6:]]))
    assert outcomes == Counter({"waits": 12, "filled 10": 1})
    assert set(session.scalars(select(KeyAssignment.subscription_id))) == set(early[:10])
    assert session.scalars(select(ProductKey.state)).all() == [KeyState.HANDED_OUT] * 10


def test_the_proof_sees_a_key_that_is_looked_up_before_it_is_taken(world: World, settings: Settings) -> None:
    """With the planted mistake the same check must fail."""
    stock(sku_of(world), OWN, 1)
    outcomes = buyers(world, settings, lines_of(world, 16), planted=True)
    with pytest.raises(AssertionError):
        check(outcomes, keys=1, buyers=16)
