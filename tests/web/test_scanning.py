"""Files are scanned soon after they came; a blocked one is never served, and people are told (D13, B6, S-7)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from csp_web.cli.doctor import _scanner, _scans
from csp_web.config import Settings
from csp_web.db import now, session, transaction
from csp_web.domain.delivery import scanning
from csp_web.domain.delivery.links import get_keys_and_downloads, token_of
from csp_web.domain.delivery.scanning import scan_new
from csp_web.domain.delivery.transfers import Visitor, open_transfer
from csp_web.domain.delivery.transfers import token_of as address_of
from csp_web.domain.upkeep.configured import file_store
from csp_web.errors import Refused
from csp_web.models import AuditEntry, DownloadLink, DownloadOption, OutboxMessage, Scan, Subscription, TicketFile
from tests.support.clamd import NAME, SIGNATURE, FakeClamd, running_clamd
from tests.support.files import RUSSIAN, add_option
from tests.support.live import free_port
from tests.support.stock import bought
from tests.support.tickets import file_ticket, install_types, other_details
from tests.world import World

HARMFUL = b"setup" + SIGNATURE + b"more"


@pytest.fixture
def clamd() -> Iterator[FakeClamd]:
    with running_clamd() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, clamd: FakeClamd) -> Settings:
    return replace(settings, clamd_url=clamd.url)


def attach(world: World, content: bytes) -> tuple[str, int]:
    """A ticket of Alice's with a file: the address of the file, and its number."""
    install_types()
    ticket = file_ticket(world, other_details())
    with transaction():
        file = TicketFile(
            ticket_id=ticket.id,
            original_name="error.zip",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            storage_key=file_store().save(io.BytesIO(content), max_bytes=len(content)).key,
            added_by_id=world.people["alice"],
        )
        session.add(file)
    return f"/tickets/{ticket.number}", file.id


def state(model: Any, number: int) -> tuple[Scan, str, bool]:
    session.rollback()
    row = session.get_one(model, number, populate_existing=True)
    return row.scan, row.scan_note, row.scan_at is not None


def scan() -> int:
    session.rollback()
    return scan_new(now())


def readers() -> set[str]:
    return set(session.scalars(select(OutboxMessage.recipient).where(OutboxMessage.subject.contains("harmful"))))


def test_d13_a_clean_attachment_says_so_no_more_and_a_harmful_one_is_never_served(app: Flask, world: World) -> None:
    (ticket, clean), (other, harmful) = attach(world, b"a log"), attach(world, HARMFUL)
    client = world.sign_in(app, "alice")
    assert "Not scanned for viruses" in client.get(ticket).text
    assert client.get(f"{other}/files/{harmful}").status_code == 200
    assert scan() == 2
    assert scan() == 0
    assert state(TicketFile, clean) == (Scan.CLEAN, "", True)
    assert state(TicketFile, harmful) == (Scan.BLOCKED, NAME, True)
    assert "Not scanned for viruses" not in client.get(ticket).text
    assert client.get(f"{ticket}/files/{clean}").data == b"a log"
    page = client.get(other).text
    assert NAME in page
    assert f"{other}/files/{harmful}" not in page
    for who in ("alice", "sam"):
        answer = world.sign_in(app, who).get(f"{other}/files/{harmful}")
        assert answer.status_code == 410
        assert NAME in answer.text
        assert SIGNATURE not in answer.data


def test_b6_the_operator_and_the_uploader_are_told_and_it_is_in_the_log(world: World) -> None:
    ticket, _number = attach(world, HARMFUL)
    scan()
    assert readers() == {world.actor("alice").email, world.actor("olga").email}
    entry = session.scalars(select(AuditEntry).filter_by(operation="block_file")).one()
    assert ticket == f"/tickets/{entry.resource_id}"


