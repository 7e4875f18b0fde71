"""The first setup in the browser: a way in for the owner of the server, shut for everybody else and for ever after (S-5)."""

from __future__ import annotations

import stat
import threading
from dataclasses import replace

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from csp_web.app import create_app
from csp_web.config import Settings
from csp_web.db import session, transaction
from csp_web.domain.upkeep import first_setup, mail_test
from csp_web.domain.upkeep.installation import install_rules
from csp_web.errors import Conflict
from csp_web.models import AuditEntry, OutboxMessage, OutboxState, Partner, Role, User
from tests.support.accounts import send
from tests.support.live import free_port
from tests.support.people import PASSWORD
from tests.world import World

pytestmark = pytest.mark.usefixtures("cheap_hashes")

ORGANISATION = {"organisation": "Wide World", "country": "DE", "sells": "y", "supports": "y"}
PERSON = {
    "name": "Wilma",
    "email": "Wilma@WideWorld.example",
    "password": PASSWORD,
    "again_password": PASSWORD,
    "language": "en",
    "time_zone": "Europe/Berlin",
}
PATIENCE = 30.0


@pytest.fixture
def fresh(settings: Settings, database: None) -> Flask:
    """An installation after ``csp-web init``, with nobody in it."""
    with transaction():
        install_rules()
    assert first_setup.offer()
    return _site(settings)


def _site(settings: Settings) -> Flask:
    site = create_app(settings)
    site.testing = True
    return site


def walk(client: FlaskClient, **person: str) -> TestResponse:
    """All steps, as a browser without JavaScript takes them."""
    assert send(client, "/setup", code=first_setup.code()).location == "/setup/organisation"
    assert send(client, "/setup/organisation", **ORGANISATION).location == "/setup/you"
    return send(client, "/setup/you", **{**PERSON, **person})


@pytest.mark.parametrize("address", ["/", "/sign-in", "/customers", "/no/such/page", "/d/" + "x" * 43])
def test_every_address_leads_to_the_setup(fresh: Flask, address: str) -> None:
    answer = fresh.test_client().get(address)
    assert (answer.status_code, answer.location) == (303, "/setup")
    assert fresh.test_client().get("/readyz").status_code == 200


def test_the_steps_end_signed_in_as_operator_and_reseller(fresh: Flask) -> None:
    client = fresh.test_client()
    assert walk(client).location == "/admin/outbox/test?first=1"
    page = client.get("/admin/outbox/test?first=1").text
    assert "First setup, step 4 of 4" in page
    assert "No mail server is set" in page
    assert "Skip" in page
    assert client.get("/").status_code == 200
    found = session.scalars(select(User)).one()
    assert (found.email, found.time_zone, found.password_temporary) == (
        "wilma@wideworld.example",
        "Europe/Berlin",
        False,
    )
    assert found.roles == {Role.OPERATOR_ADMIN, Role.ADMIN_AGENT, Role.SUPPORT_AGENT}
    assert (found.partner.name, found.partner.is_operator) == ("Wide World", True)
    assert session.scalar(select(func.count()).where(AuditEntry.operation == "set_up")) == 1


def test_an_operator_who_does_not_sell_gets_only_the_operators_role(fresh: Flask) -> None:
    client = fresh.test_client()
    send(client, "/setup", code=first_setup.code())
    send(client, "/setup/organisation", organisation="Wide World", country="DE")
    send(client, "/setup/you", **PERSON)
    assert session.scalars(select(User)).one().roles == {Role.OPERATOR_ADMIN}


def test_afterwards_setup_is_not_found_for_ever(fresh: Flask, settings: Settings) -> None:
    """In the process that made the person, in every other one, and after a restart with a code that came back."""
    other_process = _site(settings)
    old_code = first_setup.code()
    client = fresh.test_client()
    walk(client)
    assert not first_setup.code_file().exists()
    first_setup.code_file().write_text(old_code)
    for site in (fresh, other_process, _site(settings)):
        for address in ("/setup", "/setup/organisation", "/setup/you"):
            assert site.test_client().get(address).status_code == 404
        assert site.test_client().get("/customers").location.startswith("/sign-in")
    assert first_setup.offer() == ""
    assert not first_setup.code_file().exists()


def test_an_installation_with_people_never_had_a_setup(app: Flask, world: World) -> None:
    assert app.test_client().get("/setup").status_code == 404


