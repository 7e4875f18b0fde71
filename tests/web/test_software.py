"""The Software page over plain HTTP: lines, deadlines, Select product, and all customers (R20-R23, B5, B7, P2, P5)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from csp_web.db import now, session, transaction
from csp_web.models import DownloadOption, Subscription
from tests.support.files import ENGLISH, ISO, OLDER, OWN, RUSSIAN, VHDX
from tests.support.software_pages import (
    add_option,
    bought,
    hand_out,
    home,
    line_url,
    options_of,
    ordered,
    page,
    said,
)
from tests.support.statements import counted_statements
from tests.support.stock import sku_of, stock

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.world import World


@pytest.fixture
def alice(app: Flask, world: World) -> FlaskClient:
    """Contoso's admin agent, signed in."""
    return world.sign_in(app, "alice")


# ---------------------------------------------------------------- the list


def test_r20_all_software_of_the_customer_and_nothing_else(world: World, alice: FlaskClient) -> None:
    for offer in ("windows-US", "sql-US", "cal-US", "reservation-US"):
        ordered(world, offer)
    bought(world, "windows-RU", customer="datum")
    rows = page(alice.get(home(world))).select("tbody tr[id^=line-]")
    assert len(rows) == 3
    assert page(alice.get(home(world))).h1.get_text(strip=True) == "Software"


def test_an_empty_list_says_what_belongs_here(world: World, alice: FlaskClient) -> None:
    assert "No software yet" in said(alice.get(home(world)))


def test_b5_one_second_before_the_end_cancel_is_there_at_the_end_the_date(world: World, alice: FlaskClient) -> None:
    inside = ordered(world, ago=timedelta(days=60) - timedelta(minutes=5))
    outside = ordered(world, ago=timedelta(days=60))
    soup = page(alice.get(home(world)))
    left, over = (soup.find(id=f"line-{each.id}") for each in (inside, outside))
    assert left is not None
    assert over is not None
    assert left.find("a", string="Cancel")["href"] == f"/tickets/new?subscription={inside.uuid}"
    assert re.search(r"(?<!hours )[45] minutes left", left.get_text(" "))
    assert over.find("a", string="Cancel") is None
    assert "Ended" in over.get_text(" ")


@pytest.mark.parametrize("person", ["bob", "helen", "audrey"])
def test_r31_p2_others_see_cancel_with_the_role_that_may(app: Flask, world: World, person: str) -> None:
    ordered(world)
    soup = page(world.sign_in(app, person).get(home(world)))
    refused = soup.find("button", string="Cancel")
    assert refused is not None
    assert refused["aria-disabled"] == "true"
    assert "Admin agent. Ask a colleague who has it: Alice." in soup.find(id=refused["aria-describedby"]).get_text()


def test_a_page_holds_fifty_lines_and_its_statements_do_not_grow(world: World, alice: FlaskClient) -> None:
    ordered(world)
    with counted_statements() as few:
        alice.get(home(world))
    ordered(world, count=70)
    with counted_statements() as many:
        first = alice.get(home(world))
    assert len(page(first).select("tr[id^=line-]")) == 50
    assert len(many) == len(few) <= 8
    second = alice.get(page(first).find("a", rel="next")["href"])
    assert len(page(second).select("tr[id^=line-]")) == 21


def test_p5_a_link_to_one_line_shows_it_wherever_it_stands(world: World, alice: FlaskClient) -> None:
    oldest = ordered(world)
    ordered(world, count=60)
    answer = alice.get(f"{home(world)}?open={oldest.uuid}")
    assert page(answer).find(id=f"opened-{oldest.id}").find("h2") is not None
    redirected = alice.get(line_url(oldest, world))
    assert redirected.status_code == 303
    assert redirected.headers["Location"].endswith(f"?open={oldest.uuid}#line-{oldest.id}")


@pytest.mark.parametrize("stale", ["00000000-0000-4000-8000-000000000000", "nonsense", ""])
def test_a_stale_address_is_not_found(world: World, alice: FlaskClient, stale: str) -> None:
    assert alice.get(f"{home(world)}?open={stale}").status_code == 404


def test_a_line_of_another_customer_is_not_found(world: World, alice: FlaskClient) -> None:
    other = bought(world, "windows-RU", customer="datum")
    assert alice.get(f"{home(world)}?open={other.uuid}").status_code == 404
    assert alice.get(line_url(other, world)).status_code == 404


# ---------------------------------------------------------------- select product


def test_r22_only_combinations_that_exist_each_choice_narrows_the_next(world: World, alice: FlaskClient) -> None:
    for version, language, kind in ((OWN, ENGLISH, ISO), (OWN, RUSSIAN, VHDX), (OLDER, ENGLISH, VHDX)):
        add_option(world, version=version, language=language, file_type=kind)
    address = f"{home(world)}?open={bought(world).uuid}"
    first = alice.get(address)
    assert options_of(first, "Version") == [OWN, OLDER]
    assert options_of(first, "Language") == ["", ENGLISH, RUSSIAN]
    assert options_of(first, "File type/OS") == ["", ISO, VHDX]
    russian = alice.get(f"{address}&version={OWN}&language={RUSSIAN}&file_type={ISO}")
    assert options_of(russian, "File type/OS") == ["", VHDX]
    older = alice.get(f"{address}&version={OLDER}&language={RUSSIAN}&file_type={ISO}")
    assert options_of(older, "Language") == ["", ENGLISH]


