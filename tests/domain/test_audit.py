"""The activity log: no audit, no act; a chain that shows every change (B11, R-9)."""

from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

import csp_web
from csp_web import db
from csp_web.db import session, transaction
from csp_web.domain import audit
from csp_web.domain.access import people
from csp_web.domain.audit_log import LogFilter, check_chain, list_entries, record_check
from csp_web.domain.audit_words import OPERATIONS, operation_name, told
from csp_web.i18n import use_place
from csp_web.models import AuditEntry, AuditHead, AuditStatus, User
from tests.world import World


def act(world: World, name: str = "alice", customer: str | None = "coho", **details: object) -> None:
    with transaction():
        audit.record(
            "edit_customer",
            by=world.actor(name),
            resource=("customer", "1"),
            customer=world.customer(customer) if customer else None,
            **details,  # type: ignore[arg-type]
        )


def seqs(world: World, name: str, **wanted: object) -> list[int]:
    page = list_entries(world.actor(name), LogFilter(**wanted))  # type: ignore[arg-type]
    return [entry.seq for entry in page.rows]


def disarm() -> None:
    """What somebody does who has the database in hand: take the triggers away."""
    with db.engine().begin() as connection:
        for verb in ("update", "delete"):
            trigger = f"audit_entries_no_{verb}"
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}" + ("" if db.on_sqlite() else " ON audit_entries"))


# ---------------------------------------------------------------- the chain


def test_r9_rows_are_numbered_without_gaps_and_chained(world: World) -> None:
    for number in range(5):
        act(world, number=number)
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.seq)).all()
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[0].previous_hash == audit.GENESIS
    assert all(later.previous_hash == earlier.hash for earlier, later in pairwise(entries))
    assert list(audit.broken_links()) == []


def test_r9_acts_at_once_make_one_chain_from_the_first_row_on(world: World) -> None:
    actor = world.actor("alice")

    def do(number: int) -> None:
        with transaction():
            audit.record("edit_customer", by=actor, resource=("customer", number))
        session.remove()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(do, range(40), timeout=60))
    session.rollback()  # what was read before is of before
    assert (check_chain().rows, check_chain().broken) == (40, [])


def test_r9_no_audit_no_act(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_entry: AuditEntry) -> bytes:
        raise OSError("the log cannot be written")

    monkeypatch.setattr(audit, "digest", fail)
    with pytest.raises(OSError, match="log"), transaction():
        people.disable_user(session.get_one(User, world.people["bob"]), by=world.actor("alice"))
    assert session.get_one(User, world.people["bob"]).is_active


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET details = '{}'", "DELETE FROM audit_entries"])
def test_r9_the_database_refuses_to_change_the_log(world: World, statement: str) -> None:
    act(world)
    with pytest.raises(DBAPIError, match="append-only"), db.engine().begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE audit_entries SET actor_email = 'mallory' WHERE seq = 3", [3]),
        ("UPDATE audit_entries SET status = 'declined' WHERE seq = 3", [3]),
        ("DELETE FROM audit_entries WHERE seq = 3", [4]),
        ("DELETE FROM audit_entries WHERE seq = 5", [5]),
        ("UPDATE audit_entries SET seq = 9 WHERE seq = 5", [5]),
    ],
)
def test_r9_every_change_is_found(world: World, change: str, broken: list[int]) -> None:
    for number in range(5):
        act(world, number=number)
    disarm()
    with db.engine().begin() as connection:
        connection.exec_driver_sql(change)
    assert list(audit.broken_links()) == broken
    assert check_chain().broken == broken


def test_r9_a_row_rewritten_with_its_hash_breaks_the_next(world: World) -> None:
    for number in range(3):
        act(world, number=number)
    entry = session.scalars(select(AuditEntry).filter_by(seq=2)).one()
    entry.actor_email = "mallory@contoso.example"
    forged = audit.digest(entry)
    session.rollback()
    disarm()
    with db.engine().begin() as connection:
        rows = AuditEntry.__table__
        connection.execute(
            sa.update(AuditEntry).where(rows.c.seq == 2).values(actor_email="mallory@contoso.example", hash=forged)
        )
    assert list(audit.broken_links()) == [3]


