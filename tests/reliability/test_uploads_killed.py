"""A server that is killed in the middle of an upload: every piece that it confirmed is there, and the file goes on (R22, B14)."""

from __future__ import annotations

import hashlib
import http.client
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from csp_web.config import Settings
from csp_web.domain.delivery.uploads import LocalFile
from tests.support.live import LiveServer
from tests.support.transfers import same_installation
from tests.support.uploads import MODIFIED, NAME, begin
from tests.web.test_admin_files import hidden
from tests.world import World

if TYPE_CHECKING:
    from flask import Flask

pytestmark = pytest.mark.one_database  # rows and pieces are tested in the domain on both

PIECE = 256 * 1024
CONTENT = b"".join(hashlib.sha256(number.to_bytes(4)).digest() for number in range(10 * PIECE // 32)) + b"the end"
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(own_server: LiveServer, settings: Settings) -> LiveServer:
    """The shipped server on this test's installation."""
    same_installation(own_server, settings)
    own_server.start()
    return own_server


@dataclass
class Sender:
    """What a page's script does: piece after piece, and on from where it is told."""

    server: LiveServer
    address: str
    headers: dict[str, str]
    confirmed: int = 0

    def send(self, offset: int, piece: bytes) -> int:
        """One piece, on a connection of its own; how many bytes the server says that it has."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request("PATCH", self.address, piece, {**self.headers, "Upload-Offset": str(offset)})
            answer = connection.getresponse()
            assert answer.status in {204, 409}, (answer.status, answer.read())
            self.confirmed = int(answer.headers["Upload-Offset"])
        finally:
            connection.close()
        return self.confirmed

    def send_until(self, end: int) -> None:
        """On from where it is, piece by piece, until so many bytes are there."""
        while self.confirmed < end:
            self.send(self.confirmed, CONTENT[self.confirmed : self.confirmed + PIECE])


def kill_while_it_takes_a_piece(server: LiveServer, sender: Sender) -> None:
    """The piece is on its way when every process of the server dies at once."""
    assert server.process is not None
    offset = sender.confirmed
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        headers = {**sender.headers, "Upload-Offset": str(offset)}
        connection.request("PATCH", sender.address, CONTENT[offset : offset + PIECE], headers)
        os.killpg(server.process.pid, signal.SIGKILL)
        with suppress(OSError, http.client.HTTPException):
            connection.getresponse()
    finally:
        connection.close()
    server.process.wait(20)


def test_r22_after_a_kill_the_file_goes_on_at_the_last_piece_that_was_confirmed(
    app: Flask, world: World, server: LiveServer
) -> None:
    number = begin(world, LocalFile(NAME, len(CONTENT), MODIFIED, hashlib.sha256(CONTENT[:65536]).hexdigest()))
    olga = world.sign_in(app, "olga")
    token = hidden(olga, "/admin/files/new")["csrf_token"]
    cookie = olga.get_cookie("csp_session")
    assert cookie is not None
    headers = {"X-CSRFToken": token, "Cookie": f"csp_session={cookie.value}", "HX-Request": "true"}
    sender = Sender(server, f"/admin/files/uploads/{number}", headers)
    sender.send_until(4 * PIECE)
    kill_while_it_takes_a_piece(server, sender)
    server.start()
    asked = sender.send(len(CONTENT), b"x")  # a piece that cannot be the next one: where does it go on?
    assert asked in {4 * PIECE, 5 * PIECE}
    sender.send_until(len(CONTENT))
    address = f"/admin/files/uploads/{number}/end"
    answer = olga.post(address, data={"csrf_token": token, "sha256": SUM}, follow_redirects=True)
    assert f"{NAME} is offered now." in answer.text
    assert SUM in answer.text
