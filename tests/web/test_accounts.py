"""One's own account, the partner's people, the operator's: as a browser without JavaScript sees them (S-5)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from csp_web.db import session
from csp_web.models import AuditEntry, Role, User
from tests.support.accounts import hidden, send, sign_in
from tests.support.people import PASSWORD
from tests.world import World

# These tests are about pages; what a hash costs is tested in tests/domain/test_people.py.
pytestmark = pytest.mark.usefixtures("cheap_hashes")


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
