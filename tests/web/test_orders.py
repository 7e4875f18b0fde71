"""**Order history**, one order, and reservations (R16, D1, D8, D10, B5)."""

from __future__ import annotations

import pytest
import time_machine
from flask import Flask

from csp_web.db import now, select, session, transaction
from csp_web.domain.upkeep.installation import install_rules
from csp_web.models import Order, Subscription, SubscriptionStatus
from tests.support.plain import PlainBrowser
from tests.support.shop import AZURE, add, order
from tests.support.statements import counted_statements
from tests.world import World, make_subscription


@pytest.fixture
def shop(world: World) -> World:
    with transaction():
        install_rules()
    return world


@pytest.fixture
def alice(app: Flask, shop: World) -> PlainBrowser:
    return PlainBrowser(shop.sign_in(app, "alice"))


def address(world: World, page: str, customer: str = "coho") -> str:
    return f"/customers/{world.customer(customer).uuid}/{page}"


def buy(world: World, *offers: str, reference: str = "") -> str:
    for offer in offers:
        azure = {"azure": AZURE, "scope": "single"} if offer.startswith("reservation") else {}
        add(world, offer, 2, **azure)
    return order(world, reference=reference).order_id


def cancel(world: World, order_id: str, *numbers: int) -> None:
    placed = session.scalars(select(Order).filter_by(order_id=order_id)).one()
    lines = session.scalars(select(Subscription).filter_by(order_id=placed.id)).all()
    with transaction():
        for line in lines:
            if line.line_number in numbers:
                line.status, line.cancelled_at = SubscriptionStatus.CANCELLED, now()


def some_orders(world: World, count: int) -> None:
    customer, offer, by = world.customer("coho"), world.offer("windows-US"), world.actor("alice")
    with transaction():
        for _ in range(count):
            make_subscription(customer, offer, by=by)


# ---------------------------------------------------------------- history


def test_the_history_lists_orders_newest_first(alice: PlainBrowser, shop: World) -> None:
    first = buy(shop, "windows-US", "sql-US", reference="PO 1")
    second = buy(shop, "cal-US")
    alice.open(address(shop, "orders"))
    assert alice.heading == "Order history"
    assert alice.text.index(second) < alice.text.index(first)
    for text in ("PO 1", "and 1 more line", "$4,312.00", "Completed", "Alice"):
        assert text in alice.text
    alice.follow(first)
    assert alice.address == f"/orders/{first}"


def test_an_order_is_cancelled_when_all_its_lines_are(alice: PlainBrowser, shop: World) -> None:
    number = buy(shop, "windows-US", "sql-US")
    cancel(shop, number, 0)
    assert "Partly cancelled" in alice.open(address(shop, "orders")).text
    cancel(shop, number, 1)
    row = alice.open(address(shop, "orders")).page.find("tbody").get_text(" ")  # type: ignore[union-attr]
    assert "Partly" not in row
    assert "Cancelled" in row


def test_d10_each_identifier_finds_the_order(alice: PlainBrowser, shop: World) -> None:
    wanted = buy(shop, "windows-US", reference="Büro 17%")
    other = buy(shop, "sql-US")
    row = session.scalars(select(Order).filter_by(order_id=wanted)).one()
    subscription = row.lines[0].uuid
    alternate = row.alternate_id
    for typed in (wanted, f" {wanted} ", alternate, alternate.upper(), str(subscription), "büro 17%", "17%"):
        alice.open(address(shop, "orders")).fill("Order ID, alternate ID, subscription ID or reference", typed)
        alice.press("Search", within="subscription ID or reference")
        assert wanted in alice.text
        assert other not in alice.text


@pytest.mark.parametrize("typed", ["%", "_", "nothing", "x" * 5000, "\x00", "00000000-0000-0000-0000-000000000000"])
def test_what_is_not_there_says_so(alice: PlainBrowser, shop: World, typed: str) -> None:
    number = buy(shop, "windows-US")
    alice.answer = alice.client.get(address(shop, "orders"), query_string={"q": typed})
    assert alice.answer.status_code == 200
    assert (number in alice.text) == (typed == "\x00")


def test_an_empty_history_leads_to_the_products(alice: PlainBrowser, shop: World) -> None:
    alice.open(address(shop, "orders"))
    assert "No orders yet" in alice.text
    alice.follow("Add products")
    assert alice.heading == "Add products"


def test_pages_of_fifty_and_the_same_number_of_statements(app: Flask, shop: World) -> None:
    client = shop.sign_in(app, "alice")
    some_orders(shop, 2)
    client.get(address(shop, "orders"))
    with counted_statements() as few:
        client.get(address(shop, "orders"))
    some_orders(shop, 60)
    with counted_statements() as many:
        browser = PlainBrowser(client).open(address(shop, "orders"))
    assert len(many) == len(few)
    assert len(browser.page.find_all("th", scope="row")) == 50
    browser.follow("Next")
    assert len(browser.page.find_all("th", scope="row")) == 12
    browser.follow("Previous")
    assert len(browser.page.find_all("th", scope="row")) == 50


