"""Any identifier typed into the search finds the thing (D10), and only one's own (S-1)."""

from __future__ import annotations

import pytest
from flask import Flask

from csp_web.db import session, transaction
from csp_web.domain.finder import Found, FoundKind, find_everything
from csp_web.models import Subscription
from tests.world import World, make_subscription


@pytest.fixture
def bought(world: World) -> Subscription:
    with transaction():
        return make_subscription(world.customer("coho"), world.offer("windows-US"), by=world.actor("alice"))


def kinds(found: list[Found]) -> list[FoundKind]:
    return [thing.kind for thing in found]


def test_d10_every_identifier_finds_its_thing(world: World, bought: Subscription) -> None:
    alice = world.actor("alice")
    assert kinds(find_everything(alice, str(bought.uuid))) == [FoundKind.SUBSCRIPTION]
    assert kinds(find_everything(alice, f" {bought.order.order_id} ")) == [FoundKind.ORDER]
    assert kinds(find_everything(alice, bought.order.alternate_id.upper())) == [FoundKind.ORDER]
    assert kinds(find_everything(alice, str(world.customer("coho").uuid))) == [FoundKind.CUSTOMER]
    assert kinds(find_everything(alice, world.customer("coho").domain)) == [FoundKind.CUSTOMER]


def test_another_partner_finds_nothing_of_it(world: World, bought: Subscription) -> None:
    charlie = world.actor("charlie")
    for text in (bought.uuid, bought.order.order_id, bought.order.alternate_id, world.customer("coho").uuid, "coho"):
        assert find_everything(charlie, str(text)) == []


def test_the_one_thing_found_is_opened(app: Flask, world: World, bought: Subscription) -> None:
    answer = world.sign_in(app, "alice").get(
        "/search", query_string={"q": session.get_one(Subscription, 1).order.order_id}
    )
    assert answer.status_code == 303
    assert answer.location.startswith("/orders/")


def test_nothing_found_says_what_to_type(app: Flask, world: World) -> None:
    page = world.sign_in(app, "alice").get("/search?q=nothing-like-this").text
    assert "Nothing found" in page
