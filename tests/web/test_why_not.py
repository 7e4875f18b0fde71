"""Why not (B6): whoever may not, or may no longer, sees the act all the same, disabled, with the rule, the date and who can.

Each row of ``REFUSED`` says: on this page this person finds this act refused, and its reason says all of these words.
The reason stands in sight, and the act can be reached by keyboard and is tied to it for screen readers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask

from csp_web.db import now, select, session, transaction
from csp_web.domain.support.cancellations import decline
from csp_web.models import DownloadLink, Subscription, User
from tests.support import shop
from tests.support import tickets as requests
from tests.support.software_pages import Line, add_option, bought, home, keyed, ordered, press
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

ADMIN_ALICE = "Admin agent. Ask a colleague who has it: Alice."
OPERATOR = "This is done by the operator"
Page = Callable[[World], str]


def _customer(world: World, name: str = "coho") -> str:
    return f"/customers/{world.customer(name).uuid}"


def _customers(_world: World) -> str:
    return "/customers"


def _audit(_world: World) -> str:
    return "/audit"


def _tickets(_world: World) -> str:
    return "/tickets"


def _reservations(world: World) -> str:
    return f"{_customer(world)}/reservations"


def _orders(world: World) -> str:
    return f"{_customer(world)}/orders"


def _order(world: World) -> str:
    line = session.get_one(Subscription, ordered(world).id)
    return f"/orders/{line.order.order_id}"


def _empty_cart(world: World) -> str:
    return f"{_customer(world)}/cart"


def _cart_of_ended_offers(world: World) -> str:
    shop.add(world)
    shop.end_price(world, "windows-US", now() - timedelta(hours=1))
    return f"{_customer(world)}/cart"


def _products_after_the_end(world: World) -> str:
    shop.end_price(world, "windows-US", datetime(2026, 5, 3, tzinfo=UTC))
    return f"{_customer(world)}/products?q=Windows+Server+2025+Datacenter"


def _excluded_market(world: World) -> str:
    shop.exclude_from(world, datetime(2026, 5, 3, tzinfo=UTC))
    return f"{_customer(world, 'datum')}/products?family=azure_reservation"


def _opened(world: World, line: Line) -> str:
    return f"{home(world)}?open={line.uuid}&fitting=1"


def _running(world: World) -> str:
    ordered(world)
    return home(world)


def _running_opened(world: World) -> str:
    return _opened(world, ordered(world))


def _with_key(world: World) -> str:
    add_option(world)
    return _opened(world, keyed(world)[0])


def _past_the_window(world: World) -> str:
    return _opened(world, ordered(world, ago=timedelta(days=61)))


def _past_the_term(world: World) -> str:
    add_option(world)
    return _opened(world, ordered(world, ago=timedelta(days=366)))


def _asked_already(world: World) -> str:
    requests.install_types()
    line = ordered(world)
    requests.file_refund(world, line.id, at=now())
    return _opened(world, line)


def _ticket(world: World) -> str:
    requests.install_types()
    return f"/tickets/{requests.file_ticket(world, requests.other_details(), by='bob', at=now()).number}"


def _undecided(world: World) -> str:
    requests.install_types()
    return f"/tickets/{requests.file_refund(world, ordered(world).id, at=now()).number}"


def _declined(world: World) -> str:
    requests.install_types()
    ticket = requests.file_refund(world, ordered(world).id, at=now())
    with transaction():
        decline(requests.cancellation(ticket), by=world.actor("sam"), reason="The key was used.")
    return f"/tickets/{ticket.number}"


def _person(name: str) -> Page:
    return lambda world: f"/users/{world.people[name]}"


REFUSED: list[tuple[str, Page, str, tuple[str, ...]]] = [
    # By role: who can, by role and by name
    ("Add customer", _customers, "helen", ("Admin agent, Sales agent", "Alice, Bob")),
    ("Add customer", _customers, "audrey", ("Alice, Bob",)),
    ("Add products", _customer, "bill", ("Admin agent, Sales agent", "Alice, Bob")),
    ("Edit", _customer, "bill", ("Alice, Bob, Helen",)),
    ("Edit", _customer, "audrey", ("Helpdesk agent",)),
    ("Report a problem", _customer, "audrey", ("Billing admin",)),
    ("Software", _customer, "bill", ("Auditor", "Alice")),
    ("Add products", _orders, "helen", ("Alice, Bob",)),
    ("Add products", _reservations, "audrey", ("Alice, Bob",)),
    ("Software", _order, "bill", ("Helpdesk agent",)),
    ("New request", _tickets, "audrey", ("Alice, Bill, Bob",)),
    ("Reply", _ticket, "audrey", ("Alice, Bill, Bob",)),
    ("Close", _ticket, "bob", (OPERATOR, "Support agent")),
    ("Cancel", _running, "bob", (ADMIN_ALICE,)),
    ("Cancel", _running_opened, "helen", (ADMIN_ALICE,)),
    ("Show key", _with_key, "bob", (ADMIN_ALICE,)),
    ("Get keys and downloads", _with_key, "audrey", (ADMIN_ALICE,)),
    ("Check the chain", _audit, "audrey", (OPERATOR, "Operator admin")),
    # By rule: which one, since when, what to do
    ("Cancel", _past_the_window, "alice", ("The right to cancel ended on", "UTC", "60 days after the purchase")),
    ("Cancel", _past_the_window, "bob", ("The right to cancel ended on",)),
    ("Cancel", _asked_already, "alice", ("requested in ticket",)),
    ("Get keys and downloads", _past_the_term, "alice", ("term", "ended on")),
    ("Place order", _empty_cart, "alice", ("The cart is empty.", "Add products first.")),
    ("Place order", _cart_of_ended_offers, "bob", ("None of the lines can be ordered", "reasons stand beside them")),
    ("Add to cart", _products_after_the_end, "alice", ("May 2026",)),
    ("Add to cart", _excluded_market, "alice", ("Russia", "3 May 2026")),
    ("Close", _undecided, "sam", ("has not been decided", "Approve it or decline it first")),
    ("Approve cancellation", _declined, "sam", ("already declined by Sam on",)),
    ("Decline", _declined, "sam", ("already declined by Sam on",)),
    ("Disable", _person("alice"), "alice", ("You cannot disable yourself", "another administrator")),
    ("New temporary password", _person("alice"), "alice", ("your account page",)),
    ("Disable", _person("charlie"), "olga", ("is the last Admin agent", "somebody else first")),
]


@pytest.mark.parametrize(
    ("act", "place", "person", "words"), REFUSED, ids=[f"{row[0]}-{row[1].__name__}-{row[2]}" for row in REFUSED]
)
def test_b6_a_refused_act_says_why_and_who_can(
    app: Flask, act: str, place: Page, person: str, words: tuple[str, ...]
) -> None:
    world = shop.build_shop()
    soup = BeautifulSoup(world.sign_in(app, person).get(place(world)).text, "html.parser")
    refused = [tag for tag in soup.select("[aria-disabled=true]") if _says(tag) == act]
    assert refused, f"{act} is not there"
    reason = _reason(soup, refused[0])
    assert [word for word in words if word not in reason] == [], reason
    assert all(_reason(soup, tag) and _reachable(tag) for tag in soup.select("[aria-disabled=true]"))


def _says(tag: Tag) -> str:
    return re.sub(r"\s+", " ", tag.get_text(" ", strip=True))


def _reason(soup: BeautifulSoup, refused: Tag) -> str:
    """The sentence that a screen reader adds to the act: it stands on the page, for those who only look or touch."""
    told = soup.find(id=str(refused.get("aria-describedby")))
    assert isinstance(told, Tag), f"{refused} is tied to no sentence"
    assert "hidden" not in told.attrs
    assert "visually-hidden" not in (told.get("class") or [])
    return _says(told)


def _reachable(refused: Tag) -> bool:
    return (refused.name == "button" and "disabled" not in refused.attrs) or refused.get("tabindex") == "0"


@pytest.mark.parametrize("name", ["alice", "charlie"])
def test_b6_what_will_be_refused_of_roles_is_said_before(app: Flask, world: World, name: str) -> None:
    """The last admin agent keeps the role, and nobody gives roles to oneself."""
    soup = BeautifulSoup(world.sign_in(app, name).get(f"/users/{world.people[name]}").text, "html.parser")
    hint = soup.find(id="roles-hint")
    assert isinstance(hint, Tag)
    assert "You cannot give roles to yourself." in hint.get_text()
    assert "is the last Admin agent" in hint.get_text()


def test_b6_a_link_that_ended_is_renewed_in_its_place(app: Flask) -> None:
    world = shop.build_shop()
    add_option(world)
    line = bought(world)
    client = world.sign_in(app, "alice")
    press(client, client.get(_opened(world, line)), "Get keys and downloads")
    with transaction():
        session.scalars(select(DownloadLink)).one().expires_at = now() - timedelta(minutes=1)

    press(client, client.get(_opened(world, line)), "New link")
    assert len(session.scalars(select(DownloadLink)).all()) == 2


def test_b6_names_of_colleagues_are_those_who_can_sign_in(app: Flask, world: World) -> None:
    with transaction():
        session.get_one(User, world.people["alice"]).disabled_at = now()
    page = world.sign_in(app, "helen").get("/customers").text
    assert "Ask a colleague who has it: Bob." in page
