"""Requests that are too large never reach the disk, and whoever sends them can read the answer (S-11)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from csp_web.config import Settings
from tests.support.live import LiveServer
from tests.support.processes import family, spooled
from tests.support.transfers import PATIENCE, same_installation
from tests.world import World

if TYPE_CHECKING:
    from flask import Flask

MIB = 1024 * 1024
LIMIT = 3 * MIB
PROGRAM = Path(__file__).with_name("served_app.py")
SENTENCE = "What you sent is larger than this page takes."


class Program:
    """A small application on the server, which takes ``LIMIT`` bytes."""

    def __init__(self) -> None:
        given = json.dumps({"processes": 1, "body_limit": LIMIT})
        self.process = subprocess.Popen([sys.executable, str(PROGRAM), given], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def connect(self, *lines: str) -> socket.socket:
        """A connection on which the head of a request was sent."""
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        client.sendall("\r\n".join(["POST /read HTTP/1.1", "Host: localhost", *lines, "", ""]).encode())
        return client

    def spooled(self) -> int:
        return spooled(family(self.process.pid))

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    started = Program()
    yield started
    started.end()


def rest_of(client: socket.socket) -> bytes:
    answer = b""
    while data := client.recv(65536):
        answer += data
    return answer


def test_s11_the_answer_comes_before_the_body_and_what_still_comes_is_thrown_away(program: Program) -> None:
    with program.connect(f"Content-Length: {20 * MIB}") as client:
        assert client.recv(13) == b"HTTP/1.1 413 "
        for _block in range(20):
            client.sendall(bytes(MIB))
        assert program.spooled() == 0
        answer = rest_of(client)
    assert b"Connection: close" in answer
    assert answer.endswith(b"\r\n\r\ntoo large")


@pytest.mark.parametrize("expecting", [[], ["Expect: 100-continue"]])
def test_s11_who_waits_to_be_asked_for_the_body_is_not_asked(program: Program, expecting: list[str]) -> None:
    with program.connect(f"Content-Length: {LIMIT + 1}", *expecting) as client:
        client.shutdown(socket.SHUT_WR)
        assert rest_of(client).startswith(b"HTTP/1.1 413 ")
    with program.connect(f"Content-Length: {LIMIT}", *expecting) as client:
        client.sendall(bytes(LIMIT))
        assert client.recv(13) == (b"HTTP/1.1 100 " if expecting else b"HTTP/1.1 200 ")


def test_s11_a_body_of_unknown_length_is_cut_off_at_the_limit(program: Program) -> None:
    with program.connect("Transfer-Encoding: chunked") as client:
        for _block in range(20):
            client.sendall(b"100000\r\n" + bytes(MIB) + b"\r\n")
        assert program.spooled() < LIMIT + MIB
        client.sendall(b"0\r\n\r\n")
        assert rest_of(client).startswith(b"HTTP/1.1 413 ")
    assert program.spooled() == 0


@pytest.mark.parametrize("how", [f"Content-Length: {20 * MIB}", "Transfer-Encoding: chunked"])
def test_s11_nothing_of_a_refused_body_is_read_as_another_request(program: Program, how: str) -> None:
    smuggled = b"GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n"
    large = b"100000\r\n" + bytes(MIB) + b"\r\n" if how.endswith("chunked") else b""
    with program.connect(how) as client:
        client.sendall(large * 4 + smuggled * 100)
        client.shutdown(socket.SHUT_WR)
        assert rest_of(client).count(b"HTTP/1.1 ") == 1


@pytest.mark.one_database  # nothing is written
def test_s11_on_the_shipped_server_a_large_form_gets_a_sentence_and_files_are_taken(
    own_server: LiveServer, settings: Settings, world: World, app: Flask, tmp_path: Path
) -> None:
    signed_in = world.sign_in(app, "alice").get_cookie("csp_session")
    assert signed_in is not None
    same_installation(own_server, settings)
    own_server.settings["CSP_WEB_TRUSTED_PROXIES"] = "203.0.113.9"  # the application behind one more layer
    own_server.start()
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, 20 * MIB)

    def post(path: str, *more: str) -> str:
        address = f"http://127.0.0.1:{own_server.port}{path}"
        command = ["curl", "-sS", "-w", "\n%{http_code}", "--data-binary", f"@{large}", *more, address]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout

    person = ("-H", f"Cookie: csp_session={signed_in.value}")
    for answer in (post("/customers/new", *person), post("/sign-in"), post("/sign-in", "-H", "Expect:")):
        assert answer.endswith("\n413")
        assert SENTENCE in answer
    assert post("/tickets/new").endswith("\n303"), "a stranger is sent to sign in"
    assert post("/tickets/new", *person).endswith("\n400"), "received, but it is no form"