def test_htmx_gets_the_list_alone(app: Flask, shop: World) -> None:
    buy(shop, "windows-US")
    answer = shop.sign_in(app, "alice").get(address(shop, "orders"), headers={"HX-Request": "true"})
    assert " ".join(answer.text.split()).startswith('<div id="order-list"')


@pytest.mark.parametrize("who", ["alice", "bob", "helen", "bill", "audrey"])
def test_d14_every_member_of_the_partner_sees_orders(app: Flask, shop: World, who: str) -> None:
    number = buy(shop, "windows-US")
    client = shop.sign_in(app, who)
    assert client.get(address(shop, "orders")).status_code == 200
    assert client.get(f"/orders/{number}").status_code == 200
    assert client.get(address(shop, "reservations")).status_code == 200


@pytest.mark.parametrize("who", ["charlie", "olga", "sam"])
def test_d14_strangers_do_not_find_them(app: Flask, shop: World, who: str) -> None:
    number = buy(shop, "windows-US")
    client = shop.sign_in(app, who)
    for page in (address(shop, "orders"), f"/orders/{number}", address(shop, "reservations")):
        assert client.get(page).status_code == 404


# ---------------------------------------------------------------- one order


def test_one_order_shows_what_was_agreed(alice: PlainBrowser, shop: World) -> None:
    number = buy(shop, "windows-US", "reservation-US", reference="PO 7")
    alice.open(f"/orders/{number}")
    row = session.scalars(select(Order).filter_by(order_id=number)).one()
    assert alice.heading == f"Order {number}"
    for text in (row.alternate_id, "PO 7", "On account, due", "$4,312.00", AZURE, "Within 60 days", "at any time"):
        assert text in alice.text
    assert {str(line.uuid) in alice.text for line in row.lines} == {True}


def test_b5_the_deadline_is_shown_with_the_time_left_and_then_the_date_on_which_it_ended(
    app: Flask, shop: World
) -> None:
    number = buy(shop, "windows-US")
    line = session.scalars(select(Subscription)).one()
    assert line.cancel_until is not None
    deadline = line.cancel_until
    with time_machine.travel(deadline.timestamp() - 3 * 3600, tick=False):
        browser = PlainBrowser(shop.sign_in(app, "alice")).open(f"/orders/{number}")
        assert "3 hours" in browser.text
    with time_machine.travel(deadline.timestamp() + 1, tick=False):
        browser = PlainBrowser(shop.sign_in(app, "alice")).open(f"/orders/{number}")
        assert "The right to cancel ended" in browser.text
        assert deadline.strftime("%Y-%m-%d %H:%M:%S UTC") in browser.text


def test_lines_lead_to_their_software_unless_the_role_may_not(app: Flask, shop: World) -> None:
    number = buy(shop, "windows-US")
    line = session.scalars(select(Subscription)).one()
    target = f"{address(shop, 'software')}?open={line.uuid}"
    assert target in shop.sign_in(app, "alice").get(f"/orders/{number}").text
    assert target not in shop.sign_in(app, "bill").get(f"/orders/{number}").text


def test_d7_a_cancelled_line_says_so(alice: PlainBrowser, shop: World) -> None:
    number = buy(shop, "windows-US", "sql-US")
    cancel(shop, number, 1)
    alice.open(f"/orders/{number}")
    assert "Cancelled on" in alice.text
    assert "Partly cancelled" in alice.text


@pytest.mark.parametrize("number", ["x", "A" * 33, "🙂", "%00", "a" * 3000])
def test_unknown_orders_are_not_found(app: Flask, shop: World, number: str) -> None:
    assert shop.sign_in(app, "alice").get(f"/orders/{number}").status_code == 404


# ---------------------------------------------------------------- reservations


def test_d8_reservations_stand_on_their_own_page_with_their_own_policy(alice: PlainBrowser, shop: World) -> None:
    number = buy(shop, "reservation-US", "windows-US")
    alice.open(address(shop, "reservations"))
    assert alice.heading == "Azure reservations"
    for text in ("Standard_D2s_v5", "West Europe", AZURE, "single", "at any time", "no keys and no files", number):
        assert text in alice.text
    assert "Datacenter" not in alice.text


def test_no_reservations_yet(alice: PlainBrowser, shop: World) -> None:
    buy(shop, "windows-US")
    assert "No reservations yet" in alice.open(address(shop, "reservations")).text
