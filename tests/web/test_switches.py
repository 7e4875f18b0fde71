"""B13: the switches of language and theme keep the page and its filters, without JavaScript and after a refused form."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support import tickets
from tests.world import World

pytestmark = pytest.mark.one_database


def next_of(page: str) -> str:
    """What the switch of language on a page tells of it."""
    found = re.search(r'action="/account/language".*?name="next" value="([^"]*)"', page, re.DOTALL)
    assert found
    return unescape(found[1])


def switch(client: FlaskClient, page: str, *, at: str, told: bool = True, what: str = "language") -> str:
    """Press the switch on a page that stands at an address; where it leads to. Not every browser says where it was."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    sent = {"csrf_token": token[1], "next": next_of(page), "language": "ru", "theme": "dark"}
    headers = {"Referer": f"http://localhost{at}"} if told else {}
    answer = client.post(f"/account/{what}", data=sent, headers=headers)
    assert answer.status_code == 303
    return answer.headers["Location"]


@pytest.mark.parametrize("address", ["/customers?q=coho", "/software?q=a%26b&keys=ready", "/sign-in", "/nowhere?x=1"])
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("what", ["language", "theme"])
def test_b13_a_switch_keeps_the_page_and_its_filters(
    app: Flask, world: World, address: str, told: bool, what: str
) -> None:
    client = app.test_client() if address == "/sign-in" else world.sign_in(app, "alice")
    page = client.get(address).text
    assert switch(client, page, at=address, told=told, what=what) == address


def test_b13_filters_that_a_script_put_into_the_address_are_kept(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    page = alice.get("/customers").text
    assert switch(alice, page, at="/customers?q=co") == "/customers?q=co"


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(("act", "status"), [("replies", 422), ("cancellation/refusal", 403)])
def test_b13_after_a_refused_form_the_switch_opens_the_page_of_the_form(
    app: Flask, world: World, told: bool, act: str, status: int
) -> None:
    tickets.install_types()
    number = tickets.file_ticket(world, tickets.other_details(), by="alice").number
    alice, home = world.sign_in(app, "alice"), f"/tickets/{number}"
    refused = f"{home}/{act}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', alice.get(home).text)
    assert token
    for came_from in (home, refused):  # sent again from the page that refused it
        headers = {"Referer": f"http://localhost{came_from}"}
        answer = alice.post(refused, data={"csrf_token": token[1], "text": "", "reason": ""}, headers=headers)
        assert answer.status_code == status
        assert switch(alice, answer.text, at=refused, told=told) == home
    assert alice.get(home).status_code == 200


def test_s10_a_switch_leads_nowhere_else(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    page = alice.get("/customers").text.replace('value="/customers"', 'value="//elsewhere.example/"')
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    sent = {"csrf_token": token[1], "next": "//elsewhere.example/", "language": "ru"}
    for referrer in ("http://elsewhere.example/customers", "http://localhost//elsewhere.example/"):
        answer = alice.post("/account/language", data=sent, headers={"Referer": referrer})
        assert answer.headers.get("Location", "/") == "/"
