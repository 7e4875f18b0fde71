"""Addresses of a place within a page: a line of software wherever it stands in the list, a note of a request."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from csp_web.db import now, session, transaction
from csp_web.models import Subscription, Ticket, TicketNote
from tests.support import tickets
from tests.world import World, make_subscription

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

LINES = 120  # more than two pages


@pytest.fixture
def alice(app: Flask, world: World) -> FlaskClient:
    return world.sign_in(app, "alice")


@pytest.fixture
def lines(world: World) -> list[tuple[int, str]]:
    """Row id and GUID of many lines, the oldest first."""
    with transaction():
        coho, offer, by = world.customer("coho"), world.offer("windows-US"), world.actor("alice")
        made = [make_subscription(coho, offer, by=by, ordered_at=now() - timedelta(days=1)) for _ in range(LINES)]
        return [(line.id, str(line.uuid)) for line in made]


@pytest.mark.parametrize("place", [0, 1, 60, LINES - 1])
def test_the_page_that_holds_the_line_is_shown(
    world: World, alice: FlaskClient, lines: list[tuple[int, str]], place: int
) -> None:
    number, guid = lines[place]
    home = f"/customers/{world.customer('coho').uuid}/software"
    page = BeautifulSoup(alice.get(f"{home}?open={guid}").text, "html.parser")
    row = page.select_one(f"tr#line-{number}")
    assert row is not None
    assert page.select_one(f"tr#opened-{number}[hidden]") is None, "opened"
    button = page.select_one(f"#opened-{number} button[data-copy]")
    assert button is not None
    assert button["data-copy"] == f"http://localhost{home}?open={guid}#line-{number}"
    assert f"{home}?open={guid}#line-{number}" in {str(link["href"]) for link in row.find_all("a")}


def test_a_note_has_an_address_and_a_ticket_leads_to_its_line(world: World, alice: FlaskClient) -> None:
    tickets.install_types()
    line = tickets.line_of(world, at=now())
    ticket = tickets.file_refund(world, line, at=now())
    with transaction():
        note = TicketNote(ticket_id=session.get_one(Ticket, ticket.id).id, author_id=world.people["sam"], text="Seen.")
        session.add(note)
        session.flush()
        number = note.id
    page = BeautifulSoup(alice.get(f"/tickets/{ticket.number}").text, "html.parser")
    article = page.select_one(f"article#note-{number}")
    assert article is not None
    assert article.select_one("a[href]")["href"] == f"#note-{number}"  # type: ignore[index]
    guid = session.get_one(Subscription, line).uuid
    assert page.find("a", href=re.compile(rf"/software\?open={guid}#line-{line}$")) is not None