def test_nobody_goes_past_the_code(fresh: Flask) -> None:
    client = fresh.test_client()
    for address in ("/setup/organisation", "/setup/you"):
        assert client.get(address).location == "/setup"
    with client.session_transaction() as cookie:
        cookie["setup"] = {"proof": "0" * 64, "organisation": {}}
    assert client.get("/setup/you").location == "/setup"
    assert send(client, "/setup", code="aaaa-bbbb-cccc-dddd").status_code == 422
    assert client.get("/setup/organisation").location == "/setup"


def test_the_code_is_private_and_never_on_a_page_or_in_a_cookie(fresh: Flask) -> None:
    code = first_setup.code()
    assert stat.S_IMODE(first_setup.code_file().stat().st_mode) == 0o600
    assert len(code.replace("-", "")) == 16
    client = fresh.test_client()
    answer = send(client, "/setup", code=code.upper().replace("-", " "))
    assert answer.location == "/setup/organisation"
    with client.session_transaction() as cookie:
        assert code not in str(dict(cookie))
        assert code.replace("-", "") not in str(dict(cookie))


def test_guessing_is_slowed_down(fresh: Flask) -> None:
    client = fresh.test_client()
    answers = [send(client, "/setup", code="wrong").status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]
    assert send(client, "/setup", code=first_setup.code()).status_code == 429


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("password", "short", "Use at least 12 characters"),
        ("email", "nobody", "This is not an e-mail address."),
        ("time_zone", "Mars/Olympus", "Choose a time zone."),
        ("name", "", "Enter a name."),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_made(fresh: Flask, field: str, value: str, sentence: str) -> None:
    again = {"again_password": value} if field == "password" else {}
    answer = walk(fresh.test_client(), **{field: value}, **again)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert PASSWORD not in answer.text
    assert session.scalar(select(func.count()).select_from(Partner)) == 0


def test_t5_two_browsers_at_once_make_one_first_person(fresh: Flask) -> None:
    """Both passed every step before; the second is sent to sign in."""
    start, said = threading.Barrier(2), []

    def begin(name: str) -> None:
        given = first_setup.Beginning(
            name, "DE", "", True, True, name, f"{name}@wideworld.example", PASSWORD, "en", "UTC"
        )
        try:
            start.wait(PATIENCE)
            first_setup.set_up(given, hours=1, address="192.0.2.1", agent="test")
            said.append("made")
        except Conflict:
            said.append("refused")
        finally:
            session.remove()

    threads = [threading.Thread(target=begin, args=(name,)) for name in ("anna", "bert")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(said) == ["made", "refused"]
    session.rollback()
    assert session.scalar(select(func.count()).select_from(User)) == 1
    assert session.scalar(select(func.count()).select_from(Partner)) == 1


# ---------------------------------------------------------------- the mail server


class Post:
    """A mail server that takes mails, but not for everybody."""

    def __init__(self) -> None:
        self.subjects: list[bytes] = []

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:  # noqa: N802
        if address.startswith("sam"):
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802
        self.subjects.append(envelope.content)
        return "250 OK"


def test_the_mail_test_says_what_the_server_says(settings: Settings, database: None, world: World) -> None:
    """Success, the server's exact refusal, and a server that is not there; no password on the page."""
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        site = _site(replace(settings, smtp_url=f"smtp://127.0.0.1:{controller.port}"))
        olga = world.sign_in(site, "olga")
        assert "127.0.0.1" in olga.get("/admin/outbox/test").text
        answer = send(olga, "/admin/outbox/test")
        assert "The mail server took the mail for olga@northwind.example." in answer.text
        assert len(post.subjects) == 1
        row = session.scalars(select(OutboxMessage)).one()
        assert (row.state, row.recipient) == (OutboxState.SENT, "olga@northwind.example")
        with transaction():
            session.get_one(User, world.people["olga"]).email = "sam@elsewhere.example"
        refused = send(olga, "/admin/outbox/test")
        assert (refused.status_code, "550 5.1.1 No such mailbox here" in refused.text) == (422, True)
    finally:
        controller.stop()
    gone = _site(replace(settings, smtp_url=f"smtp://user:hidden-word@127.0.0.1:{controller.port}"))
    page = send(world.sign_in(gone, "olga"), "/admin/outbox/test")
    assert page.status_code == 422
    assert "Connection refused" in page.text
    assert "hidden-word" not in page.text


def test_only_operator_admins_test_the_mail_server(app: Flask, world: World) -> None:
    assert world.sign_in(app, "alice").get("/admin/outbox/test").status_code == 403
    assert mail_test.server() is None
