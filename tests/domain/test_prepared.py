"""Prepared statements say what SQLAlchemy says, on either database, and are heard by those who count."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, func, literal, select, text, type_coerce
from sqlalchemy.exc import DBAPIError

from csp_web.db import GuidText, now, read, session, transaction
from csp_web.domain import customers, problem_types, sessions, software, ticket_list
from csp_web.models import Customer, KeyPool, Order, ProductType, Subscription
from csp_web.prepared import Prepared, Unprepared
from tests.support.statements import counted_statements
from tests.world import World, make_subscription

_lines, _customers = Subscription.__table__.c, Customer.__table__.c


@pytest.fixture
def bought(world: World) -> World:
    """A world with some lines, one of them without an end to its right to cancel."""
    with transaction():
        for offer in ("windows-US", "sql-US", "cal-US", "reservation-US"):
            line = make_subscription(
                world.customer("coho"), world.offer(offer), by=world.actor("alice"), ordered_at=now()
            )
        line.cancel_until = None
    return world


def same(prepared: Prepared | Unprepared, **values: Any) -> list[Any]:
    """What a statement finds, after both ways have found the same, in value and in type."""
    found = list(prepared.rows(**values))
    wanted = [tuple(row) for row in read(prepared.statement, values)]
    assert [tuple(row) for row in found] == wanted
    assert [[type(part) for part in row] for row in found] == [[type(part) for part in row] for row in wanted]
    return found


def test_every_kind_of_column_reads_the_same(bought: World) -> None:
    everything = select(Subscription.__table__).where(_lines.customer_id == bindparam("customer")).order_by(_lines.id)
    rows = same(Prepared(everything), customer=bought.customers["coho"])
    assert len(rows) == 4
    assert rows[0].product_type is ProductType.SOFTWARE_SUBSCRIPTION
    assert isinstance(rows[0].uuid, uuid.UUID)
    assert rows[0].policy_terms["channel"] == "ticket"
    assert rows[0].ordered_at.utcoffset() == timedelta(0)
    assert rows[-1].cancel_until is None


def test_every_kind_of_value_is_sent_the_same(bought: World) -> None:
    statement = select(_lines.id, func.count().over().label("count"), _customers.company_name).join_from(
        Subscription.__table__, Customer.__table__, _customers.id == _lines.customer_id
    )
    narrowed = statement.where(
        _lines.product_type == bindparam("kind"),
        _lines.ordered_at <= bindparam("at"),
        _customers.uuid == bindparam("guid"),
        _lines.status == "active",
    )
    guid = bought.customer("coho").uuid
    kind = ProductType.SOFTWARE_SUBSCRIPTION
    assert len(same(Prepared(narrowed.order_by(_lines.id).limit(2)), kind=kind, at=now(), guid=guid)) == 2
    assert same(Prepared(narrowed), kind=kind, at=now() - timedelta(days=1), guid=guid) == []


def test_the_statements_of_pages_find_the_same(bought: World) -> None:
    alice, coho = bought.actor("alice"), bought.customer("coho")
    assert same(customers._SEEN, partner=alice.partner_id, guid=coho.uuid)[0].uuid == str(coho.uuid)
    assert same(customers._COUNTED, partner=alice.partner_id) == [(2,)]
    assert len(same(customers._BY_NAME._first, partner=alice.partner_id)) == 2
    assert len(same(customers._BY_NAME._onward, partner=alice.partner_id, key_0="coho", key_1=coho.id)) == 1
    assert len(same(software._OF_CUSTOMER._first, customer=coho.id)) == 3
    assert len(same(software._NEWEST_FIRST._back, partner=alice.partner_id, key_0=0)) == 3
    assert same(ticket_list._listing(frozenset({"partner"}))._first, partner=alice.partner_id) == []
    problem_types.install_problem_types()
    assert len(same(problem_types._NAMES)) == 6
    assert same(sessions._PERSON, token=b"nobody's", at=now(), idle_since=now()) == []


def test_rows_have_the_names_of_their_columns(bought: World) -> None:
    row = Prepared(select(_customers.id, type_coerce(_customers.uuid, GuidText).label("guid"), literal(7))).rows()[0]
    assert row.guid == str(session.get_one(Customer, row.id).uuid)
    assert row[2] == 7


def test_it_sees_what_the_act_in_hand_has_written(bought: World) -> None:
    orders = Prepared(select(func.count()).select_from(Order.__table__))
    before = orders.rows()[0][0]
    with transaction():
        make_subscription(bought.customer("coho"), bought.offer("sql-US"), by=bought.actor("alice"), ordered_at=now())
        session.flush()
        assert orders.rows()[0][0] == before + 1


def test_a_value_that_is_missing_is_a_mistake(database: None) -> None:
    with pytest.raises(KeyError, match="sku"):
        Prepared(select(KeyPool.__table__.c.id).where(KeyPool.__table__.c.sku_id == bindparam("sku"))).rows()


def test_what_the_database_refuses_comes_in_the_words_of_sqlalchemy(database: None) -> None:
    with pytest.raises(DBAPIError):
        Prepared(select(text("nothing"))).rows()
    session.rollback()
    assert Prepared(select(literal(1))).rows() == [(1,)]


def test_those_who_count_statements_hear_it(database: None) -> None:
    one = Prepared(select(literal(1).label("one")))
    with counted_statements() as statements:
        assert one.rows()[0].one == 1
    assert len(statements) == 1
