"""Signing in and out, and the language of both: as a browser without JavaScript sees them (S-5, B13)."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from csp_web.db import session, transaction
from csp_web.domain.access import people, throttle
from csp_web.models import User, UserSession
from tests.support.accounts import hidden, send, sign_in
from tests.support.people import PASSWORD
from tests.world import World

# These tests are about pages; what a hash costs is tested in tests/domain/test_people.py.
pytestmark = pytest.mark.usefixtures("cheap_hashes")


# ---------------------------------------------------------------- signing in


def test_the_labels_are_the_agreed_ones(client: FlaskClient) -> None:
    page = client.get("/sign-in").text
    for label in ("E-mail", "Password", "Sign in"):
        assert f">{label}</" in page


def test_signing_in_leads_to_the_dashboard(client: FlaskClient, bob: str) -> None:
    answer = sign_in(client, bob)
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/").status_code == 200


def test_a_new_token_is_made_at_sign_in(app: Flask, client: FlaskClient, bob: str) -> None:
    """S-5: a cookie that was planted before is worth nothing afterwards."""
    client.get("/sign-in")
    with client.session_transaction() as cookie:
        cookie["planted"] = "x"
        token = cookie["csrf_token"]
    sign_in(client, bob)
    client.get("/account")
    with client.session_transaction() as cookie:
        assert "planted" not in cookie
        assert cookie["csrf_token"] != token
        first = cookie["_user_id"]
    sign_in_again = app.test_client()
    sign_in(sign_in_again, bob)
    with sign_in_again.session_transaction() as cookie:
        assert cookie["_user_id"] != first


def test_known_and_unknown_get_the_same_page(app: Flask, bob: str) -> None:
    pages = []
    for email, password in ((bob, "wrong"), ("nobody@contoso.example", PASSWORD)):
        answer = sign_in(app.test_client(), email, password)
        assert answer.status_code == 422
        pages.append(re.sub(r'(name="csrf_token" value=)"[^"]*"', r"\1", answer.text).replace(email, "EMAIL"))
    assert pages[0] == pages[1]
    assert "or the account is disabled" in pages[0]


def test_what_was_typed_stays_but_not_the_password(client: FlaskClient, bob: str) -> None:
    page = sign_in(client, bob, "my-wrong-password").text
    assert bob in page
    assert "my-wrong-password" not in page


def test_too_many_attempts_say_when_to_try_again(client: FlaskClient, bob: str) -> None:
    for _attempt in range(throttle.FREE_PER_ACCOUNT):
        assert sign_in(client, bob, "wrong").status_code == 422
    refused = sign_in(client, bob)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 16
    assert re.search(r"Try again in 1\d seconds", refused.text)


def test_a_disabled_person_cannot_sign_in(client: FlaskClient, world: World, bob: str) -> None:
    with transaction():
        people.disable_user(session.get_one(User, world.people["bob"]), by=world.actor("alice"))
    assert sign_in(client, bob).status_code == 422


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/customers", "/customers"),
        ("/software?state=ends%20soon", "/software?state=ends%20soon"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/%5Cevil.example", "/"),
    ],
)
def test_s10_one_goes_on_to_where_one_wanted_and_never_off_the_site(
    client: FlaskClient, bob: str, target: str, place: str
) -> None:
    form = client.get("/sign-in", query_string={"next": target})
    data = {"csrf_token": hidden(form, "csrf_token"), "next": hidden(form, "next"), "email": bob, "password": PASSWORD}
    assert client.post("/sign-in", data=data).location == place
    assert client.get("/sign-in", query_string={"next": target}).location == place


def test_what_was_typed_when_the_session_ended_comes_back(app: Flask, world: World, bob: str) -> None:
    """Ended sessions: sign-in, then back with the form's content kept."""
    client = world.sign_in(app, "bob")
    token = hidden(client.get("/account"), "csrf_token")
    with transaction():
        session.scalars(select(UserSession)).one().revoked_at = session.scalars(select(UserSession)).one().created_at
    typed = {"csrf_token": token, "name": "Bob the Second", "phone": "", "language": "en", "time_zone": "UTC"}
    ended = client.post("/account", data=typed, headers={"Referer": "http://localhost/account"})
    assert ended.status_code == 303
    form = client.get(ended.location)
    answer = client.post(
        "/sign-in",
        data={name: hidden(form, name) for name in ("csrf_token", "next", "kept")}
        | {"email": bob, "password": PASSWORD},
    )
    page = client.get(answer.location).text
    assert "Bob the Second" in page
    assert "What you typed was kept" in page
    assert session.get_one(User, world.people["bob"]).name == "Bob"


