"""A bad build is withdrawn at once: whoever has a link reads why, in either language, and transfers stop (B2, R29)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from csp_web.db import session, transaction
from csp_web.domain.delivery.download_options import OptionFacts, add_file, incoming
from csp_web.domain.delivery.links import get_keys_and_downloads, token_of
from csp_web.domain.delivery.signatures import Signature, sign
from csp_web.models import DownloadLink, DownloadOption, Product
from tests.support.files import ENGLISH, ISO, OWN, add_option
from tests.support.stock import bought
from tests.web.test_admin_files import hidden, said
from tests.world import World

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

pytestmark = pytest.mark.one_database  # pages; that links end is tested in the domain on both
REASON = "Setup deletes <all> files; a new build comes on Monday."
ENGLISH_SPEAKER, RUSSIAN_SPEAKER = {"Accept-Language": "en"}, {"Accept-Language": "ru"}


@pytest.fixture
def option(world: World) -> int:
    """A file with a signature beside it."""
    made = add_option(world)
    with transaction():
        sign(made, Signature(".asc", b"signed"))
    return made.id


@pytest.fixture
def landing(world: World, option: int) -> str:
    """The address of a link to it."""
    subscription, file = bought(world), session.get_one(DownloadOption, option)
    with transaction():
        return f"/d/{token_of(get_keys_and_downloads(subscription, file, by=world.actor('alice'), recipient='').link)}"


@pytest.fixture
def transfer(client: FlaskClient, landing: str) -> str:
    """A download that is running: its first bytes were fetched."""
    address = client.post(landing).location
    assert client.get(address, headers={"Range": "bytes=0-9"}).status_code == 206
    return str(address)


def withdraw(app: Flask, world: World, option: int) -> None:
    olga, address = world.sign_in(app, "olga"), f"/admin/files/{option}/withdrawal"
    assert olga.post(address, data=hidden(olga, address) | {"reason": REASON}).status_code == 303


def test_b2_every_address_of_a_link_says_why_at_once(
    app: Flask, world: World, client: FlaskClient, option: int, landing: str, transfer: str
) -> None:
    withdraw(app, world, option)
    for address in (landing, f"{landing}/SHA256SUMS", f"{landing}/signature", transfer):
        answer = client.get(address, headers=ENGLISH_SPEAKER)
        assert answer.status_code == 410, address
        assert f"This file is no longer offered: {REASON}" in said(answer)
        assert "This file was withdrawn" in said(answer)
        assert "button" not in answer.text
    assert client.post(landing).status_code == 410


def test_b2_a_running_transfer_stops_at_its_next_range_and_costs_nothing_more(
    app: Flask, world: World, client: FlaskClient, option: int, transfer: str
) -> None:
    withdraw(app, world, option)
    for headers in ({"Range": "bytes=10-19"}, {"Range": "bytes=-5"}, {}):
        answer = client.get(transfer, headers=headers)
        assert answer.status_code == 410
        assert b"0123456789" not in answer.data
    session.rollback()
    assert session.scalars(select(DownloadLink.used)).one() == 1


def test_b13_a_russian_reader_reads_it_in_russian(
    app: Flask, world: World, client: FlaskClient, option: int, landing: str
) -> None:
    withdraw(app, world, option)
    page = client.get(landing, headers=RUSSIAN_SPEAKER)
    assert 'lang="ru"' in page.text
    assert REASON in said(page)
    assert "no longer offered" not in said(page)
    assert said(client.get(f"{landing}?lang=en", headers=RUSSIAN_SPEAKER)).count("no longer offered") == 1


def test_b13_that_a_newer_file_took_its_place_is_said_in_the_readers_language(
    world: World, client: FlaskClient, option: int, landing: str
) -> None:
    product = world.offer("windows-US").sku.product_id
    with incoming(io.BytesIO(b"a newer build")) as stored, transaction():
        facts = OptionFacts(OWN, ENGLISH, ISO, "newer.iso")
        newer = add_file(session.get_one(Product, product), facts, stored=stored, by=None, replace=True)
        assert newer.id != option
    assert "Replaced by a newer file." in said(client.get(landing, headers=ENGLISH_SPEAKER))
    russian = client.get(landing, headers=RUSSIAN_SPEAKER)
    assert russian.status_code == 410
    assert "Replaced" not in said(russian)


def test_r22_a_withdrawn_file_is_not_offered_and_its_reason_is_shown_to_the_operator(
    app: Flask, world: World, option: int
) -> None:
    withdraw(app, world, option)
    olga = world.sign_in(app, "olga")
    assert REASON not in said(olga.get("/admin/files"))
    assert REASON in said(olga.get("/admin/files?withdrawn=1"))