def test_s7_links_to_a_blocked_file_end_with_a_sentence(app: Flask, world: World) -> None:
    option, subscription = add_option(world, content=HARMFUL), bought(world)
    with transaction():
        link = get_keys_and_downloads(subscription, option, by=world.actor("alice"), recipient="").link
        number, landing = link.id, f"/d/{token_of(link)}"
        transfer = f"/t/{address_of(open_transfer(link, Visitor('a')))}"
    line, of_line, of_file = f"/customers/{subscription.customer.uuid}/software", subscription.uuid, option.id
    subscription_id = subscription.id
    client = app.test_client()
    assert "has not been scanned for viruses yet" in client.get(landing).text
    assert client.get(transfer).data == HARMFUL
    assert scan() == 1
    for address in (landing, transfer, f"{landing}/SHA256SUMS"):
        answer = client.get(address)
        assert answer.status_code == 410, address
        assert "harmful" in answer.text
    assert client.post(landing).status_code == 410
    session.rollback()
    assert session.get_one(DownloadLink, number).used == 1
    again, blocked = session.get_one(Subscription, subscription_id), session.get_one(DownloadOption, of_file)
    with pytest.raises(Refused, match="harmful"), transaction():
        get_keys_and_downloads(again, blocked, by=world.actor("alice"), recipient="")
    session.rollback()
    page = world.sign_in(app, "alice").get(f"{line}?open={of_line}&fitting=1").text
    assert "File blocked" in page
    assert "Matching products" not in page
    assert NAME in world.sign_in(app, "olga").get("/admin/files").text


def test_what_the_scanner_does_not_take_stays_unscanned_with_the_reason(
    app: Flask, world: World, clamd: FakeClamd
) -> None:
    clamd.limit = 1000
    large = add_option(world, content=bytes(2000))
    lost = add_option(world, language=RUSSIAN)
    file_store().delete(lost.storage_key)
    numbers = large.id, lost.id
    assert scan() == 2
    assert scan() == 0
    assert state(DownloadOption, numbers[0]) == (Scan.UNSCANNED, scanning.TOO_LARGE, True)
    assert state(DownloadOption, numbers[1]) == (Scan.UNSCANNED, scanning.UNREADABLE, True)
    page = world.sign_in(app, "olga").get("/admin/files").text
    assert page.count("Not scanned for viruses") == 2
    assert "too large for the scanner" in page


def test_a_scanner_that_is_away_is_tried_again_and_doctor_says_so(
    world: World, app: Flask, settings: Settings, clamd: FakeClamd
) -> None:
    from csp_web.domain.upkeep import configured

    number = add_option(world, content=HARMFUL).id
    configured.configure(replace(settings, clamd_url=f"tcp://127.0.0.1:{free_port()}"))
    assert scan() == 0
    assert state(DownloadOption, number) == (Scan.UNSCANNED, "", False)
    assert "does not answer" in _scanner()
    assert _scans() == "1 unscanned"
    configured.configure(settings)
    assert scan() == 1
    assert state(DownloadOption, number)[0] is Scan.BLOCKED
    assert _scanner() == ""
    assert _scans() == "1 blocked"


def test_a_file_on_which_the_scanner_dies_keeps_no_other_unscanned(
    world: World, clamd: FakeClamd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_put_off", {})
    clamd.dies_of = b"poison"
    (_ticket, poison), harmful = attach(world, b"poison"), add_option(world, content=HARMFUL).id
    assert scan() == 0
    assert scan() == 1
    assert state(DownloadOption, harmful)[0] is Scan.BLOCKED
    assert state(TicketFile, poison) == (Scan.UNSCANNED, "", False)
    clamd.dies_of = b""
    assert scan() == 1
    assert state(TicketFile, poison) == (Scan.CLEAN, "", True)


def test_without_a_scanner_nothing_is_said_of_viruses(app: Flask, world: World, settings: Settings) -> None:
    from csp_web.domain.upkeep import configured

    configured.configure(replace(settings, clamd_url=""))
    add_option(world)
    assert scan() == 0
    assert configured.scanner() is None
