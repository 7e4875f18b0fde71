"""Uploads in pieces at the edge: what a script sends and is told, what the pages say, who may (R22, D14, B5, B6)."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from csp_web.db import session
from csp_web.domain.delivery import uploads
from csp_web.models import DownloadOption, Product, Upload
from tests.support.files import ENGLISH, ISO, OWN, add_option
from tests.support.statements import counted_statements
from tests.support.uploads import CONTENT, MODIFIED, NAME, begin, send_all
from tests.web.test_admin_files import hidden, said
from tests.world import World

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

LIST, NEW, BEGIN = "/admin/files", "/admin/files/new", "/admin/files/uploads"
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def olga(app: Flask, world: World) -> FlaskClient:
    """The operator admin, signed in."""
    return world.sign_in(app, "olga")


def local_fields(content: bytes = CONTENT, **more: Any) -> dict[str, Any]:
    """What the script says of a file."""
    head = (io.BytesIO(content[:65536]), "blob")
    return {"file_name": NAME, "size": len(content), "modified": MODIFIED, "head": head, **more}


def start(client: FlaskClient, **more: Any) -> TestResponse:
    product = session.scalars(select(Product.id).filter_by(product_id="DG7GMGF06GW3")).one()
    fields = {"product": product, "version": OWN, "language": ENGLISH, "file_type": ISO, **hidden(client, NEW)}
    return client.post(BEGIN, data={**fields, **local_fields(), **more})


def patch(client: FlaskClient, address: str, offset: object, piece: bytes) -> TestResponse:
    headers = {"Upload-Offset": str(offset), "X-CSRFToken": hidden(client, NEW)["csrf_token"], "HX-Request": "true"}
    return client.patch(address, data=piece, headers=headers)


def press(client: FlaskClient, address: str, act: str, **fields: Any) -> TestResponse:
    data = {"csrf_token": hidden(client, NEW)["csrf_token"], **fields}
    return client.post(f"{address}/{act}", data=data, follow_redirects=True)


def test_r22_a_file_goes_up_in_pieces_and_is_listed_with_its_sum(olga: FlaskClient) -> None:
    begun = start(olga, sha256=f"{SUM.upper()}  {NAME}")
    assert begun.status_code == 303
    address = begun.location
    page = olga.get(address).text
    assert f'data-pieces="{address}" data-piece="8388608" data-received="0"' in page
    first, second = patch(olga, address, 0, CONTENT[:4000]), patch(olga, address, 4000, CONTENT[4000:])
    assert [(answer.status_code, answer.headers["Upload-Offset"]) for answer in (first, second)] == [
        (204, "4000"),
        (204, str(len(CONTENT))),
    ]
    page = olga.get(address).text
    assert SUM in page
    assert "data-pieces" not in page
    offered = press(olga, address, "end", sha256=SUM)
    assert f"{NAME} is offered now." in said(offered)
    assert SUM in offered.text
    assert "Unfinished uploads" not in offered.text
    assert olga.get(address).location == LIST


def test_the_next_piece_is_named_where_another_one_came(olga: FlaskClient) -> None:
    address = start(olga).location
    patch(olga, address, 0, CONTENT[:4000])
    for offset in (0, 8000):
        answer = patch(olga, address, offset, CONTENT[:4000])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "4000")
    for nonsense in ("", "x", "-1"):
        assert patch(olga, address, nonsense, b"x").status_code in {409, 422}
    assert start(olga).location == address
    assert 'data-received="4000"' in olga.get(address).text


def test_b5_the_list_says_how_much_of_how_much_who_and_offers_to_go_on(olga: FlaskClient) -> None:
    address = start(olga).location
    patch(olga, address, 0, CONTENT[:4000])
    page = olga.get(LIST)
    for text in ("Unfinished uploads", "4 KB of 10.2 KB", "Olga", "Resume", "Discard"):
        assert text in said(page)
    assert "1 unfinished upload can be resumed" in said(olga.get(NEW))
    assert "is discarded" in said(press(olga, address, "discard"))
    assert "Unfinished uploads" not in olga.get(LIST).text
    gone = patch(olga, address, 4000, CONTENT[4000:])
    assert gone.status_code == 404
    assert "data-message" in gone.text


def test_b6_without_room_on_the_disk_nothing_begins_and_nothing_goes_on(
    olga: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = start(olga).location
    monkeypatch.setattr(uploads, "_free", lambda: 1000)
    refused = start(olga)
    assert refused.status_code == 422
    assert "The disk of the server has room for 1 KB, and the unfinished uploads still need 10.2 KB." in said(refused)
    for page in (olga.get(LIST), olga.get(address)):
        assert 'aria-disabled="true"' in page.text
        assert "has room for 1 KB" in said(page)
    assert "data-pieces" not in olga.get(address).text


def test_only_the_same_file_goes_on(olga: FlaskClient) -> None:
    address = start(olga).location
    token = hidden(olga, NEW)["csrf_token"]
    same = olga.post(address, data={"csrf_token": token, **local_fields()})
    assert (same.status_code, same.location) == (303, address)
    for fields in ({"size": 3}, {"modified": 1}, {"head": (io.BytesIO(b"x"), "blob")}, {"file_name": "other.iso"}):
        other = olga.post(address, data={"csrf_token": token, **local_fields(**fields)})
        assert other.status_code == 422
        assert "This is another file" in said(other)
        assert "data-pieces" not in other.text
    plain = olga.post(address, data={"csrf_token": token, "file": (io.BytesIO(CONTENT), NAME)})
    assert plain.status_code == 422
    assert "Resuming needs JavaScript" in said(plain)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"version": ""}, "Fill this in."),
        ({"file_name": "../../etc/passwd"}, "plain file name"),
        ({"size": 0}, "The file is empty."),
        ({"sha256": "abc"}, "A SHA-256 has 64 digits"),
        ({"signature": (io.BytesIO(b"x"), "x.exe")}, ".asc or .sig"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_sent(
    olga: FlaskClient, fields: dict[str, Any], sentence: str
) -> None:
    answer = start(olga, **fields)
    assert answer.status_code == 422
    assert sentence in said(answer)
    assert answer.headers["HX-Push-Url"] == NEW  # an address that can be reloaded
    assert session.scalar(select(Upload.id)) is None


def test_a_taken_place_is_said_at_the_beginning_and_at_the_end(world: World, olga: FlaskClient) -> None:
    add_option(world, content=b"old")
    assert "already a file for" in said(start(olga))
    address = start(olga, replace="1").location
    patch(olga, address, 0, CONTENT)
    refused = press(olga, address, "end")
    assert refused.status_code == 422
    assert "already a file for" in said(refused)
    wrong = press(olga, address, "end", replace="1", sha256="0" * 64)
    assert wrong.status_code == 422
    assert f"another SHA-256: {SUM}" in said(wrong)
    assert wrong.headers["HX-Push-Url"] == address
    assert "is offered now" in said(press(olga, address, "end", replace="1"))


def test_the_plain_form_compares_the_sum_too(olga: FlaskClient) -> None:
    product = session.scalars(select(Product.id).filter_by(product_id="DG7GMGF06GW3")).one()
    fields = {"product": product, "version": OWN, "language": ENGLISH, "file_type": ISO}
    for digest, status in (("0" * 64, 422), (SUM, 303)):
        data = {**fields, **hidden(olga, NEW), "sha256": digest, "file": (io.BytesIO(CONTENT), NAME)}
        assert olga.post(NEW, data=data).status_code == status
    session.rollback()
    assert session.scalars(select(DownloadOption.sha256)).all() == [SUM]


def test_a_signature_that_came_first_lies_beside_the_file_at_the_end(olga: FlaskClient) -> None:
    address = start(olga, signature=(io.BytesIO(b"signed"), "x.asc")).location
    patch(olga, address, 0, CONTENT)
    press(olga, address, "end")
    session.rollback()
    option = session.scalars(select(DownloadOption)).one()
    assert (option.signature, option.signature_kind) == (b"signed", ".asc")


@pytest.mark.parametrize("person", ["alice", "sam"])
def test_d14_only_an_operator_admin_sends_pieces(app: Flask, world: World, person: str) -> None:
    number = begin(world)
    client, address = world.sign_in(app, person), f"{BEGIN}/{number}"
    assert client.get(address).status_code == 403
    assert client.patch(address, data=CONTENT, headers={"Upload-Offset": "0"}).status_code == 403
    for place in (BEGIN, address, f"{address}/end", f"{address}/discard"):
        assert client.post(place).status_code == 403


def test_d14_pieces_need_the_token_of_the_visit(world: World, olga: FlaskClient) -> None:
    address = f"{BEGIN}/{begin(world)}"
    assert olga.patch(address, data=CONTENT, headers={"Upload-Offset": "0"}).status_code == 400
    assert 'data-received="0"' in olga.get(address).text


def test_a_refused_offset_is_no_line_of_the_activity_log(world: World, olga: FlaskClient) -> None:
    address = start(olga).location
    with counted_statements() as statements:
        patch(olga, address, 99, b"x")
    assert not [each for each in statements if "audit_entries" in each]


def test_the_list_takes_the_same_statements_for_many_uploads(world: World, olga: FlaskClient) -> None:
    begin(world)
    with counted_statements() as few:
        olga.get(LIST)
    for number in range(10):
        send_all(begin(world, language=f"Language {number}"))
    with counted_statements() as many:
        olga.get(LIST)
    assert len(many) == len(few)
