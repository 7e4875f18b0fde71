"""**Show key** in a browser: the password once more, in the key's place, with or without scripts (B4, R19)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from csp_web.db import now, session, transaction
from csp_web.domain.upkeep import configured
from csp_web.models import AuditEntry, AuditStatus, UserSession
from tests.support.people import PASSWORD, with_password
from tests.support.software_pages import button, home, keyed, page, press, said

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from csp_web.config import Settings
    from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def alice(app: Flask, world: World, cheap_hashes: None) -> FlaskClient:
    """Contoso's admin agent, signed in, with a password that a test can type."""
    with_password(world, "alice")
    return world.sign_in(app, "alice")


def let_time_pass() -> None:
    with transaction():
        session.execute(update(UserSession).values(confirmed_at=now() - timedelta(minutes=5)))


def entries(operation: str) -> list[AuditEntry]:
    return list(session.scalars(select(AuditEntry).filter_by(operation=operation)))


def test_b4_within_five_minutes_of_signing_in_the_key_is_shown_at_once(world: World, alice: FlaskClient) -> None:
    line, key = keyed(world)
    answer = press(alice, alice.get(f"{home(world)}?open={line.uuid}"), "Show key")
    assert key in answer.text


def test_b4_later_the_password_is_asked_in_the_keys_place(world: World, alice: FlaskClient) -> None:
    line, key = keyed(world)
    let_time_pass()
    asked = press(alice, alice.get(f"{home(world)}?open={line.uuid}"), "Show key")
    assert asked.status_code == 422
    assert key not in asked.text
    assert "a key is shown only to the person who is signed in" in said(asked)
    assert page(asked).find("input", id="show-password")["autocomplete"] == "current-password"
    assert entries("show_key") == []
    answer = press(alice, asked, "Show key", password=PASSWORD, reason="Ticket 612")
    assert answer.status_code == 200
    assert key in answer.text
    assert entries("show_key")[0].details["reason"] == "Ticket 612"
    again = press(alice, alice.get(f"{home(world)}?open={line.uuid}"), "Show key")
    assert key in again.text  # fresh for five minutes now


def test_b4_a_wrong_password_shows_nothing_keeps_the_reason_and_is_logged(world: World, alice: FlaskClient) -> None:
    line, key = keyed(world)
    let_time_pass()
    asked = press(alice, alice.get(f"{home(world)}?open={line.uuid}"), "Show key")
    answer = press(alice, asked, "Show key", password="not the password", reason="Ticket 612")
    assert answer.status_code == 422
    assert key not in answer.text
    field = page(answer).find("input", id="show-password")
    assert (field["aria-invalid"], field.get("value", "")) == ("true", "")
    assert "The password is wrong." in said(answer)
    assert page(answer).find("input", id="show-reason")["value"] == "Ticket 612"
    assert entries("confirm_password")[0].status is AuditStatus.DECLINED
    assert entries("show_key") == []


def test_s5_guessing_the_password_here_is_slowed_down(world: World, alice: FlaskClient) -> None:
    line, _key = keyed(world)
    let_time_pass()
    asked = press(alice, alice.get(f"{home(world)}?open={line.uuid}"), "Show key")
    codes = [press(alice, asked, "Show key", password=f"guess {n}").status_code for n in range(6)]
    assert codes == [422] * 5 + [429]
    assert press(alice, asked, "Show key", password=PASSWORD).status_code == 429
    assert entries("show_key") == []


def test_b4_with_scripts_only_the_opened_line_is_answered(world: World, alice: FlaskClient) -> None:
    line, key = keyed(world)
    let_time_pass()
    fields = button(alice.get(f"{home(world)}?open={line.uuid}"), "Show key")
    address = fields.pop("action")
    asked = alice.post(address, data=fields, headers=FRAGMENT)
    assert asked.status_code == 422
    assert asked.text.lstrip().startswith("<tr")
    answer = alice.post(address, data=fields | {"password": PASSWORD}, headers=FRAGMENT)
    assert key in answer.text


def test_b4_the_limit_of_the_day_is_said_with_when_it_ends(
    world: World, alice: FlaskClient, settings: Settings
) -> None:
    configured.configure(replace(settings, show_key_quota=1))
    line, key = keyed(world)
    press(alice, alice.get(f"{home(world)}?open={line.uuid}"), "Show key")
    answer = press(alice, alice.get(f"{home(world)}?open={line.uuid}"), "Show key")
    assert answer.status_code == 409
    assert "You have shown 1 key today." in said(answer)
    assert key not in answer.text
