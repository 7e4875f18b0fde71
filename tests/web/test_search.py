"""The search as a page and below the box, what was seen recently, and the sheet of keyboard shortcuts."""

from __future__ import annotations

import gzip

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from csp_web.db import session, transaction
from csp_web.models import Order, Subscription
from tests.support.statements import counted_statements
from tests.support.stock import bought
from tests.world import World, make_customer

pytestmark = pytest.mark.one_database  # tests/domain/test_finder.py searches in both

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def alice(app: Flask, world: World) -> FlaskClient:
    return world.sign_in(app, "alice")


def suggested(client: FlaskClient, text: str = "") -> list[str]:
    answer = client.get("/search/suggestions", query_string={"q": text}, headers=FRAGMENT)
    assert answer.status_code == 200
    return [str(option["href"]) for option in BeautifulSoup(answer.text, "html.parser").select("[role=option]")]


def many(world: World) -> None:
    with transaction():
        for number in range(60):
            make_customer(world.partners["contoso"], f"Wingtip Toys International {number:03}")


def test_d10_the_one_thing_found_is_opened(world: World, alice: FlaskClient) -> None:
    line = session.get_one(Subscription, bought(world).id)
    coho, number, guid = f"/customers/{world.customer('coho').uuid}", line.id, line.uuid
    order = session.get_one(Order, line.order_id)
    for text, place in {
        order.order_id: f"/orders/{order.order_id}",
        "coho": coho,
        str(guid): f"{coho}/software?open={guid}#line-{number}",
    }.items():
        answer = alice.get("/search", query_string={"q": text})
        assert (answer.status_code, answer.location) == (303, place)


def test_several_are_grouped_by_kind_with_their_number(world: World, alice: FlaskClient) -> None:
    many(world)
    page = BeautifulSoup(alice.get("/search?q=wingtip").text, "html.parser")
    group = page.select_one("#found-customer")
    assert group is not None
    assert "Customers (10 or more)" in group.get_text()
    assert len(group.select("li")) == 10
    assert group.select_one("a.btn")["href"] == "/customers?q=wingtip"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nothing-like-this", "Nothing found for “nothing-like-this”"),
        ("", "What are you looking for?"),
        ("ABCDE-FGHIJ-KLMNO-PQRST-UVWXY", "Product keys are not searched for"),
    ],
)
def test_nothing_found_says_what_to_type(alice: FlaskClient, text: str, sentence: str) -> None:
    page = alice.get("/search", query_string={"q": text}).text
    assert sentence in page
    assert "Type a customer’s name, domain or GUID" in page
    assert "e-mail address" in page, "who manages users is told that they are found too"


def test_suggestions_are_few_and_small(world: World, alice: FlaskClient) -> None:
    """At most eight things and one way to all of them, in 3 KB."""
    many(world)
    assert len(suggested(alice, "wingtip")) == 4 + 1
    answer = alice.get("/search/suggestions?q=o", headers=FRAGMENT)
    assert len(answer.data) <= 3000, len(answer.data)
    assert len(gzip.compress(alice.get("/search/suggestions?q=wingtip", headers=FRAGMENT).data)) <= 1000
    assert suggested(alice, "nothing-like-this") == []


def test_suggestions_without_scripts_are_the_page(alice: FlaskClient) -> None:
    answer = alice.get("/search/suggestions?q=coho")
    assert (answer.status_code, answer.location) == (303, "/search?q=coho")


def test_a_search_takes_a_fixed_number_of_statements(world: World, alice: FlaskClient) -> None:
    with counted_statements() as few:
        suggested(alice, "wingtip")
    many(world)
    with counted_statements() as more:
        suggested(alice, "wingtip")
    assert len(more) == len(few) <= 4, more


# ---- Seen recently


def test_the_last_eight_that_were_opened_are_shown_newest_first(world: World, alice: FlaskClient) -> None:
    with transaction():
        guids = [make_customer(world.partners["contoso"], f"Company {number}").uuid for number in range(10)]
    for guid in guids:
        alice.get(f"/customers/{guid}")
    alice.get(f"/customers/{guids[4]}/software")
    expected = [f"/customers/{guids[number]}" for number in (4, 9, 8, 7, 6, 5, 3, 2)]
    assert suggested(alice) == expected
    page = BeautifulSoup(alice.get("/search").text, "html.parser")
    assert [link["href"] for link in page.select("#recent a")] == expected


