"""Pages of customers: list, add, edit, detail; what was typed is never lost."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from csp_web.db import session, transaction
from csp_web.domain.access import sessions
from csp_web.models import Customer
from tests.world import World, make_customer


def token(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page) or re.search(
        rf'value="([^"]*)"[^>]*name="{name}"', page
    )
    assert found, f"the page has no field {name}"
    return found.group(1)


def send(client: FlaskClient, address: str, **values: str) -> TestResponse:
    page = client.get(address).text
    hidden = {name: token(page, name) for name in ("csrf_token", "form_token")}
    if 'name="version"' in page:
        hidden["version"] = token(page, "version")
    return client.post(address, data={**hidden, **values})


NEW = {"company_name": "Wingtip Toys", "domain": "wingtip.example", "country": "US", "language": "en"}


def test_r14_adding_leads_to_the_page_of_the_customer(app: Flask, world: World) -> None:
    client = world.sign_in(app, "alice")
    answer = send(client, "/customers/new", **NEW)
    assert answer.status_code == 303
    page = client.get(answer.location).text
    for label in ("Add products", "Software", "Order history", "Tickets", "Account", "wingtip.example"):
        assert label in page


def test_a_wrong_field_keeps_everything_that_was_typed(app: Flask, world: World) -> None:
    typed = {**NEW, "domain": "no domain", "city": "\u200fمدينة 🏙", "postal_code": "98052"}
    answer = send(world.sign_in(app, "alice"), "/customers/new", **typed)
    assert answer.status_code == 422
    for text in ("Wingtip Toys", "no domain", "\u200fمدينة 🏙", "98052"):
        assert text in answer.text
    assert 'aria-invalid="true"' in answer.text


@pytest.mark.parametrize("text", ["x" * 100_000, "a\x00b", "<script>alert(1)</script>" * 20])
def test_hostile_names_get_a_sentence(app: Flask, world: World, text: str) -> None:
    answer = send(world.sign_in(app, "alice"), "/customers/new", **{**NEW, "company_name": text})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


def test_a_stale_form_is_409_and_says_what_changed(app: Flask, world: World) -> None:
    client = world.sign_in(app, "alice")
    address = f"/customers/{world.customer('coho').uuid}/edit"
    old = client.get(address).text
    assert send(client, address, **{**NEW, "company_name": "Coho Vineyard"}).status_code == 303
    stale = {name: token(old, name) for name in ("csrf_token", "form_token", "version")}
    answer = client.post(address, data={**stale, **NEW})
    assert answer.status_code == 409
    assert "Coho Vineyard" in answer.text


def test_an_ended_session_keeps_the_form(app: Flask, world: World) -> None:
    client = world.sign_in(app, "alice")
    page = client.get("/customers/new").text
    hidden = {name: token(page, name) for name in ("csrf_token", "form_token")}
    with app.app_context(), transaction():
        sessions.end_all(world.people["alice"], by=world.actor("alice"), resource="alice")
    answer = client.post("/customers/new", data={**hidden, **NEW})
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in?next=")
    kept = re.search(r"kept=([\w-]+)", answer.location)
    assert kept
    again = world.sign_in(app, "alice").get(f"/customers/new?kept={kept.group(1)}")
    assert "Wingtip Toys" in again.text
    assert "Wingtip Toys" not in world.sign_in(app, "bob").get(f"/customers/new?kept={kept.group(1)}").text
    assert session.query(Customer).filter_by(domain="wingtip.example").count() == 0


def test_the_list_is_one_page_of_fifty_with_the_rest_behind_next(app: Flask, world: World) -> None:
    with transaction():
        for number in range(60):
            make_customer(world.partners["contoso"], f"Firm {number:02}")
    client = world.sign_in(app, "bob")
    first = client.get("/customers").text
    assert first.count("<tr>") == 51
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    assert client.get(following.group(1).replace("&amp;", "&")).text.count("<tr>") == 13


def test_an_empty_list_says_what_to_do(app: Flask, world: World) -> None:
    with transaction():
        session.query(Customer).delete()
    assert "Add the first company" in world.sign_in(app, "alice").get("/customers").text


def test_htmx_gets_only_the_list(app: Flask, world: World) -> None:
    answer = world.sign_in(app, "alice").get("/customers?q=coho", headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith("<div")
    assert "HX-Request" in answer.headers["Vary"]
