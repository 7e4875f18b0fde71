"""The operator's stock of keys: counts, check, import, errors by line, and never a key (D11, D12, D14, B3)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from csp_web.db import session, transaction
from csp_web.domain.stock.keys import hand_out_own_version
from csp_web.models import KeptForm, KeyPool, ProductKey, Subscription
from tests.support.statements import counted_statements
from tests.support.stock import bought, new_key, row_of, sheet, sku_of, stock
from tests.world import World

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

OWN, OLDER = "Windows Server 2025", "Windows Server 2019"
ADDRESS = "/admin/keys"


@pytest.fixture
def olga(app: Flask, world: World) -> FlaskClient:
    """The operator admin, signed in."""
    return world.sign_in(app, "olga")


def send(client: FlaskClient, act: str = "import", **fields: object) -> TestResponse:
    token = BeautifulSoup(client.get(ADDRESS).text, "html.parser").find("input", attrs={"name": "csrf_token"})
    assert token is not None
    return client.post(ADDRESS, data={"csrf_token": token["value"], "act": act, **fields})


def said(answer: TestResponse) -> str:
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())


def keys_in_stock() -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(ProductKey)) or 0


def wait(world: World) -> None:
    line = bought(world)
    with transaction():
        hand_out_own_version(session.get_one(Subscription, line.id), by=world.actor("alice"))


def test_b3_pools_with_counts_those_where_lines_wait_first(world: World, olga: FlaskClient) -> None:
    stock(sku_of(world, "sql-US"), "SQL Server 2025", 7)
    wait(world)
    rows = BeautifulSoup(olga.get(ADDRESS).text, "html.parser").select("tbody tr")
    cells = [[cell.get_text(" ", strip=True) for cell in row.find_all("td")] for row in rows]
    assert cells == [[OWN, "Low 0", "1 line", "0", "0"], ["SQL Server 2025", "7", "0", "0", "0"]]


def test_the_page_takes_the_same_statements_for_many_pools(world: World, olga: FlaskClient) -> None:
    stock(sku_of(world), OWN, 1)
    with counted_statements() as few:
        olga.get(ADDRESS)
    for version in (OLDER, "Windows Server 2016", "Windows Server 2022"):
        stock(sku_of(world), version, 20)
    with counted_statements() as many:
        olga.get(ADDRESS)
    assert len(many) == len(few)


def test_d12_a_file_is_imported_and_fills_who_waits(world: World, olga: FlaskClient) -> None:
    wait(world)
    sku, keys = sku_of(world), [new_key() for _each in range(3)]
    answer = send(olga, file=(sheet(*(row_of(sku, OWN, key) for key in keys)), "keys.csv"))
    assert answer.status_code == 200
    assert "3 keys were imported. 1 line that waited got its key." in said(answer)
    assert keys_in_stock() == 3
    assert not any(key in answer.text for key in keys)


def test_pasted_rows_are_imported_too(world: World, olga: FlaskClient) -> None:
    text = sheet(row_of(sku_of(world), OWN, new_key())).read().decode()
    assert "1 key was imported." in said(send(olga, product_keys=text))


def test_check_stores_nothing_and_keeps_what_was_pasted(world: World, olga: FlaskClient) -> None:
    text = sheet(row_of(sku_of(world), OWN, new_key())).read().decode()
    answer = send(olga, "check", product_keys=text)
    assert answer.status_code == 200
    assert "Checked: 1 key can be imported. Nothing was stored." in said(answer)
    box = BeautifulSoup(answer.text, "html.parser").find("textarea")
    assert box is not None
    assert box.get_text().split() == text.split()
    assert keys_in_stock() == 0


@pytest.mark.parametrize("act", ["check", "import"])
def test_d11_errors_name_lines_and_never_keys_and_nothing_is_imported(
    world: World, olga: FlaskClient, act: str
) -> None:
    stock(sku_of(world), OWN, 1)
    key = new_key()
    rows = [row_of(sku_of(world), OWN, key), row_of(sku_of(world), OWN, key), "x,y,z,w"]
    answer = send(olga, act, file=(sheet(*rows), "keys.csv"))
    assert answer.status_code == 422
    assert "Line 3, ProductKey" in said(answer)
    assert "Line 4" in said(answer)
    assert key not in answer.text
    assert keys_in_stock() == 1


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"\xff\xfe\x00", b"PK\x03\x04[Content_Types].xml", bytes(10_000)]
)
def test_a_file_that_is_no_table_says_so(world: World, olga: FlaskClient, content: bytes) -> None:
    answer = send(olga, file=(io.BytesIO(content), "keys.csv"))
    assert answer.status_code == 422
    assert "Nothing was imported" in said(answer)


def test_neither_file_nor_text_is_said_beside_the_field(olga: FlaskClient) -> None:
    answer = send(olga)
    assert answer.status_code == 422
    assert "Choose a file, or paste the table." in said(answer)


@pytest.mark.parametrize("person", ["alice", "bob", "audrey", "sam"])
def test_d14_only_an_operator_admin_comes_in(app: Flask, world: World, person: str) -> None:
    client = world.sign_in(app, person)
    assert client.get(ADDRESS).status_code == 403
    assert client.post(ADDRESS).status_code == 403


def test_s4_keys_pasted_after_the_session_ended_are_not_kept(world: World, app: Flask, olga: FlaskClient) -> None:
    """What is typed into forms is kept when a session ends; keys are not, for they would lie in the database in clear."""
    key = new_key()
    text = sheet(row_of(sku_of(world), OWN, key)).read().decode()
    with transaction():
        from csp_web.domain.access.sessions import end_all

        end_all(world.people["olga"], by=world.actor("olga"), resource="olga")
    olga.post(ADDRESS, data={"product_keys": text, "act": "import"})
    session.rollback()
    assert all(key not in str(kept.content) for kept in session.scalars(select(KeptForm)))


def shown(olga: FlaskClient, question: str = "") -> list[str]:
    """The versions of the pools on a page."""
    rows = BeautifulSoup(olga.get(f"{ADDRESS}{question}").text, "html.parser").select("#pools tbody tr")
    return [row.find_all("td")[0].get_text(strip=True) for row in rows]


def test_b3_many_pools_are_paged_and_narrowed(world: World, olga: FlaskClient) -> None:
    number = sku_of(world).id
    with transaction():
        for place in range(60):
            session.add(KeyPool(sku_id=number, version=f"Version {place:02}", low_at=0))
    stock(sku_of(world), "Version 07", 1)
    assert len(shown(olga)) == 50
    assert len(shown(olga, "?page=2")) == 10
    assert shown(olga, "?page=2") == shown(olga, "?page=99")
    assert shown(olga, "?q=version+07") == ["Version 07"]
    assert "Version 07" not in shown(olga, "?low=1") + shown(olga, "?low=1&page=2")
    assert shown(olga, "?q=nothing-like-it") == []
    assert "No pool of keys fits." in said(olga.get(f"{ADDRESS}?q=nothing-like-it"))
