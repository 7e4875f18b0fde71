"""Every page below the first level says where it stands, and the chain leads back to the customer."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import nodes

from csp_web.db import now, session, transaction
from csp_web.models import Subscription
from tests.support import tickets
from tests.world import World, make_subscription

pytestmark = pytest.mark.one_database

# Places of the navigation, and pages that stand beside all of them.
FIRST_LEVEL = {
    "accounts/profile.html",
    "accounts/users.html",
    "admin/index.html",
    "audit/index.html",
    "customers/index.html",
    "help/contents.html",
    "home/dashboard.html",
    "jobs/index.html",
    "search/everything.html",
    "software/everything.html",
}


def test_every_page_below_the_first_level_has_breadcrumbs(app: Flask) -> None:
    env = app.jinja_env
    without = set()
    for name in env.list_templates(extensions=["html"]):
        tree = env.parse(env.loader.get_source(env, name)[0])  # type: ignore[union-attr]
        extended = [
            node.template.value for node in tree.find_all(nodes.Extends) if isinstance(node.template, nodes.Const)
        ]
        if extended == ["layouts/base.html"] and "breadcrumbs" not in {b.name for b in tree.find_all(nodes.Block)}:
            without.add(name)
    assert without <= FIRST_LEVEL
    assert without >= FIRST_LEVEL & set(env.list_templates())


@pytest.fixture
def alice(app: Flask, world: World) -> FlaskClient:
    return world.sign_in(app, "alice")


def chain(page: str) -> list[tuple[str, str | None]]:
    found = BeautifulSoup(page, "html.parser").select_one("nav.breadcrumbs ol")
    assert isinstance(found, Tag), "no breadcrumbs"
    items = found.find_all("li")
    parts = [(item.get_text(" ", strip=True), str(item.a["href"]) if item.a else None) for item in items]
    assert items[-1].span is not None
    assert items[-1].span["aria-current"] == "page"
    return parts


@pytest.mark.parametrize(
    ("rest", "last"),
    [
        ("", "Coho"),
        ("/edit", "Edit Coho"),
        ("/software", "Software"),
        ("/orders", "Order history"),
        ("/products", "Add products"),
        ("/cart", "Review order"),
        ("/reservations", "Azure reservations"),
    ],
)
def test_pages_of_a_customer_lead_back_to_it(world: World, alice: FlaskClient, rest: str, last: str) -> None:
    home = f"/customers/{world.customer('coho').uuid}"
    parts = chain(alice.get(home + rest).text)
    assert parts[0] == ("Customers", "/customers")
    assert parts[-1] == (last, None)
    if rest:
        assert parts[1] == ("Coho", home)


def test_an_order_and_its_ticket_lead_back_to_the_customer(world: World, alice: FlaskClient) -> None:
    home = f"/customers/{world.customer('coho').uuid}"
    with transaction():
        line = make_subscription(world.customer("coho"), world.offer("windows-US"), by=world.actor("alice"))
        number, address = line.id, f"/orders/{line.order.order_id}"
    tickets.install_types()
    ticket = tickets.file_refund(world, number, at=now()).number
    assert chain(alice.get(address).text)[1] == ("Coho", home)
    assert chain(alice.get(f"/tickets/{ticket}").text) == [
        ("Support requests", "/tickets"),
        ("Coho", home),
        (ticket, None),
    ]
    assert chain(alice.get(f"/tickets?customer={home.removeprefix('/customers/')}").text)[1] == ("Coho", home)
    guid = session.get_one(Subscription, number).uuid
    asked = alice.get(f"/tickets/new?subscription={guid}")
    assert chain(asked.text)[1] == ("Coho", home)


def test_support_meets_no_link_that_would_be_refused(app: Flask, world: World) -> None:
    """Customers are the partner's: support agents see their names on the ticket, no page of theirs."""
    with transaction():
        line = make_subscription(world.customer("coho"), world.offer("windows-US"), by=world.actor("alice"))
        number = line.id
    tickets.install_types()
    ticket = tickets.file_refund(world, number, at=now()).number
    parts = chain(world.sign_in(app, "sam").get(f"/tickets/{ticket}").text)
    assert parts == [("Support requests", "/tickets"), (ticket, None)]


@pytest.mark.parametrize(
    ("address", "place", "mark"),
    [("/customers", "Customers", "page"), ("/tickets", "Support requests", "page"), ("software", "Customers", "true")],
)
def test_the_navigation_marks_the_place_also_on_pages_below(
    world: World, alice: FlaskClient, address: str, place: str, mark: str
) -> None:
    if address == "software":
        address = f"/customers/{world.customer('coho').uuid}/software"
    assert marked(alice.get(address).text) == {place: mark}


def test_an_order_belongs_to_customers(world: World, alice: FlaskClient) -> None:
    with transaction():
        line = make_subscription(world.customer("coho"), world.offer("windows-US"), by=world.actor("alice"))
        address = f"/orders/{line.order.order_id}"
    assert marked(alice.get(address).text) == {"Customers": "true"}


def marked(page: str) -> dict[str, str]:
    links = BeautifulSoup(page, "html.parser").select("#navigation a[aria-current]")
    return {link.get_text(strip=True): str(link["aria-current"]) for link in links}
