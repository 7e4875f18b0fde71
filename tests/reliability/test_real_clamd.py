"""Product files and attachments before Debian's own clamd: unscanned, clean, blocked; away, too large, looked at again (S-7)."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from csp_web.config import Settings
from csp_web.db import session, transaction
from csp_web.domain.delivery import scanning
from csp_web.domain.delivery.links import get_keys_and_downloads, token_of
from csp_web.domain.delivery.transfers import Visitor, open_transfer
from csp_web.domain.delivery.transfers import token_of as address_of
from csp_web.errors import Refused
from csp_web.models import DownloadOption, OutboxMessage, Scan, TicketFile
from csp_web.services.antivirus import Clamd, TooLargeToScan
from tests.support.files import add_option
from tests.support.real_clamd import EICAR, FOUND, LONGEST_STREAM, RealClamd, real_clamd
from tests.support.stock import bought
from tests.web.test_admin_files import hidden, said
from tests.web.test_scanning import attach, readers, scan, state
from tests.world import World

pytestmark = pytest.mark.one_database  # what the states are in the database is tested in test_scanning.py on both


@pytest.fixture(scope="module")
def clamd() -> Iterator[RealClamd]:
    with tempfile.TemporaryDirectory(prefix="clamd") as folder, real_clamd(Path(folder)) as running:
        yield running


@pytest.fixture
def settings(settings: Settings, clamd: RealClamd) -> Settings:
    return replace(settings, clamd_url=clamd.url)


def packed(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("setup/readme.txt", content)
    return archive.getvalue()


@pytest.mark.parametrize(
    "content", [EICAR, bytes(256 * 1024 - 10) + EICAR, packed(EICAR)], ids=["bare", "over two blocks", "in an archive"]
)
def test_it_finds_the_test_file_wherever_it_is(clamd: RealClamd, content: bytes) -> None:
    assert Clamd(clamd.url).scan(io.BytesIO(content)) == FOUND


def test_it_says_what_is_clean_and_what_is_more_than_it_takes(clamd: RealClamd) -> None:
    assert Clamd(clamd.url).scan(io.BytesIO(packed(b"a log"))) == ""
    with pytest.raises(TooLargeToScan):
        Clamd(clamd.url).scan(io.BytesIO(bytes(8 * LONGEST_STREAM)))


def test_s7_a_harmful_installer_is_never_served_again(app: Flask, world: World) -> None:
    option, subscription = add_option(world, content=packed(EICAR)), bought(world)
    with transaction():
        link = get_keys_and_downloads(subscription, option, by=world.actor("alice"), recipient="").link
        landing, transfer = f"/d/{token_of(link)}", f"/t/{address_of(open_transfer(link, Visitor('a')))}"
    number, client = option.id, app.test_client()
    assert state(DownloadOption, number) == (Scan.UNSCANNED, "", False)
    assert client.get(transfer).data == packed(EICAR)
    assert scan() == 1
    assert state(DownloadOption, number) == (Scan.BLOCKED, FOUND, True)
    for address in (landing, transfer, f"{landing}/SHA256SUMS"):
        assert client.get(address).status_code == 410
    answer = client.get(transfer, headers={"Range": "bytes=10-"})
    assert answer.status_code == 410
    assert EICAR not in answer.data
    assert "harmful" in said(client.get(landing, headers={"Accept-Language": "en"}))
    assert readers() == {world.actor("olga").email}


def test_s7_a_harmful_attachment_is_never_served_and_a_clean_one_is(app: Flask, world: World) -> None:
    (ticket, clean), (other, harmful) = attach(world, b"a log"), attach(world, EICAR)
    assert scan() == 2
    assert state(TicketFile, clean) == (Scan.CLEAN, "", True)
    assert state(TicketFile, harmful) == (Scan.BLOCKED, FOUND, True)
    client = world.sign_in(app, "sam")
    assert client.get(f"{ticket}/files/{clean}").data == b"a log"
    refused = client.get(f"{other}/files/{harmful}")
    assert refused.status_code == 410
    assert FOUND in refused.text
    assert EICAR not in refused.data


def test_while_clamd_is_away_files_wait_and_are_scanned_when_it_is_back(world: World, clamd: RealClamd) -> None:
    number = add_option(world, content=EICAR).id
    clamd.stop()
    assert scan() == 0
    assert state(DownloadOption, number) == (Scan.UNSCANNED, "", False)
    clamd.start()
    assert scan() == 1
    assert state(DownloadOption, number) == (Scan.BLOCKED, FOUND, True)


def test_one_that_is_too_large_says_so_and_is_scanned_again_when_somebody_asks(app: Flask, world: World) -> None:
    number = add_option(world, content=bytes(4 * LONGEST_STREAM)).id
    assert scan() == 1
    assert scan() == 0
    assert state(DownloadOption, number) == (Scan.UNSCANNED, scanning.TOO_LARGE, True)
    olga = world.sign_in(app, "olga")
    page = said(olga.get("/admin/files"))
    assert "Not scanned for viruses too large for the scanner" in page
    again = olga.post(f"/admin/files/{number}/scan", data=hidden(olga, "/admin/files/new"), follow_redirects=True)
    assert "is scanned again" in said(again)
    assert "Being scanned again" in said(again)
    assert scan() == 1


def test_a_false_alarm_is_lifted_by_scanning_again_and_not_before(
    app: Flask, world: World, clamd: RealClamd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signature was wrong and is gone: until the scanner has looked again the file stays blocked."""
    number, olga = add_option(world, content=EICAR).id, world.sign_in(app, "olga")
    with pytest.raises(Refused, match="as soon as"), transaction():
        scanning.scan_again(session.get_one(DownloadOption, number), by=world.actor("olga"))
    scan()
    for signature, expected in ((EICAR, (Scan.BLOCKED, FOUND, True)), (b"another", (Scan.CLEAN, "", True))):
        clamd.stop()
        olga.post(f"/admin/files/{number}/scan", data=hidden(olga, "/admin/files/new"))
        assert scan() == 0
        assert state(DownloadOption, number) == (Scan.BLOCKED, FOUND, False)
        monkeypatch.setattr(clamd, "signature", signature)
        clamd.start()
        assert scan() == 1
        assert state(DownloadOption, number) == expected
    assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 1
    monkeypatch.undo()
    clamd.stop()
    clamd.start()


@pytest.mark.parametrize("person", ["alice", "sam"])
def test_d14_only_an_operator_admin_has_files_scanned_again(app: Flask, world: World, person: str) -> None:
    number = add_option(world, content=EICAR).id
    scan()
    client = world.sign_in(app, person)
    assert client.post(f"/admin/files/{number}/scan", data={}).status_code == 403
    assert state(DownloadOption, number)[2]
