"""Without statistics SQLite reads all of a partner's lines for one customer: the planner has to be told how many there are."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from csp_web import db
from csp_web.db import session, transaction
from tests.world import World, make_customer, make_subscription


@pytest.mark.one_database
def test_the_planner_looks_for_the_order_not_for_the_partner(world: World) -> None:
    if not db.on_sqlite():
        return
    with transaction():
        alice, offer = world.actor("alice"), world.offer("windows-US")
        for number in range(60):
            make_subscription(make_customer(alice.partner_id, f"Firm {number}"), offer, by=alice)
    db.refresh_statistics()
    session.remove()
    db.engine().dispose()
    plan = session.execute(
        text("EXPLAIN QUERY PLAN SELECT * FROM subscriptions WHERE partner_id = 2 AND order_id = 30")
    ).scalars("detail")
    assert [line for line in plan if "order_id=?" in line]


def test_statistics_may_be_refreshed_on_both_databases(world: World) -> None:
    db.refresh_statistics()
    db.refresh_statistics()