def test_rows_that_are_written_while_the_check_reads_are_left_to_the_next(world: World) -> None:
    act(world)
    links = audit.broken_links()
    head = session.scalars(select(AuditHead)).one()
    assert (head.seq, list(links)) == (1, [])


def test_the_check_is_an_act_of_its_own(world: World) -> None:
    act(world)
    found = check_chain()
    with transaction():
        record_check(found, by=world.actor("olga"))
    entry = session.scalars(select(AuditEntry).filter_by(operation="check_log")).one()
    assert entry.details == {"rows": 1, "broken": []}


# ---------------------------------------------------------------- who sees what


def test_s1_everybody_sees_the_own_partners_rows_and_the_operator_admin_all(world: World) -> None:
    act(world, "alice", "coho")
    act(world, "charlie", "tailspin")
    act(world, "olga", None)
    act(world, "sam", "coho")
    assert seqs(world, "alice") == seqs(world, "audrey") == [4, 1]
    assert seqs(world, "charlie") == [2]
    assert seqs(world, "olga") == [4, 3, 2, 1]


def test_filters(world: World) -> None:
    act(world, "alice", "coho")
    act(world, "bob", "datum")
    with transaction():
        audit.declined("refused", by=world.actor("bob"), resource=("address", "/x"), reason="no")
    today = db.now().date()
    assert seqs(world, "alice", person="BOB@") == [3, 2]
    assert seqs(world, "alice", customer="dat") == [2]
    assert seqs(world, "alice", customer=str(world.customer("coho").uuid).upper()) == [1]
    assert seqs(world, "alice", operation="refused") == [3]
    assert seqs(world, "alice", status=AuditStatus.DECLINED) == [3]
    assert seqs(world, "alice", since=today, until=today) == [3, 2, 1]
    assert seqs(world, "alice", until=today - timedelta(days=1)) == []
    assert seqs(world, "alice", since=today + timedelta(days=1)) == []
    assert seqs(world, "alice", since=date.min, until=date.max) == [3, 2, 1]
    assert seqs(world, "alice", person="%") == []


def test_s1_a_filter_finds_no_other_partners_customer_or_person(world: World) -> None:
    act(world, "charlie", "tailspin")
    assert seqs(world, "alice", customer="tailspin") == []
    assert seqs(world, "alice", person="charlie") == []


def test_pages_hold_fifty_rows_and_meet_exactly(world: World) -> None:
    actor = world.actor("alice")
    with transaction():
        for number in range(120):
            audit.record("edit_customer", by=actor, resource=("customer", number))
    first = list_entries(actor, LogFilter())
    second = list_entries(actor, LogFilter(), cursor=first.next)
    third = list_entries(actor, LogFilter(), cursor=second.next)
    shown = [entry.seq for page in (first, second, third) for entry in page.rows]
    assert shown == list(range(120, 0, -1))
    assert (len(first.rows), len(third.rows), first.previous, third.next) == (50, 20, None, None)
    back = list_entries(actor, LogFilter(), cursor=third.previous)
    assert [entry.seq for entry in back.rows] == [entry.seq for entry in second.rows]


# ---------------------------------------------------------------- words


@pytest.mark.one_database
def test_details_are_told_in_words() -> None:
    details = {"old": ["sales agent"], "new": [], "changes": {"name": ["A", "B"], "phone": ["", None]}, "odd_one": True}
    with use_place("en"):
        assert told(details) == [
            ("Old", "Sales agent"),
            ("New", "–"),
            ("Name", "A → B"),
            ("Phone", "– → –"),
            ("odd one", "yes"),
        ]


@pytest.mark.one_database
def test_an_unknown_act_is_shown_by_its_code() -> None:
    assert operation_name("grow_wings") == "grow_wings"
    assert all(operation_name(code) != code for code in OPERATIONS)


@pytest.mark.one_database
def test_every_act_of_the_product_has_a_name() -> None:
    recorded = {
        call.args[0].value
        for file in Path(csp_web.__file__).parent.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).rpartition(".")[2] in {"record", "declined", "_record"}
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    assert len(recorded) > 30
    assert recorded - OPERATIONS.keys() == set()
