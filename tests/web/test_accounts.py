"""Signing in and out, one's own account, the partner's people: as a browser without JavaScript sees them (S-5)."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from csp_web.db import session, transaction
from csp_web.domain import passwords, people, throttle
from csp_web.models import AuditEntry, Role, User, UserSession
from tests.world import World

PASSWORD = "a lamp upon the stairs"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about pages; what a hash costs is tested in tests/domain/test_people.py."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys_hash.cache_clear()


@pytest.fixture
def bob(world: World, app: Flask) -> str:
    """Bob has a password; returns his address."""
    with transaction():
        session.get_one(User, world.people["bob"]).password_hash = passwords.hash_password(PASSWORD)
    return "bob@contoso.example"


def hidden(page: TestResponse, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page.text)
    assert found, f"no field {name}"
    return unescape(found[1])


def send(client: FlaskClient, address: str, *, page: str | None = None, **fields: Any) -> TestResponse:
    """Open the page with the form, fill it in, send it."""
    form = client.get(page or address)
    return client.post(address, data={"csrf_token": hidden(form, "csrf_token"), **fields})


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
    return send(client, "/sign-in", email=email, password=password, **more)


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


# ---------------------------------------------------------------- own account


def test_the_profile_is_changed_and_the_clock_follows(app: Flask, world: World) -> None:
    client = world.sign_in(app, "bob")
    answer = send(client, "/account", name="Боб", phone="+1", language="ru", time_zone="Asia/Tokyo")
    assert answer.status_code == 303
    page = client.get("/account").text
    assert "Боб" in page
    assert "Asia/Tokyo" in page


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("time_zone", "Mars"), ("language", "xx"), ("name", "a\0b")]
)
def test_a_profile_that_does_not_fit_comes_back_with_all_that_was_typed(
    app: Flask, world: World, field: str, value: str
) -> None:
    client = world.sign_in(app, "bob")
    fields: dict[str, Any] = {"name": "Bob", "phone": "+49 30 1234", "language": "en", "time_zone": "UTC", field: value}
    answer = send(client, "/account", **fields)
    assert answer.status_code == 422
    assert "+49 30 1234" in answer.text


def test_a_user_cannot_change_what_the_form_does_not_have(app: Flask, world: World) -> None:
    """S-2: further fields of a form change nothing."""
    client = world.sign_in(app, "bob")
    fields: dict[str, Any] = {"name": "Bob", "phone": "", "language": "en", "time_zone": "UTC"}
    send(client, "/account", **fields, partner_id="1", email="x@y.example", disabled_at="x", roles="operator admin")
    found = session.get_one(User, world.people["bob"])
    assert (found.email, found.partner_id) == ("bob@contoso.example", world.partners["contoso"])
    assert found.roles == {Role.SALES_AGENT}


def test_a_new_password_needs_the_old_one(app: Flask, client: FlaskClient, bob: str) -> None:
    sign_in(client, bob)
    new = {"new_password": "another lamp upon it", "again_password": "another lamp upon it"}
    assert send(client, "/account/password", old_password="wrong", **new).status_code == 422
    assert send(client, "/account/password", old_password=PASSWORD, **new).status_code == 303
    assert client.get("/account").status_code == 200
    assert sign_in(app.test_client(), bob).status_code == 422
    assert sign_in(app.test_client(), bob, "another lamp upon it").status_code == 303


def test_passwords_are_in_no_answer(client: FlaskClient, bob: str) -> None:
    sign_in(client, bob)
    answer = send(
        client, "/account/password", old_password="my-old-one", new_password="my-new-one", again_password="my-third-one"
    )
    assert answer.status_code == 422
    assert "my-old-one" not in answer.text
    assert "my-new-one" not in answer.text


# ---------------------------------------------------------------- the partner's people


def new_person(client: FlaskClient, **more: Any) -> TestResponse:
    token = hidden(client.get("/users/new"), "form_token")
    fields: dict[str, Any] = {
        "name": "Nina",
        "email": "nina@contoso.example",
        "roles": ["sales agent"],
        "form_token": token,
        **more,
    }
    return send(client, "/users/new", **fields)


def shown_password(page: TestResponse) -> str:
    found = re.search(r'id="temporary-password" value="([^"]+)"', page.text)
    assert found
    return found[1]


def test_a_new_person_gets_a_password_that_opens_only_its_own_change(app: Flask, world: World) -> None:
    alice, nina = world.sign_in(app, "alice"), app.test_client()
    added = new_person(alice)
    assert added.status_code == 200
    password = shown_password(added)
    assert password not in alice.get("/users").text
    assert sign_in(nina, "nina@contoso.example", password).status_code == 303
    for address in ("/", "/customers", "/account"):
        assert nina.get(address).location == "/account/password"
    assert nina.get("/customers", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/account/password"
    own = {"new_password": PASSWORD, "again_password": PASSWORD}
    assert send(nina, "/account/password", old_password=password, **own).status_code == 303
    assert nina.get("/").status_code == 200
    again = app.test_client()
    sign_in(again, "nina@contoso.example")
    assert again.get("/").status_code == 200


def test_a_double_click_shows_the_same_password_twice(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    token = hidden(alice.get("/users/new"), "form_token")
    first, second = new_person(alice, form_token=token), new_person(alice, form_token=token)
    assert shown_password(first) == shown_password(second)
    assert len(session.scalars(select(User).filter_by(email="nina@contoso.example")).all()) == 1


def test_a_person_that_does_not_fit_comes_back_with_all_that_was_typed(app: Flask, world: World) -> None:
    answer = new_person(world.sign_in(app, "alice"), email="bob@contoso.example", roles=["auditor"])
    assert answer.status_code == 422
    assert "in use already" in answer.text
    assert "Nina" in answer.text
    assert re.search(r'value="auditor"[^>]*checked|checked[^>]*value="auditor"', answer.text)


def test_an_admin_agent_cannot_hand_out_the_operators_roles(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    assert "operator admin" not in alice.get("/users/new").text
    assert new_person(alice, roles=["operator admin"]).status_code == 422
    assert send(alice, f"/users/{world.people['bob']}", roles=["support agent"]).status_code == 422


def test_an_admin_agent_adds_people_only_to_the_own_partner(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    token = hidden(alice.get("/users/new"), "form_token")
    fields: dict[str, Any] = {
        "name": "Nina",
        "email": "nina@contoso.example",
        "roles": ["sales agent"],
        "form_token": token,
    }
    send(alice, f"/users/new?partner={world.partners['fabrikam']}", **fields)
    assert session.scalars(select(User).filter_by(name="Nina")).one().partner_id == world.partners["contoso"]


def test_new_roles_end_the_sessions_of_the_person(app: Flask, world: World) -> None:
    alice, bob = world.sign_in(app, "alice"), world.sign_in(app, "bob")
    assert send(alice, f"/users/{world.people['bob']}", roles=["auditor", "sales agent"]).status_code == 303
    assert bob.get("/account").status_code == 303


def test_a_person_is_disabled_enabled_and_given_a_new_password(app: Flask, world: World, bob: str) -> None:
    alice, page = world.sign_in(app, "alice"), f"/users/{world.people['bob']}"
    assert send(alice, f"{page}/disabling", page=page).status_code == 303
    assert sign_in(app.test_client(), bob).status_code == 422
    assert send(alice, f"{page}/enabling", page=page).status_code == 303
    given = send(alice, f"{page}/password", page=page, form_token=hidden(alice.get(page), "form_token"))
    assert given.status_code == 200
    assert sign_in(app.test_client(), bob).status_code == 422
    assert sign_in(app.test_client(), bob, shown_password(given)).status_code == 303


def test_nobody_disables_oneself_and_the_page_says_why(app: Flask, world: World) -> None:
    alice, page = world.sign_in(app, "alice"), f"/users/{world.people['alice']}"
    assert "You cannot disable yourself" in alice.get(page).text
    assert "last Admin agent" in world.sign_in(app, "olga").get(page).text
    token = hidden(alice.get(page), "csrf_token")
    refused = alice.post(f"{page}/disabling", data={"csrf_token": token})
    assert refused.status_code == 409
    assert "cannot disable yourself" in refused.text
    entry = session.scalars(select(AuditEntry).filter_by(operation="refused")).one()
    assert entry.actor_email == "alice@contoso.example"


# ---------------------------------------------------------------- the operator


def test_an_operator_admin_sees_everybody_and_adds_a_partner_with_its_first_person(app: Flask, world: World) -> None:
    olga = world.sign_in(app, "olga")
    assert "bob@contoso.example" in (page := olga.get("/admin/users").text)
    assert "charlie@fabrikam.example" in page
    narrowed = olga.get(f"/admin/users?partner={world.partners['fabrikam']}&q=CHAR").text
    assert "charlie@" in narrowed
    assert "bob@" not in narrowed
    form = olga.get("/admin/partners/new")
    fields: dict[str, Any] = {"name": "Adatum", "country": "FR", "form_token": hidden(form, "form_token")}
    added = send(olga, "/admin/partners/new", **fields)
    assert added.status_code == 303
    person: dict[str, Any] = {"name": "Ada", "email": "ada@adatum.example", "roles": ["admin agent"]}
    token = hidden(olga.get(added.location), "form_token")
    assert send(olga, added.location, form_token=token, **person).status_code == 200
    assert session.scalars(select(User).filter_by(name="Ada")).one().partner.name == "Adatum"
    again = send(olga, "/admin/partners/new", **{**fields, "form_token": "x" * 20})
    assert again.status_code == 422
    assert "Adatum" in again.text


def test_the_outbox_says_why_mails_wait(app: Flask, world: World) -> None:
    assert "CSP_WEB_SMTP_URL" in world.sign_in(app, "olga").get("/admin/outbox").text
