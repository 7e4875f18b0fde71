"""Addresses and forms that nobody typed: every one gets an answer, none an error of ours, on both databases (S-12)."""

from __future__ import annotations

import base64
import io
import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from csp_web.db import now, session, transaction
from csp_web.models import KeptForm, PendingFile, User, UserSession
from csp_web.web.kept import MOST_KEPT
from tests.support.accounts import hidden
from tests.support.stock import bought
from tests.support.tickets import install_types
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

HUGE = 10**30
LISTS = (
    "/customers", "/software", "/software?deadline=7", "/tickets", "/audit", "/users", "/admin/users",
    "/admin/partners", "/admin/catalogue", "/admin/files", "/admin/outbox", "/jobs",
    "/customers/{customer}/software", "/customers/{customer}/orders", "/customers/{customer}/reservations",
    "/customers/{customer}/products",
)  # fmt: skip
PLACES = (
    ("\0",), ("\ud800",), (HUGE,), (-HUGE,), ("\0", 1), ("\ud800", 1), ("x", HUGE), ("0001-01-01T00:00:00+14:00", 1),
    ("9999-12-31T23:59:59-14:00", HUGE), (HUGE, HUGE, HUGE, HUGE), ("\0", "\0", HUGE, -HUGE),
)  # fmt: skip


def cursor(values: tuple[object, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps([0, *values]).encode()).decode().rstrip("=")


@pytest.fixture
def people(app: Flask, world: World) -> list[FlaskClient]:
    """An admin agent and an operator admin; errors become answers, as they do for people."""
    app.testing = False
    return [world.sign_in(app, "alice"), world.sign_in(app, "olga")]


def errors_at(people: list[FlaskClient], addresses: list[str]) -> list[tuple[str, int]]:
    asked = [(address, person.get(address).status_code) for address in addresses for person in people]
    return [(address, status) for address, status in asked if status >= 500]


def test_s12_cursors_that_nobody_made_open_a_page(world: World, people: list[FlaskClient]) -> None:
    customer = world.customer("coho").uuid
    places = [*(cursor(values) for values in PLACES), base64.urlsafe_b64encode(b"[" * 1400).decode()]
    addresses = [
        f"{page.format(customer=customer)}{'&' if '?' in page else '?'}page={place}"
        for page in LISTS
        for place in places
    ]
    assert errors_at(people, addresses) == []


def test_s12_nul_in_a_question_is_left_out(world: World, people: list[FlaskClient]) -> None:
    customer = world.customer("coho").uuid
    pages = [page.format(customer=customer).partition("?")[0] for page in LISTS]
    asked = [f"{page}?{name}=a%00bc" for page in [*pages, "/search"] for name in ("q", "type", "customer", "person")]
    assert errors_at(people, asked) == []
    assert "Coho" in people[0].get("/customers?q=co%00ho").text


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "UTC"])
def test_s12_the_first_and_the_last_day_of_the_calendar(world: World, people: list[FlaskClient], zone: str) -> None:
    with transaction():
        session.get_one(User, world.people["alice"]).time_zone = zone
    days = ("0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31")
    assert errors_at(people, [f"/audit?{name}={day}" for name in ("since", "until") for day in days]) == []


def test_s12_numbers_that_no_column_holds(world: World, people: list[FlaskClient]) -> None:
    line = bought(world)
    software = f"/customers/{line.customer.uuid}/software?open={line.uuid}"
    numbers = (str(HUGE), "9" * 5000, "-1", "x")
    addresses = [f"{software}&transfer={number}" for number in numbers]
    addresses += [f"/users/new?partner={number}" for number in numbers]
    assert errors_at(people, addresses) == []


@pytest.fixture
def form(people: list[FlaskClient]) -> dict[str, str]:
    """What a page's form carries."""
    install_types()
    page = people[0].get("/tickets/new")
    return {name: hidden(page, name) for name in ("csrf_token", "form_token")}


@pytest.mark.parametrize(
    "typed",
    [
        {"step": "fields", "order_or_subscription": "a\0b"},
        {"order_or_subscription": "a\0b"},
        {"drop": "9" * 5000},
        {"form_token": "a\0b" * 8},
        {"form_token": "a" * 100},
    ],
    ids=["order while choosing a type", "order", "file to drop", "token with NUL", "long token"],
)
def test_s12_hostile_fields_of_a_request(
    people: list[FlaskClient], form: dict[str, str], typed: dict[str, str]
) -> None:
    answer = people[0].post("/tickets/new", data={**form, **typed})
    assert answer.status_code in {200, 422}


@pytest.mark.parametrize("token", ["a\0b" * 8, "a" * 100, "", "short"], ids=["NUL", "long", "none", "short"])
def test_s12_files_are_kept_only_under_tokens_that_a_page_made(
    people: list[FlaskClient], form: dict[str, str], token: str
) -> None:
    sent = {**form, "step": "fields", "form_token": token, "files": (io.BytesIO(b"x"), "a.txt")}
    assert people[0].post("/tickets/new", data=sent).status_code == 200
    assert session.query(PendingFile).count() == 0


def test_s12_nul_in_a_form_of_an_ended_session(people: list[FlaskClient], form: dict[str, str]) -> None:
    with transaction():
        session.execute(update(UserSession).values(revoked_at=now()))
    answer = people[0].post("/tickets/new", data={**form, "title": "a\0b", "c\0d": "e"})
    assert answer.status_code == 303
    assert session.query(KeptForm).one().content == {"title": ["ab"]}


def test_s12_forms_of_an_ended_session_do_not_pile_up(people: list[FlaskClient], form: dict[str, str]) -> None:
    with transaction():
        session.execute(update(UserSession).values(revoked_at=now()))
    for number in range(MOST_KEPT + 3):
        people[0].post("/tickets/new", data={**form, "title": f"title {number}"})
    kept = session.scalars(select(KeptForm).order_by(KeptForm.created_at)).all()
    assert [row.content["title"] for row in kept] == [[f"title {number}"] for number in range(3, MOST_KEPT + 3)]
