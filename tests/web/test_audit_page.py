"""The page of the activity log: whose rows, in words, in a fixed number of queries (B11)."""

from __future__ import annotations

import pytest
from flask import Flask

from csp_web import db
from csp_web.db import session, transaction
from csp_web.domain import audit
from csp_web.models import User
from tests.support.accounts import hidden, send
from tests.support.statements import counted_statements
from tests.world import World


def write(world: World, count: int, by: str = "alice", customer: str = "coho") -> None:
    with transaction():
        for number in range(count):
            audit.record(
                "edit_customer",
                by=world.actor(by),
                resource=("customer", number),
                customer=world.customer(customer),
                changes={"city": ["Berlin", f"Town {number}"]},
            )


def test_acts_are_told_in_words_with_their_details(app: Flask, world: World) -> None:
    write(world, 1)
    page = world.sign_in(app, "audrey").get("/audit").text
    for text in ("Edited a customer", "alice@contoso.example", "Coho", "Berlin → Town 0", "<details>"):
        assert text in page


def test_b13_in_russian_too(app: Flask, world: World) -> None:
    with transaction():
        session.get_one(User, world.people["audrey"]).language = "ru"
    write(world, 1)
    assert "Edited a customer" not in world.sign_in(app, "audrey").get("/audit").text


def test_a_refused_act_says_why(app: Flask, world: World) -> None:
    assert world.sign_in(app, "bob").get("/users").status_code == 403
    page = world.sign_in(app, "alice").get("/audit?status=declined").text
    assert "This needs the role: Admin agent" in page
    assert "GET /users" in page


@pytest.mark.parametrize(
    ("name", "status"), [("alice", 200), ("audrey", 200), ("olga", 200), ("bob", 403), ("sam", 403)]
)
def test_d14_who_reads_the_log(app: Flask, world: World, name: str, status: int) -> None:
    assert world.sign_in(app, name).get("/audit").status_code == status


def test_s1_no_other_partners_rows_are_on_the_page(app: Flask, world: World) -> None:
    write(world, 1, by="charlie", customer="tailspin")
    alice = world.sign_in(app, "alice")
    for address in ("/audit", "/audit?customer=tailspin", "/audit?person=charlie", "/audit?operation=edit_customer"):
        assert "charlie@" not in alice.get(address).text, address
    assert "charlie@" in world.sign_in(app, "olga").get("/audit").text


def test_pages_lead_on_and_keep_the_filters(app: Flask, world: World) -> None:
    write(world, 60)
    alice = world.sign_in(app, "alice")
    first = alice.get("/audit?operation=edit_customer")
    assert first.text.count("<details>") == 50
    following = first.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "operation=edit_customer" in following
    assert alice.get(following).text.count("<details>") == 10


def test_filters_that_do_not_fit_are_refused_beside_the_field(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    for wrong in ("since=yesterday", "since=2026-02-02&until=2026-02-01", "status=maybe", "customer=" + "x" * 300):
        assert alice.get(f"/audit?{wrong}").status_code == 422, wrong
    for odd in (
        "page=nonsense",
        "operation=unknown",
        "person=%25",
        "customer=%F0%9F%98%80",
        "since=",
        "until=9999-12-31",
    ):
        assert alice.get(f"/audit?{odd}").status_code == 200, odd


def test_the_number_of_queries_does_not_grow(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    write(world, 1)
    with counted_statements() as few:
        alice.get("/audit")
    write(world, 100)
    with counted_statements() as many:
        alice.get("/audit?customer=coho&person=alice")
    assert len(many) == len(few) <= 4


def test_an_operator_admin_checks_the_chain(app: Flask, world: World) -> None:
    olga = world.sign_in(app, "olga")
    write(world, 3)
    assert send(olga, "/audit/check", page="/audit").status_code == 303
    assert "The log is intact" in olga.get("/audit").text
    with db.engine().begin() as connection:
        trigger = "audit_entries_no_update"
        connection.exec_driver_sql(f"DROP TRIGGER {trigger}" + ("" if db.on_sqlite() else " ON audit_entries"))
        connection.exec_driver_sql("UPDATE audit_entries SET actor_email = 'mallory@x.example' WHERE seq = 2")
    send(olga, "/audit/check", page="/audit")
    assert "The chain is broken at: 2" in olga.get("/audit").text
    alice = world.sign_in(app, "alice")
    page = alice.get("/audit")
    assert "/audit/check" not in page.text
    assert alice.post("/audit/check", data={"csrf_token": hidden(page, "csrf_token")}).status_code == 403


def test_markup_in_what_was_recorded_stays_text(app: Flask, world: World) -> None:
    with transaction():
        audit.record(
            "edit_customer",
            by=world.actor("alice"),
            resource=("customer", "<b>1</b>"),
            reason="<script>alert(1)</script>",
        )
    page = world.sign_in(app, "alice").get("/audit").text
    assert "<script>alert" not in page
    assert "<b>1</b>" not in page
