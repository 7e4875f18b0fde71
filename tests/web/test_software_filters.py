"""The list of all software: what it is narrowed to, in which columns, at which address (B7, R26, D1)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from csp_web.db import now, session, transaction
from csp_web.domain.delivery import software_narrowing
from csp_web.domain.delivery.software_filters import COLUMNS, View, arguments_of, view_kept, view_of_query
from csp_web.models import Customer, DownloadLink, DownloadOption, Subscription
from tests.support.software_pages import Line, add_option, bought, hand_out, ordered, page, said

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.world import World


@pytest.fixture
def alice(app: Flask, world: World) -> FlaskClient:
    """Contoso's admin agent, signed in."""
    return world.sign_in(app, "alice")


def ids(client: FlaskClient, query: str) -> list[int]:
    """The lines that the list shows, in its order."""
    rows = page(client.get(f"/software?{query}")).select("tr[id^=line-]")
    return [int(row["id"].removeprefix("line-")) for row in rows]


def heads(client: FlaskClient, query: str) -> list[str]:
    return [head.get_text(strip=True) for head in page(client.get(f"/software?{query}")).select("thead th")]


def link(world: World, line: Line, ends: datetime, *, used: int = 0, revoked: bool = False) -> None:
    """A link of a line, written as it is after some time."""
    if session.query(DownloadOption).first() is None:
        add_option(world)
    with transaction():
        row = session.get_one(Subscription, line.id)
        session.add(
            DownloadLink(
                partner_id=row.partner_id,
                subscription_id=row.id,
                option_id=session.query(DownloadOption).one().id,
                nonce=secrets.token_bytes(16),
                token_hash=secrets.token_bytes(32),
                created_by_id=world.people["alice"],
                expires_at=ends,
                max_downloads=50,
                used=used,
                revoked_at=now() if revoked else None,
            )
        )


# ---------------------------------------------------------------- filters


def test_b7_by_product_and_by_the_customers_country(world: World, alice: FlaskClient) -> None:
    windows, sql = ordered(world), bought(world, "sql-RU", customer="datum")
    with transaction():
        session.get_one(Customer, world.customers["datum"]).country = "RU"
    code = world.offer("sql-RU").sku.product.product_id
    assert ids(alice, f"product={code}") == [sql.id]
    assert ids(alice, f"product={code.lower()}") == [sql.id]
    assert ids(alice, "country=RU") == [sql.id]
    assert ids(alice, f"country=US&product={code}") == []
    assert ids(alice, "country=XX&product=no+such") == [sql.id, windows.id]


def test_the_filters_offer_what_there_is_of_this_partner(world: World, alice: FlaskClient) -> None:
    ordered(world)
    bought(world, "sql-RU", customer="datum")
    bought(world, "cal-DE", customer="tailspin", by="charlie")
    soup = page(alice.get("/software?country=RU"))
    offered = [option.get_text() for option in soup.select("#product option")]
    assert offered == ["All", "SQL Server 2025 Standard", "Windows Server 2025 Datacenter"]
    of_partner = {session.get_one(Customer, world.customers[name]).country for name in ("coho", "datum")}
    assert of_partner <= {option["value"] for option in soup.select("#country option")}
    assert soup.select_one("#country option[selected]")["value"] == "RU"


def test_r26_links_that_end_within_days_the_first_to_end_first(world: World, alice: FlaskClient) -> None:
    at = now()
    later, sooner, far, used, revoked, over = (ordered(world) for _each in range(6))
    link(world, later, at + timedelta(days=5))
    link(world, sooner, at + timedelta(days=9))
    link(world, sooner, at + timedelta(days=2), used=48)
    link(world, far, at + timedelta(days=20))
    link(world, used, at + timedelta(days=2), used=50)
    link(world, revoked, at + timedelta(days=2), revoked=True)
    link(world, over, at - timedelta(seconds=1))
    assert ids(alice, "link=7") == [sooner.id, later.id]
    assert ids(alice, "link=3") == [sooner.id]
    assert ids(alice, "link=7&deadline=3") == []
    row = page(alice.get("/software?link=3")).find(id=f"line-{sooner.id}")
    assert "Downloads left: 2" in row.get_text(" ")


