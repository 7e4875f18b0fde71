"""Acts on the same keys at the same moment: nobody waits for somebody who waits for them (D12, B3)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from csp_web import db
from csp_web.db import session, transaction
from csp_web.domain.stock.key_quarantine import quarantine
from csp_web.domain.stock.key_stock import take_key
from csp_web.errors import Invalid
from csp_web.models import KeyPool, KeyState, ProductKey
from tests.support.stock import pool_of, sku_of, stock
from tests.world import World

OWN = "Windows Server 2025"


def until_somebody_waits() -> None:
    """On SQLite whoever writes waits for its turn; on PostgreSQL the server is asked who waits for a lock."""
    if db.on_sqlite():
        return
    end = time.monotonic() + 30
    with db.engine().connect() as connection:
        while not connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert time.monotonic() < end
            time.sleep(0.01)


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
