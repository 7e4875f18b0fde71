"""What goes on paper: the sheet with a key that was just shown, orders and requests without the frame (B4)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from csp_web.db import session, transaction
from csp_web.models import Subscription
from tests.support.software_pages import add_option, home, keyed, page, press
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both


@pytest.fixture
def alice(app: Flask, world: World) -> FlaskClient:
    """Contoso's admin agent, signed in."""
    return world.sign_in(app, "alice")


CSS = Path(__file__).resolve().parents[2] / "static/css"


def test_b4_only_a_key_that_was_just_shown_has_a_sheet(world: World, alice: FlaskClient) -> None:
    line, key = keyed(world)
    opened = alice.get(f"{home(world)}?open={line.uuid}")
    assert page(opened).select(".key-sheet") == []

    shown = page(press(alice, opened, "Show key"))
    sheet = shown.select_one(".key-sheet")
    assert key in sheet.get_text()
    assert sheet.find_parent(attrs={"data-auto-hide": True}) is not None, "it leaves the page together with the key"

    assert key not in alice.get(f"{home(world)}?open={line.uuid}").text


def test_the_sheet_says_what_the_customer_needs(world: World, alice: FlaskClient) -> None:
    """Whose it is, product, version, how many activations, how to install, and the link with its end in UTC."""
    option = add_option(world)
    line, _key = keyed(world)
    with transaction():
        session.get_one(Subscription, line.id).quantity = 7
    got = press(alice, alice.get(f"{home(world)}?open={line.uuid}&fitting=1"), "Get keys and downloads")
    words = page(press(alice, got, "Show key")).select_one(".key-sheet").get_text(" ")
    for wanted in (
        "For Coho",
        "Windows Server 2025 Datacenter",
        "Activations 7",
        "How to install",
        option.file_name,
        "/d/",
        "UTC",
    ):
        assert wanted in re.sub(r"\s+", " ", words)


def test_paper_has_no_cards_no_colours_and_no_frame() -> None:
    """A4 is as narrow as a phone: tables must stay tables on it, in whatever theme the screen wears."""
    tables, paper = (CSS / "tables.css").read_text(), (CSS / "print.css").read_text()
    assert "@media screen and (width < 56rem)" in tables
    assert not re.search(r"@media \(width < 56rem\)", tables)
    for part in (".topbar", ".nav-side", ".btn", ".footer", ":root[data-contrast]", "break-inside: avoid", "size: A4"):
        assert part in paper


def test_every_page_says_on_paper_whose_it_is_and_when_it_was_printed(alice: FlaskClient) -> None:
    head = page(alice.get("/customers")).select_one(".print-head")
    assert "CSP Web" in head.get_text()
    assert re.search(r"\d{4}, \d{2}:\d{2}", head.get_text())