def test_r22_choosing_sends_a_fragment_to_htmx_alone(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription = bought(world)
    fragment = alice.get(line_url(subscription, world), headers={"HX-Request": "true"})
    assert fragment.text.lstrip().startswith(f'<tr id="opened-{subscription.id}"')
    assert "<html" not in fragment.text
    closed = alice.get(f"{line_url(subscription, world)}?close=1", headers={"HX-Request": "true"})
    assert closed.text.strip().endswith(f'<tr id="opened-{subscription.id}" hidden></tr>')


def test_r23_submit_lists_what_fits_with_size_sum_and_stock(world: World, alice: FlaskClient) -> None:
    option = add_option(world)
    add_option(world, language=RUSSIAN, name="other.iso")
    address = f"{home(world)}?open={bought(world).uuid}"
    assert "Matching products" not in said(alice.get(address))
    text = said(alice.get(f"{address}&fitting=1&language={ENGLISH}"))
    assert option.file_name in text
    assert option.sha256 in text
    assert "other.iso" not in text
    assert "No key in stock" in text
    stock(sku_of(world), OWN, 1)
    assert "Key in stock" in said(alice.get(f"{address}&fitting=1"))


def test_r22_withdrawn_files_are_not_offered(world: World, alice: FlaskClient) -> None:
    add_option(world)
    with transaction():
        option = session.scalars(select(DownloadOption)).one()
        option.withdrawn_at, option.withdrawn_reason = now(), "a fault"
    answer = alice.get(f"{home(world)}?open={bought(world).uuid}&fitting=1")
    assert page(answer).find("legend") is None


# ---------------------------------------------------------------- all customers


def test_b7_one_list_of_all_customers_of_the_partner(world: World, alice: FlaskClient) -> None:
    ordered(world)
    bought(world, "sql-RU", customer="datum")
    bought(world, "sql-DE", customer="tailspin", by="charlie")
    rows = page(alice.get("/software")).select("tr[id^=line-]")
    assert {row.select("td a")[0].get_text() for row in rows} == {"Coho", "Datum"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=datum", {"sql"}),
        ("q=SQL", {"sql"}),
        ("q=no%00such", set()),
        ("q=%25", set()),
        ("family=windows_server", {"new", "old"}),
        ("family=nonsense", {"new", "old", "sql"}),
        ("deadline=7", {"old"}),
        ("deadline=30", {"old"}),
        ("deadline=x", {"new", "old", "sql"}),
        ("waiting=1", {"sql"}),
        ("waiting=1&family=windows_server", set()),
    ],
)
def test_b7_the_list_narrows(world: World, alice: FlaskClient, query: str, expected: set[str]) -> None:
    lines = {"new": ordered(world), "old": ordered(world, ago=timedelta(days=58))}
    lines["sql"] = bought(world, "sql-RU", customer="datum")
    hand_out(world, lines["sql"])
    rows = page(alice.get(f"/software?{query}")).select("tr[id^=line-]")
    names = {str(each.id): name for name, each in lines.items()}
    assert {names[row["id"].removeprefix("line-")] for row in rows} == expected


def test_d10_any_identifier_finds_its_line(world: World, alice: FlaskClient) -> None:
    ordered(world)
    line = session.get_one(Subscription, bought(world, "windows-RU", customer="datum").id)
    number, order, customer = line.id, line.order, line.customer
    words = [line.uuid, order.order_id, order.alternate_id.upper(), customer.uuid, customer.domain]
    for text in words:
        rows = page(alice.get(f"/software?q={text}")).select("tr[id^=line-]")
        assert [row["id"] for row in rows] == [f"line-{number}"], text


def test_the_deadline_list_begins_with_the_soonest_and_pages(world: World, alice: FlaskClient) -> None:
    for days in range(1, 55):
        ordered(world, ago=timedelta(days=60 - days * 0.25))
    first = alice.get("/software?deadline=14")
    ids = [row["id"] for row in page(first).select("tr[id^=line-]")]
    assert len(ids) == 50
    second = alice.get(page(first).find("a", rel="next")["href"])
    rest = [row["id"] for row in page(second).select("tr[id^=line-]")]
    assert [int(each.removeprefix("line-")) for each in ids + rest] == list(range(1, 55))


def test_statements_of_the_whole_list_do_not_grow(world: World, alice: FlaskClient) -> None:
    ordered(world)
    with counted_statements() as few:
        alice.get("/software")
    ordered(world, count=60)
    with counted_statements() as many:
        alice.get("/software")
    assert len(many) == len(few) <= 7


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "WzAsMV0", "WzAsIm5vIl0", "%00", "WzAsIjIwMjYtMDEtMDFUMDA6MDA6MDAiLDFd"]
)
def test_a_broken_cursor_is_no_error(world: World, alice: FlaskClient, cursor: str) -> None:
    ordered(world)
    for address in (f"{home(world)}?page={cursor}", f"/software?page={cursor}", f"/software?deadline=30&page={cursor}"):
        assert alice.get(address).status_code == 200


@pytest.mark.parametrize("more", ["_external=1", "_scheme=evil", "_anchor=x", "_method=POST", "customer=1"])
def test_fields_of_the_address_cannot_steer_the_links_of_the_page(world: World, alice: FlaskClient, more: str) -> None:
    ordered(world, count=51)
    assert alice.get(f"/software?{more}").status_code == 200
    answer = alice.get(f"{line_url(bought(world), world)}?{more}")
    assert answer.headers["Location"].startswith("/customers/")
