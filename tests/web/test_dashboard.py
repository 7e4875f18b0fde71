"""The start page: what waits for each role, with links, in a fixed number of queries (B5, D12)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from csp_web.db import now, session, transaction
from csp_web.domain.delivery.links import get_keys_and_downloads
from csp_web.domain.stock.keys import hand_out_own_version
from csp_web.models import DownloadLink, OutboxMessage, OutboxState, Subscription, SubscriptionStatus
from tests.support.files import add_option
from tests.support.statements import counted_statements
from tests.support.stock import sku_of, stock
from tests.support.tickets import file_ticket, install_types, other_details
from tests.world import World, make_subscription


def page(app: Flask, world: World, name: str) -> str:
    answer = world.sign_in(app, name).get("/")
    assert answer.status_code == 200
    return answer.text


def panel(text: str, name: str) -> str:
    """One box of the page, or nothing."""
    return text.partition(f'id="{name}"')[2].partition("</section>")[0]


def order(world: World, customer: str = "coho", *, days_ago: float = 0, by: str = "alice", country: str = "US") -> int:
    with transaction():
        at = now() - timedelta(days=days_ago)
        offer = world.offer(f"windows-{country}")
        return make_subscription(world.customer(customer), offer, by=world.actor(by), ordered_at=at).id


def test_b5_rights_to_cancel_that_end_within_a_week_the_next_first(app: Flask, world: World) -> None:
    for days in (52.5, 54, 58, 59.9, 60.1):
        order(world, days_ago=days)
    cancelled = order(world, days_ago=57)
    with transaction():
        session.get_one(Subscription, cancelled).status = SubscriptionStatus.CANCELLED
    box = panel(page(app, world, "alice"), "deadlines")
    assert [int(left) for left in re.findall(r">(\d+) (?:days?|hours?)", box)] == [2, 1, 5]
    assert f"/customers/{world.customer('coho').uuid}" in box


def test_s1_nothing_of_another_partner_is_on_the_page(app: Flask, world: World) -> None:
    install_types()
    order(world, "tailspin", days_ago=58, by="charlie", country="DE")
    file_ticket(world, other_details(title="Fabrikam's own trouble"), by="charlie", at=now())
    for name in ("alice", "audrey", "olga"):
        text = page(app, world, name)
        assert "Tailspin" not in text, name
        assert "own trouble" not in text, name
    assert "own trouble" in page(app, world, "sam")
    assert "Tailspin" in page(app, world, "charlie")


def test_d12_lines_that_wait_for_keys(app: Flask, world: World) -> None:
    line = order(world)
    assert panel(page(app, world, "bob"), "waiting") == ""
    with transaction():
        hand_out_own_version(session.get_one(Subscription, line), by=world.actor("alice"))
    assert "Coho" in panel(page(app, world, "bob"), "waiting")
    stock_box = panel(page(app, world, "olga"), "stock")
    assert "Windows Server 2025" in stock_box
    assert "none" in stock_box
    stock(sku_of(world), "Windows Server 2025", 5)
    assert panel(page(app, world, "bob"), "waiting") == ""
    assert "Every pool has more keys" in page(app, world, "olga")


def test_r26_links_that_end_soon_are_for_those_who_handle_them(app: Flask, world: World) -> None:
    option, line = add_option(world), order(world)
    with transaction():
        subscription = session.get_one(Subscription, line)
        get_keys_and_downloads(
            subscription, session.merge(option), by=world.actor("alice"), recipient="ivan@coho.example"
        )
    assert panel(page(app, world, "alice"), "links") == ""
    with transaction():
        session.query(DownloadLink).one().expires_at = now() + timedelta(days=2, hours=1)
    assert "ivan@coho.example" in panel(page(app, world, "alice"), "links")
    assert "ivan@coho.example" not in page(app, world, "bob")
    assert "/d/" not in page(app, world, "alice")


def test_support_requests_of_the_partner_and_the_queue_of_support(app: Flask, world: World) -> None:
    install_types()
    ticket = file_ticket(world, other_details(title="The setup stops"), by="bob", at=now() - timedelta(hours=5)).number
    for name in ("alice", "bill", "audrey"):
        assert f"/tickets/{ticket}" in panel(page(app, world, name), "tickets")
    queue = panel(page(app, world, "sam"), "queue")
    assert "Contoso" in queue
    assert "overdue" in queue
    assert panel(page(app, world, "olga"), "queue") == ""


def test_the_latest_orders(app: Flask, world: World) -> None:
    line = order(world)
    number = session.get_one(Subscription, line).order.order_id
    for name in ("alice", "bill"):
        assert number in panel(page(app, world, name), "orders")
    assert panel(page(app, world, "sam"), "orders") == ""


def test_the_operator_admin_hears_of_mails_that_were_given_up(app: Flask, world: World) -> None:
    with transaction():
        session.add(
            OutboxMessage(message_id="<1@x>", recipient="a@b.example", subject="s", body="b", state=OutboxState.FAILED)
        )
    assert "1 mail could not be sent" in page(app, world, "olga")
    assert "could not be sent" not in page(app, world, "alice")


@pytest.mark.parametrize("name", ["alice", "bob", "helen", "bill", "audrey", "sam", "olga"])
def test_the_number_of_queries_does_not_grow(app: Flask, world: World, name: str) -> None:
    install_types()
    client = world.sign_in(app, name)
    client.get("/")  # what a process asks only once
    with counted_statements() as few:
        client.get("/")
    for _line in range(20):
        order(world, days_ago=58)
    for number in range(12):
        file_ticket(world, other_details(title=f"Trouble {number}"), at=now())
    with counted_statements() as many:
        text = client.get("/").text
    assert len(many) == len(few) <= 12
    assert text.count("<tr>") < 60
