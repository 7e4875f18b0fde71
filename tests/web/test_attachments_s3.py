"""Attachments that lie in an S3-compatible store: streamed through this server, as inert as ever (D13, T11)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from flask import Flask

from csp_web.db import session
from csp_web.domain.upkeep import configured
from csp_web.models import TicketFile
from csp_web.services.files import FileStore
from tests.support.live import free_port
from tests.support.plain import PlainBrowser
from tests.support.tickets import install_types
from tests.world import World

START = 384_000
CONTENT = bytes(range(256)) * (START // 256) + b"the last bytes"


@pytest.fixture
def address(app: Flask, s3_files: FileStore, world: World) -> str:
    """A ticket's file, uploaded by a form."""
    install_types()
    page = PlainBrowser(world.sign_in(app, "alice")).open("/tickets/new?type=other")
    page.fill("Title", "With a file").fill("Description", "See it.").fill("Add files", [("log.html", CONTENT)])
    page.press("Submit")
    file = session.query(TicketFile).one()
    assert s3_files.size(file.storage_key) == len(CONTENT)
    return f"/tickets/{file.ticket.number}/files/{file.id}"


def test_t11_an_attachment_comes_through_this_server_and_stays_inert(app: Flask, world: World, address: str) -> None:
    client = world.sign_in(app, "alice")
    answer = client.get(address)
    assert answer.status_code == 200
    assert hashlib.sha256(answer.data).digest() == hashlib.sha256(CONTENT).digest()
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    part = client.get(address, headers={"Range": f"bytes={START}-"})
    assert (part.status_code, part.data) == (206, b"the last bytes")
    assert client.head(address).content_length == len(CONTENT)


def test_f20_a_store_that_lost_the_file_or_is_away_is_a_sentence(
    app: Flask, world: World, s3_files: FileStore, address: str
) -> None:
    client = world.sign_in(app, "alice")
    s3_files.delete(session.query(TicketFile).one().storage_key)
    lost = client.get(address)
    assert (lost.status_code, "damaged" in lost.text) == (409, True)
    gone = replace(configured.settings(), s3_endpoint=f"http://127.0.0.1:{free_port()}")
    configured.configure(gone)
    away = client.get(address)
    assert (away.status_code, "does not answer" in away.text) == (503, True)