def test_a_foreign_forms_sign_in_is_refused(client: FlaskClient, bob: str) -> None:
    assert client.post("/sign-in", data={"email": bob, "password": PASSWORD}).status_code == 400
    form = client.get("/sign-in")
    data = {"csrf_token": hidden(form, "csrf_token"), "email": bob, "password": PASSWORD}
    assert client.post("/sign-in", data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("email", ["", "x" * 100_000, "a\0b", "😀@пример.рф", "\u202eevil", "a\r\nb: c"])
def test_s12_odd_input_is_refused_with_a_page(client: FlaskClient, world: World, email: str) -> None:
    assert sign_in(client, email, "x").status_code == 422


# ---------------------------------------------------------------- signing out


def test_signing_out_ends_the_session_itself(app: Flask, client: FlaskClient, bob: str) -> None:
    sign_in(client, bob)
    stolen = app.test_client()
    with client.session_transaction() as cookie, stolen.session_transaction() as copy:
        copy.update(cookie)
    assert stolen.get("/account").status_code == 200
    answer = send(client, "/sign-out", page="/account")
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert "cache" in answer.headers["Clear-Site-Data"]
    assert client.get("/account").status_code == 303
    assert stolen.get("/account").status_code == 303


def test_signing_out_works_when_the_session_has_ended(client: FlaskClient) -> None:
    assert send(client, "/sign-out", page="/sign-in").location == "/sign-in"


def test_signing_out_everywhere_ends_every_session(app: Flask, bob: str) -> None:
    here, there = app.test_client(), app.test_client()
    sign_in(here, bob)
    sign_in(there, bob)
    assert send(here, "/account/sessions/end", page="/account").status_code == 303
    assert here.get("/account").status_code == there.get("/account").status_code == 303


def test_one_session_can_be_ended(app: Flask, world: World, bob: str) -> None:
    here, there, alice = app.test_client(), app.test_client(), world.sign_in(app, "alice")
    sign_in(here, bob)
    sign_in(there, bob)
    [other] = re.findall(r'action="(/account/sessions/[0-9a-f]+/end)"', here.get("/account").text)
    assert send(alice, other, page="/account").status_code == 404
    assert send(here, other, page="/account").status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert send(here, other, page="/account").status_code == 404


# ---------------------------------------------------------------- languages


def test_b13_the_language_is_chosen_before_sign_in_and_taken_along(client: FlaskClient, world: World, bob: str) -> None:
    form = client.get("/sign-in?next=/account")
    data = {"csrf_token": hidden(form, "csrf_token"), "language": "ru", "next": "/sign-in?next=/account"}
    assert client.post("/account/language", data=data).location == "/sign-in?next=/account"
    assert '<html lang="ru">' in client.get("/sign-in").text
    sign_in(client, bob)
    assert '<html lang="ru">' in client.get("/account").text
    assert session.get_one(User, world.people["bob"]).language == "ru"


def test_b13_without_a_choice_the_persons_own_language_holds(client: FlaskClient, world: World, bob: str) -> None:
    with transaction():
        session.get_one(User, world.people["bob"]).language = "ru"
    sign_in(client, bob)
    assert '<html lang="ru">' in client.get("/account").text
    assert '<html lang="ru">' in client.get("/account").text


def test_the_switch_returns_to_the_same_page_and_never_off_the_site(app: Flask, world: World) -> None:
    client = world.sign_in(app, "bob")
    token = hidden(client.get("/account"), "csrf_token")
    for target, place in (("/customers?q=a", "/customers?q=a"), ("//evil.example", "/")):
        data = {"csrf_token": token, "language": "ru", "next": target}
        assert client.post("/account/language", data=data).location == place
    assert client.post("/account/language", data={"csrf_token": token, "language": "xx"}).status_code == 303
    assert '<html lang="ru">' in client.get("/account").text
