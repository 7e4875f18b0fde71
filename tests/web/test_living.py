"""Fragments, counters and news: what a page asks for while it is open, and what it gets when something is refused."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from csp_web.db import now, session, transaction
from csp_web.domain.support.tickets import internal_note, reply
from csp_web.models import Ticket
from tests.support.statements import counted_statements
from tests.support.stock import sku_of, stock
from tests.support.tickets import file_ticket, install_types, new_token, other_details
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

HTMX = {"HX-Request": "true"}
MOST_BYTES = 5 * 1024  # of one update, as it goes over the wire


@pytest.fixture(autouse=True)
def _types(world: World) -> None:
    install_types()


def written(world: World, number: str, by: str, text: str = "Try again.", verb: Any = reply) -> None:
    with transaction():
        ticket = session.query(Ticket).filter_by(number=number).one()
        verb(ticket, text, by=world.actor(by), token=new_token())


def opened(world: World, by: str = "bob") -> str:
    return file_ticket(world, other_details(), by=by).number


def close(client: FlaskClient, number: str, headers: dict[str, str] | None = None) -> Any:
    """Press **Close** and go where it leads."""
    token = client.get("/token").headers["X-CSRFToken"]
    return client.post(
        f"/tickets/{number}/closing", data={"csrf_token": token}, headers=headers or {}, follow_redirects=True
    )


def numbers(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/counters").json["numbers"]  # type: ignore[index]
    return found


# ------------------------------------------------------------------ counters


def test_d3_a_partner_sees_how_many_requests_need_attention(app: Flask, world: World) -> None:
    alice, charlie = world.sign_in(app, "alice"), world.sign_in(app, "charlie")
    number = opened(world)
    assert numbers(alice) == {}
    written(world, number, "sam")
    assert numbers(alice) == {"/tickets": [1, "1 support request waits"]}
    assert numbers(charlie) == {}


def test_d3_support_counts_what_is_open_and_nobody_elses(app: Flask, world: World) -> None:
    opened(world)
    answered = opened(world)
    written(world, answered, "sam")
    assert numbers(world.sign_in(app, "sam"))["/tickets"][0] == 1


def test_d12_the_operator_counts_low_stocks(app: Flask, world: World) -> None:
    olga = world.sign_in(app, "olga")
    before = numbers(olga).get("/admin", [0])[0]
    stock(sku_of(world), "Windows Server 2022", 1)  # one key is less than any stock should have
    number, sentence = numbers(olga)["/admin"]
    assert number == before + 1
    assert "low" in sentence
    assert "/admin" not in numbers(world.sign_in(app, "sam"))


def test_counters_say_nothing_when_nothing_changed(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    number = opened(world)
    tag = alice.get("/counters").json["tag"]  # type: ignore[index]
    same = alice.get(f"/counters?seen={tag}")
    assert (same.status_code, same.data) == (204, b"")
    written(world, number, "sam")
    assert alice.get(f"/counters?seen={tag}").status_code == 200


@pytest.mark.parametrize("who", ["alice", "audrey", "sam", "olga"])
def test_counters_cost_one_statement(app: Flask, world: World, who: str) -> None:
    client = world.sign_in(app, who)
    client.get("/counters")
    with counted_statements() as few:
        client.get("/counters")
    assert len(few) == 2, few  # who asks, and the numbers


def test_d14_a_page_left_open_does_not_keep_a_visit_alive(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    begun = now()
    minutes = app.extensions["settings"].session_idle_minutes
    for part in (0.3, 0.6, 0.9):
        with time_machine.travel(begun + timedelta(minutes=minutes * part), tick=False):
            assert alice.get("/counters", headers=HTMX).status_code in {200, 204}
    with time_machine.travel(begun + timedelta(minutes=minutes + 1), tick=False):
        assert alice.get("/counters", headers=HTMX).status_code == 401


# ------------------------------------------------------------------ news of a request


def test_news_are_what_others_wrote_and_the_reader_may_read(app: Flask, world: World) -> None:
    number = opened(world)
    alice, sam = world.sign_in(app, "alice"), world.sign_in(app, "sam")
    news = f"/tickets/{number}/news?after=0"
    assert alice.get(news).status_code == 204
    written(world, number, "sam", verb=internal_note)
    assert alice.get(news).status_code == 204
    written(world, number, "sam")
    assert alice.get(news).json == {"text": "1 new note: show"}
    assert sam.get(news).status_code == 204
    assert world.sign_in(app, "charlie").get(news).status_code == 404


@pytest.mark.parametrize("after", ["", "-1", "x", "9" * 40])
def test_hostile_numbers_of_notes_are_no_error(app: Flask, world: World, after: str) -> None:
    number = opened(world)
    assert world.sign_in(app, "alice").get(f"/tickets/{number}/news?after={after}").status_code in {200, 204}


# ------------------------------------------------------------------ fragments


def test_a_part_of_a_page_comes_without_its_frame(app: Flask, world: World) -> None:
    number = opened(world)
    part = world.sign_in(app, "sam").get(f"/tickets/{number}", headers=HTMX)
    assert 'id="ticket"' in part.text
    assert 'id="page-title"' in part.text
    assert "<nav" not in part.text
    assert "<!doctype" not in part.text
    assert len(gzip.compress(part.data)) < MOST_BYTES


@pytest.mark.parametrize("address", ["/customers", "/tickets", "/software", "/audit"])
def test_a_list_carries_how_much_was_found(app: Flask, world: World, address: str) -> None:
    part = world.sign_in(app, "alice").get(f"{address}?q=coho", headers=HTMX)
    assert "data-found=" in part.text
    assert len(gzip.compress(part.data)) < MOST_BYTES


def test_what_was_flashed_comes_with_the_fragment_once(app: Flask, world: World) -> None:
    number = opened(world)
    sam = world.sign_in(app, "sam")
    done = close(sam, number, HTMX)
    assert 'hx-swap-oob="beforeend:#toasts"' in done.text
    assert "The request is closed." in done.text
    assert "The request is closed." not in sam.get(f"/tickets/{number}").text


def test_without_scripts_the_same_act_is_a_page_with_a_message(app: Flask, world: World) -> None:
    number = opened(world)
    done = close(world.sign_in(app, "sam"), number)
    assert "<!doctype html>" in done.text
    assert "The request is closed." in done.text
    assert "hx-swap-oob" not in done.text


# ------------------------------------------------------------------ refusals


def test_a_refusal_goes_to_the_messages_whatever_part_asked(app: Flask, world: World) -> None:
    answer = world.sign_in(app, "alice").get("/admin", headers=HTMX)
    assert answer.status_code == 403
    assert answer.headers["HX-Retarget"] == "#messages"
    assert answer.headers["HX-Reselect"] == "[data-message]"
    assert "data-message" in answer.text


def test_an_ended_visit_leaves_the_page_and_says_how_to_go_on(app: Flask, world: World, client: FlaskClient) -> None:
    number = opened(world)
    answer = client.post(f"/tickets/{number}/replies", data={"reply-text": "Long words"}, headers=HTMX)
    assert answer.status_code == 401
    assert "HX-Redirect" not in answer.headers
    assert answer.headers["HX-Retarget"] == "#messages"
    assert 'target="_blank"' in answer.text
    assert 'data-retry="/token"' in answer.text


def test_a_new_visit_gives_the_open_page_its_token(app: Flask, world: World, client: FlaskClient) -> None:
    assert world.sign_in(app, "alice").get("/token", headers=HTMX).headers["X-CSRFToken"]
    assert client.get("/token", headers=HTMX).status_code == 401