def test_looking_writes_nothing_and_asks_nothing_more(world: World, alice: FlaskClient) -> None:
    address = f"/customers/{world.customer('coho').uuid}"
    with counted_statements() as first:
        alice.get(address)
    with counted_statements() as again:
        answer = alice.get(address)
    assert len(again) == len(first)
    assert not [text for text in first + again if not text.startswith("SELECT")]
    assert "csp_seen" not in answer.headers.get("Set-Cookie", ""), "nothing changed"


def test_refused_and_missing_pages_are_not_remembered(app: Flask, world: World, alice: FlaskClient) -> None:
    assert alice.get(f"/customers/{world.customer('tailspin').uuid}").status_code == 404
    bill = world.sign_in(app, "bill")
    assert bill.get(f"/customers/{world.customer('coho').uuid}/software").status_code == 403
    assert (suggested(alice), suggested(bill)) == ([], [])


def test_signing_out_forgets_and_nobody_else_is_shown_it(app: Flask, world: World, alice: FlaskClient) -> None:
    alice.get(f"/customers/{world.customer('coho').uuid}")
    kept = alice.get_cookie("csp_seen")
    assert kept is not None
    assert kept.http_only
    bob = world.sign_in(app, "bob")
    bob.set_cookie("csp_seen", kept.value)
    assert suggested(bob) == []
    page = BeautifulSoup(alice.get("/account").text, "html.parser")
    token = page.find("input", {"name": "csrf_token"})["value"]  # type: ignore[index]
    alice.post("/sign-out", data={"csrf_token": token})
    assert alice.get_cookie("csp_seen") is None


@pytest.mark.parametrize("text", ["", "x", "W10.abc", "null", "a.b.c"])
def test_a_cookie_that_we_did_not_write_is_ignored(alice: FlaskClient, text: str) -> None:
    alice.set_cookie("csp_seen", text)
    assert suggested(alice) == []


# ---- Shortcuts


def test_the_sheet_tells_only_keys_that_lead_somewhere(app: Flask, world: World, alice: FlaskClient) -> None:
    ours = BeautifulSoup(alice.get("/shortcuts").text, "html.parser")
    assert "Go to: Customers" in ours.get_text()
    assert "Go to: Administration" not in ours.get_text()
    theirs = world.sign_in(app, "olga").get("/shortcuts", headers=FRAGMENT).text
    assert "Go to: Administration" in theirs
    assert "<html" not in theirs
    keys = {str(link["data-go"]) for link in ours.select("#navigation a[data-go]")}
    assert keys == {"d", "c", "s", "t", "l", "u"}


def test_wcag_2_1_4_single_keys_can_be_switched_off(alice: FlaskClient) -> None:
    assert "data-keys" in alice.get("/customers").text
    for wanted, works in (("off", False), ("on", True)):
        page = BeautifulSoup(alice.get("/shortcuts").text, "html.parser")
        form = page.select_one('main form[action="/shortcuts"]')
        assert form is not None
        data = {str(each["name"]): str(each["value"]) for each in form.select("input")}
        assert data["shortcuts"] == wanted
        assert alice.post("/shortcuts", data=data).status_code == 303
        assert ("data-keys" in alice.get("/customers").text) is works


def test_the_account_page_has_the_switch_too(alice: FlaskClient) -> None:
    page = BeautifulSoup(alice.get("/account").text, "html.parser")
    form = page.select_one('#shortcuts form[action="/shortcuts"]')
    assert form is not None
    answer = alice.post("/shortcuts", data={str(each["name"]): str(each["value"]) for each in form.select("input")})
    assert answer.location == "/account#shortcuts"
    away = alice.post("/shortcuts", data={"next": "https://elsewhere.example/", "csrf_token": str(form.input["value"])})  # type: ignore[index]
    assert away.location == "/"
