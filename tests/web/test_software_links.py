"""**Send link** and the log of a link on the Software page (B2, R29)."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from csp_web.db import session
from csp_web.models import DownloadLink, OutboxMessage
from tests.support.software_pages import add_option, home, keyed, page, press, said
from tests.world import World

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both


@pytest.fixture
def alice(app: Flask, world: World) -> FlaskClient:
    """Contoso's admin agent, signed in."""
    return world.sign_in(app, "alice")


def link_of(world: World, alice: FlaskClient, recipient: str = "") -> str:
    """Make a link; the address under which its acts are."""
    add_option(world)
    line, _key = keyed(world)
    opened = f"{home(world)}?open={line.uuid}&fitting=1"
    made = press(alice, alice.get(opened), "Get keys and downloads")
    if recipient:
        press(alice, made, "New link", recipient=recipient)
    number = session.scalars(select(DownloadLink.id).order_by(DownloadLink.id.desc())).first()
    return f"{home(world)}/{line.uuid}/links/{number}"


def test_r29_send_link_is_a_form_with_the_recipient_filled_in(world: World, alice: FlaskClient) -> None:
    address = link_of(world, alice, "anna@coho.example")
    form = alice.get(f"{address}/mail")
    assert page(form).find("input", id="email")["value"] == "anna@coho.example"
    answer = press(alice, form, "Send link", email="anna@coho.example", language="ru")
    assert "The mail with the link waits to be sent: anna@coho.example." in said(answer)
    assert session.scalars(select(OutboxMessage.recipient)).all() == ["anna@coho.example"]
    assert "anna@coho.example" in said(answer)


def test_r29_a_wrong_address_is_said_at_the_field_and_all_is_kept(world: World, alice: FlaskClient) -> None:
    address = link_of(world, alice)
    answer = press(alice, alice.get(f"{address}/mail"), "Send link", email="anna", language="en", note="For you")
    assert answer.status_code == 422
    assert page(answer).find("input", id="email")["aria-invalid"] == "true"
    assert page(answer).find("textarea", id="note").text.strip() == "For you"


def test_b6_a_link_that_ended_says_why_it_cannot_be_sent(world: World, alice: FlaskClient) -> None:
    address = link_of(world, alice)
    press(alice, alice.get(f"{home(world)}?open={address.split('/')[-3]}"), "Revoke")
    answer = alice.get(f"{address}/mail")
    assert "This link starts no downloads any more." in said(answer)
    assert page(answer).find("input", id="email") is None


def test_b2_the_log_of_a_link_as_csv_runs_no_formula(world: World, alice: FlaskClient) -> None:
    address = link_of(world, alice)
    token = page(alice.get(f"{home(world)}?open={address.split('/')[-3]}")).find("input", readonly=True)["value"]
    alice.post(token.removeprefix("http://localhost"), headers={"User-Agent": "=cmd|' /C calc'!A0"})
    answer = alice.get(f"{address}/log.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row[1] for row in rows[1:]] == ["Created", "Download counted"]
    assert rows[2][4] == "'=cmd|' /C calc'!A0"


def test_s1_the_log_of_another_partners_link_is_not_found(world: World, app: Flask, alice: FlaskClient) -> None:
    address = link_of(world, alice)
    assert world.sign_in(app, "charlie").get(f"{address}/log.csv").status_code == 404
