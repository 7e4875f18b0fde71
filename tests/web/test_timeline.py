"""The timeline of a customer: what happened, for whom it is, a page at a time (B5, B10, B11, R19, S-1)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from csp_web import db
from csp_web.db import as_of, now, session, transaction
from csp_web.domain import audit
from csp_web.domain.companies.customers import CustomerFacts, edit_customer
from csp_web.domain.companies.timeline import Kind, timeline
from csp_web.domain.delivery.links import get_keys_and_downloads, write_event
from csp_web.domain.outbox import queue_mail
from csp_web.domain.stock.keys import hand_out_own_version
from csp_web.domain.support.tickets import close, internal_note, reply
from csp_web.models import DownloadLink, Subscription, Ticket, User
from tests.support.files import add_option
from tests.support.statements import counted_statements
from tests.support.stock import bought, sku_of, stock
from tests.support.tickets import (
    approve_ticket,
    file_refund,
    file_ticket,
    install_types,
    new_token,
    other_details,
)
from tests.world import World

EVERYTHING = (
    "Handed out a key",
    "Made a download link",
    "A download began",
    "Opened a support request",
    "Replied to a support request",
    "Closed a support request",
    "Requested a cancellation",
    "Approved a cancellation",
    "Recorded a refund",
    "Reply to a support request",  # a mail
    "Edited a customer",
)


@pytest.fixture
def tale(app: Flask, world: World) -> World:
    """A customer with whom everything happened once."""
    install_types()
    option = add_option(world)
    stock(sku_of(world), "Windows Server 2025", 3)
    line = bought(world).id
    alice, sam = world.actor("alice"), world.actor("sam")
    with transaction():
        subscription = session.get_one(Subscription, line)
        hand_out_own_version(subscription, by=alice)
        get_keys_and_downloads(subscription, session.merge(option), by=alice, recipient="ivan@coho.example")
        write_event(session.query(DownloadLink).one().id, "counted", address="192.0.2.7")
    ticket = ask(world, "The setup stops")
    with transaction():
        internal_note(ticket, "They never read manuals", by=sam, token=new_token())
        reply(ticket, "Restart it", by=sam, token=new_token())
        close(ticket, by=sam)
        queue_mail(
            recipient="ivan@coho.example",
            subject="Download",
            body="",
            partner_id=alice.partner_id,
            customer_id=ticket.customer_id,
            link_id=session.query(DownloadLink).one().id,
        )
    approve_ticket(world, file_refund(world, line, at=now()))
    with transaction():
        customer = world.customer("coho")
        facts = CustomerFacts(
            **{name: getattr(customer, name) for name in CustomerFacts.__dataclass_fields__} | {"city": "Riga"}
        )
        edit_customer(customer, facts, by=alice, version=customer.version)
    return world


def ask(world: World, title: str) -> Ticket:
    """A support request about the customer."""
    facts = {"customer": world.customer("coho").domain}
    return file_ticket(world, other_details(title=title, facts=facts), at=now())


def page(app: Flask, world: World, name: str, query: str = "", customer: str = "coho") -> str:
    address = f"/customers/{world.customer(customer).uuid}/timeline{query}"
    answer = world.sign_in(app, name).get(address)
    assert answer.status_code == 200
    return answer.text


def test_b5_everything_that_happened_is_told(app: Flask, tale: World) -> None:
    text = page(app, tale, "alice")
    for words in EVERYTHING:
        assert words in text, words
    for fact in ("City:", "Riga", "The setup stops", "ivan@coho.example", "Windows Server 2025", "Sam", "Alice"):
        assert fact in text, fact
    assert re.search(r'href="/tickets/\d+"', text)
    assert "/software?open=" in text


def test_b10_notes_of_support_keys_and_addresses_of_visitors_are_never_told(app: Flask, tale: World) -> None:
    for name in ("alice", "bob", "audrey"):
        text = page(app, tale, name)
        for secret in ("never read manuals", "Wrote an internal note", "192.0.2.7", "/d/"):
            assert secret not in text, (name, secret)
        assert not re.search(r"\b([A-Z0-9]{5}-){4}[A-Z0-9]{5}\b", text)


def test_d14_a_role_sees_what_its_pages_show(app: Flask, tale: World) -> None:
    software = {"Handed out a key", "Made a download link", "A download began"}
    for name, hidden in (
        ("bob", {"ivan@coho.example"}),
        ("helen", {"Recorded a refund", "ivan@coho.example"}),
        ("bill", {*software, "Reply to a support request", "ivan@coho.example"}),
        ("audrey", {"ivan@coho.example"}),
    ):
        text = page(app, tale, name)
        assert [words for words in hidden if words in text] == [], name
        assert [words for words in EVERYTHING if words not in text and words not in hidden] == [], name


def test_d14_a_kind_that_is_not_open_is_not_offered_and_not_found(app: Flask, tale: World) -> None:
    text = page(app, tale, "bill", "?kind=keys")
    assert 'value="keys"' not in text
    assert "Handed out a key" not in text
    with app.app_context():
        entries = timeline(tale.customer("coho"), by=tale.actor("bill"), kind=Kind.KEYS).entries
    assert entries == []


def test_a_page_is_narrowed_to_one_kind(app: Flask, tale: World) -> None:
    text = page(app, tale, "alice", "?kind=mails")
    assert "Reply to a support request" in text
    assert "Handed out a key" not in text
    assert '<option value="mails" selected>' in text


def test_s1_nobody_reads_another_partner_s_timeline_or_another_customer_s(app: Flask, tale: World) -> None:
    for name in ("charlie", "sam", "olga"):
        client = tale.sign_in(app, name)
        assert client.get(f"/customers/{tale.customer('coho').uuid}/timeline").status_code == 404, name
    assert "Nothing happened yet" in page(app, tale, "alice", customer="datum")


def entries_of(client: FlaskClient, address: str) -> tuple[list[str], str | None, str | None]:
    soup = BeautifulSoup(client.get(address).text, "html.parser")
    links = {str(link["rel"][0]): str(link["href"]) for link in soup.select(".pager a")}
    return [item.text for item in soup.select(".timeline .sub")], links.get("prev"), links.get("next")


def test_pages_of_fifty_meet_without_gap_or_double_and_lead_back(app: Flask, world: World) -> None:
    with transaction():
        at = now()
        for number in range(120):  # three of each instant
            with as_of(at - timedelta(minutes=number // 3)):
                audit.record(
                    "hand_out_key",
                    by=world.actor("alice"),
                    resource=("subscription", "0"),
                    customer=world.customer("coho"),
                    product=f"P{number:03}",
                )
    client = world.sign_in(app, "alice")
    address: str | None = f"/customers/{world.customer('coho').uuid}/timeline"
    seen: list[list[str]] = []
    back: str | None = None
    while address is not None:
        found, back, address = entries_of(client, address)
        seen.append(found)
    assert [len(found) for found in seen] == [50, 50, 20]
    together = [text for found in seen for text in found]
    assert len(set(together)) == 120
    assert [int(text[1:]) // 3 for text in together] == sorted(int(text[1:]) // 3 for text in together)
    assert back is not None
    assert entries_of(client, back)[0] == seen[1]


def test_days_are_the_reader_s(app: Flask, world: World) -> None:
    with transaction():
        session.get_one(User, world.people["alice"]).time_zone = "Asia/Tokyo"
        with as_of(db.now().replace(year=2026, month=3, day=1, hour=20, minute=30)):
            who, customer = world.actor("alice"), world.customer("coho")
            audit.record("edit_customer", by=who, resource=("customer", customer.uuid), customer=customer)
    text = page(app, world, "alice")
    assert "<h2>2 Mar 2026</h2>" in text
    assert ">05:30</time>" in text


def test_addresses_that_make_no_sense_are_the_first_page(app: Flask, tale: World) -> None:
    for query in (
        "?page=zzz",
        "?page=o1~2",
        "?page=o1e400~0~1",
        "?page=o1~-1~1",
        "?page=%00",
        "?page=onan~0~0",
        "?kind=x",
    ):
        assert "Edited a customer" in page(app, tale, "alice", query), query


def test_like_things_in_a_row_are_one_line(app: Flask, tale: World) -> None:
    with transaction():
        for _turn in range(3):
            write_event(session.query(DownloadLink).one().id, "counted")
    assert "× 3" in page(app, tale, "alice", "?kind=links")


@pytest.mark.parametrize("title", ['csp:["joined",1,["a"]]', 'csp:["text","Sign in",{}]'])
def test_a_title_that_looks_like_a_stored_text_is_told_as_it_was_typed(app: Flask, tale: World, title: str) -> None:
    ticket = ask(tale, title)
    with transaction():
        reply(ticket, "Thank you.", by=tale.actor("sam"), token=new_token())
    assert str(escape(title)) in page(app, tale, "alice", "?kind=tickets")


def test_a_fragment_is_the_list_alone(app: Flask, tale: World) -> None:
    address = f"/customers/{tale.customer('coho').uuid}/timeline"
    text = tale.sign_in(app, "alice").get(address, headers={"HX-Request": "true"}).text
    assert 'id="timeline"' in text
    assert "<html" not in text


def test_the_number_of_statements_does_not_grow(app: Flask, tale: World) -> None:
    client, address = tale.sign_in(app, "alice"), f"/customers/{tale.customer('coho').uuid}/timeline"
    client.get(address)
    with counted_statements() as few:
        client.get(address)
    for number in range(5):
        ask(tale, f"Trouble {number}")
    with counted_statements() as many:
        client.get(address)
    assert len(many) == len(few) <= 8