def test_links_that_end_page_like_every_list(world: World, alice: FlaskClient) -> None:
    lines = [ordered(world) for _each in range(53)]
    for number, line in enumerate(lines):
        link(world, line, now() + timedelta(hours=60 - number // 2))
    expected = [line.id for _ends, line in sorted((-(number // 2), line) for number, line in enumerate(lines))]
    first = alice.get("/software?link=3")
    onward = page(first).find("a", rel="next")["href"]
    rest = page(alice.get(onward))
    found = ids(alice, "link=3") + [int(row["id"].removeprefix("line-")) for row in rest.select("tr[id^=line-]")]
    assert found == expected
    back = page(alice.get(rest.find("a", rel="prev")["href"]))
    assert [int(row["id"].removeprefix("line-")) for row in back.select("tr[id^=line-]")] == expected[:50]


# ---------------------------------------------------------------- columns


def test_columns_are_chosen_in_the_address_and_stay_on_the_next_page(world: World, alice: FlaskClient) -> None:
    ordered(world, count=51)
    usual = ["Product", "Customer", "Quantity", "Term", "Keys", "Can be cancelled", "Cancel"]
    assert heads(alice, "") == usual
    assert heads(alice, "columns=nonsense") == usual
    chosen = ["Product", "Country", "Download link", "Cancel"]
    assert heads(alice, "columns=link&columns=country") == chosen
    soup = page(alice.get("/software?columns=link&columns=country"))
    assert {box["value"] for box in soup.select("input[name=columns][checked]")} == {"link", "country"}
    assert heads(alice, soup.find("a", rel="next")["href"].partition("?")[2]) == chosen


def test_what_is_asked_for_is_shown(world: World, alice: FlaskClient) -> None:
    ordered(world)
    assert "Country" in heads(alice, "country=US")
    link(world, ordered(world), now() + timedelta(days=1))
    assert "Download link" in heads(alice, "link=3")
    form = "q=&country=&link=3&" + "&".join(f"columns={name}" for name in View().columns)
    assert "Download link" in heads(alice, form)
    assert "Download link" not in heads(alice, "link=3&columns=customer")


def test_every_row_has_as_many_cells_as_the_head(world: World, alice: FlaskClient) -> None:
    link(world, ordered(world), now() + timedelta(days=1))
    ordered(world, ago=timedelta(days=90))
    for chosen in ([], list(COLUMNS), ["cancel"], ["link", "country"]):
        soup = page(alice.get("/software?" + "&".join(f"columns={name}" for name in chosen)))
        wide = len(soup.select("thead th"))
        assert [len(row.find_all(["th", "td"])) for row in soup.select("tr[id^=line-]")] == [wide, wide], chosen


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "query",
    [
        "",
        "q=a%26b+%D0%94",
        "family=sql_server&product=DG7GMGF08SY7&country=DE&deadline=7&link=3&waiting=1",
        "country=DE&columns=customer&columns=keys",
    ],
)
def test_an_address_says_a_view_and_a_view_its_address(query: str) -> None:
    view = view_of_query(query)
    assert view.query == query
    assert view_kept(arguments_of(view)) == view


def test_what_narrows_nothing_is_not_in_the_address() -> None:
    usual = "&".join(f"columns={name}" for name in View().columns)
    assert view_of_query(f"q=&family=&deadline=&{usual}&page=x&kept=1") == View()
    assert View().query == ""
    with_country = (
        "country=DE&columns=customer&columns=country&columns=quantity&columns=term&columns=keys&columns=cancel"
    )
    assert view_of_query(with_country).query == "country=DE"


def test_a_part_of_the_page_leaves_the_short_address_in_the_browser(world: World, alice: FlaskClient) -> None:
    ordered(world)
    long = "/software?q=windows&family=&product=&country=&deadline=&link=&columns=customer&columns=keys"
    answer = alice.get(long, headers={"HX-Request": "true"})
    assert answer.headers["HX-Push-Url"] == "/software?q=windows&columns=customer&columns=keys"
    assert "Windows Server" in said(answer)


# ---------------------------------------------------------------- few and many


@pytest.mark.parametrize("named", [0, 500])
def test_few_are_named_and_many_looked_through_with_the_same_result(
    world: World, alice: FlaskClient, monkeypatch: pytest.MonkeyPatch, named: int
) -> None:
    monkeypatch.setattr(software_narrowing, "NAMED", named)
    windows, sql = ordered(world), bought(world, "sql-RU", customer="datum")
    hand_out(world, sql)
    with transaction():
        session.get_one(Customer, world.customers["datum"]).country = "RU"
    assert ids(alice, "country=RU") == ids(alice, "waiting=1") == ids(alice, "country=RU&waiting=1") == [sql.id]
    assert ids(alice, "country=US") == [windows.id]
    assert ids(alice, "country=FR") == []
