"""The operator's installer files: listed, taken in with their sum, refused, replaced, withdrawn (R22, D14)."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from csp_web.db import session
from csp_web.models import DownloadOption, Product
from tests.support.files import ENGLISH, ISO, OWN, RUSSIAN, add_option
from tests.support.statements import counted_statements
from tests.world import World

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

LIST, NEW = "/admin/files", "/admin/files/new"


@pytest.fixture
def olga(app: Flask, world: World) -> FlaskClient:
    """The operator admin, signed in."""
    return world.sign_in(app, "olga")


def hidden(client: FlaskClient, address: str) -> dict[str, str]:
    form = BeautifulSoup(client.get(address).text, "html.parser").select("main form")[-1]
    return {str(each["name"]): str(each.get("value", "")) for each in form.find_all("input", type="hidden")}


def send(client: FlaskClient, content: bytes = b"the file", name: str = "windows.iso", **more: Any) -> TestResponse:
    product = session.scalars(select(Product.id).filter_by(product_id="DG7GMGF06GW3")).one()
    fields = {"product": product, "version": OWN, "language": ENGLISH, "file_type": ISO} | hidden(client, NEW) | more
    return client.post(NEW, data={"file": (io.BytesIO(content), name), **fields}, follow_redirects=True)


def said(answer: TestResponse) -> str:
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())


def offered() -> list[DownloadOption]:
    session.rollback()
    return list(session.scalars(select(DownloadOption).filter_by(withdrawn_at=None)))


def test_r22_a_file_is_taken_in_and_listed_with_its_sum(olga: FlaskClient) -> None:
    answer = send(olga)
    assert answer.status_code == 200
    assert "windows.iso is offered now." in said(answer)
    assert hashlib.sha256(b"the file").hexdigest() in answer.text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"version": ""}, "Fill this in."),
        ({"language": "x" * 101}, "characters"),
        ({"file_type": "\0"}, "cannot be stored"),
        ({"file": (io.BytesIO(b""), "")}, "Choose a file."),
        ({"product": "0"}, "Not a valid choice"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(olga: FlaskClient, fields: dict[str, Any], sentence: str) -> None:
    answer = send(olga, **fields)
    assert answer.status_code == 422
    assert sentence in said(answer)
    assert offered() == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "a:b.iso", ".hidden", "x" * 300 + ".iso"])
def test_s7_a_name_that_is_no_plain_name_is_refused(olga: FlaskClient, name: str) -> None:
    answer = send(olga, name=name)
    assert answer.status_code == 422
    assert "plain file name" in said(answer)


def test_another_file_under_the_same_names_is_refused_unless_it_replaces(olga: FlaskClient) -> None:
    send(olga)
    refused = send(olga, b"another")
    assert refused.status_code == 422
    assert "already a file for" in said(refused)
    assert send(olga, b"another", replace="1").status_code == 200
    assert [option.size for option in offered()] == [7]
    assert "Replaced by a newer file." in said(olga.get(f"{LIST}?withdrawn=1"))


def test_withdrawing_asks_why_and_hides_the_file(world: World, olga: FlaskClient) -> None:
    option = add_option(world).id
    address = f"{LIST}/{option}/withdrawal"
    assert olga.post(address, data=hidden(olga, address)).status_code == 422
    answer = olga.post(address, data=hidden(olga, address) | {"reason": "A fault in setup"}, follow_redirects=True)
    assert "is withdrawn" in said(answer)
    assert offered() == []
    again = olga.post(address, data=hidden(olga, LIST + "/new") | {"reason": "again"})
    assert again.status_code == 409


def test_the_list_takes_the_same_statements_for_many_files(world: World, olga: FlaskClient) -> None:
    add_option(world)
    with counted_statements() as few:
        olga.get(LIST)
    for number in range(10):
        add_option(world, language=RUSSIAN, version=f"Version {number}")
    with counted_statements() as many:
        olga.get(LIST)
    assert len(many) == len(few)


@pytest.mark.parametrize("person", ["alice", "sam"])
def test_d14_only_an_operator_admin_comes_in(app: Flask, world: World, person: str) -> None:
    option = add_option(world).id
    client = world.sign_in(app, person)
    for address in (LIST, NEW, f"{LIST}/{option}/withdrawal"):
        assert client.get(address).status_code == 403
        assert client.post(address).status_code in {403, 405}


@pytest.mark.parametrize("number", ["0", "999", "99999999999999999999"])
def test_an_unknown_file_is_not_found(olga: FlaskClient, number: str) -> None:
    assert olga.get(f"{LIST}/{number}/withdrawal").status_code == 404
