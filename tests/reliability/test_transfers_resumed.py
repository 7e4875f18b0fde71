"""D2, B2: real clients over a line that is cut again and again: byte for byte, and one download."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from csp_web.config import Settings
from tests.support.cutting import cutting
from tests.support.eight import fetch_by_eight
from tests.support.live import LiveServer
from tests.support.transfers import Offered, offer, same_installation
from tests.world import World

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

pytestmark = pytest.mark.one_database  # what is counted is tested in the domain on both

MIB = 1024 * 1024
SIZE = 6 * MIB + 12_345
CUT_AFTER = 700_000  # bytes of an answer; a share of the download manager's is larger
PATIENCE = 60


@pytest.fixture
def offered(world: World) -> Offered:
    return offer(world, os.urandom(SIZE))


@pytest.fixture
def server(own_server: LiveServer, settings: Settings, offered: Offered) -> LiveServer:
    same_installation(own_server, settings)
    own_server.start()
    return own_server


def with_curl(port: int, path: str, target: Path) -> None:
    """What a person does whose line breaks: the same command again."""
    command = ["curl", "-sS", "--fail", "-C", "-", "-o", str(target), f"http://127.0.0.1:{port}{path}"]
    for _again in range(SIZE // CUT_AFTER + 2):
        done = subprocess.run(command, check=False, timeout=PATIENCE, capture_output=True, text=True)
        if done.returncode == 0:
            return
        assert done.returncode in {18, 56}, done.stderr  # a part only; reset
    pytest.fail("curl never came to the end")


def with_wget(port: int, path: str, target: Path) -> None:
    """It goes on by itself."""
    address = f"http://127.0.0.1:{port}{path}"
    command = ["wget", "-q", "-c", "--tries=40", "--waitretry=0", "--no-config", "-O", str(target), address]
    subprocess.run(command, check=True, timeout=PATIENCE)


def with_eight_connections(port: int, path: str, target: Path) -> None:
    assert fetch_by_eight(port, path, target) >= 8


CLIENTS = (with_curl, with_wget, with_eight_connections)


def test_d2_over_a_line_that_breaks_it_is_the_same_file_and_one_download_each(
    server: LiveServer, offered: Offered, world: World, app: Flask, tmp_path: Path
) -> None:
    connections = []
    for number, download in enumerate(CLIENTS, 1):
        target = tmp_path / f"{download.__name__}.iso"
        with cutting(server.port, after=CUT_AFTER) as line:
            download(line.port, offered.press(line.port, download.__name__), target)
            assert line.cuts >= 8
            connections.append(line.connections)
        assert hashlib.sha256(target.read_bytes()).hexdigest() == offered.sha256, download.__name__
        assert offered.used() == number, download.__name__
    server.stop()
    for transfer, count in zip(offered.transfers(), connections, strict=True):
        assert transfer.running == 0, "told when the server ends, at the latest"
        assert SIZE <= transfer.bytes_sent < SIZE + count * MIB, transfer.agent
    log = log_of(world.sign_in(app, "alice"), offered, world)
    assert [(row[4], int(row[5])) for row in log if row[1] == "Download counted"] == [
        (transfer.agent, transfer.bytes_sent) for transfer in offered.transfers()
    ]


def log_of(alice: FlaskClient, offered: Offered, world: World) -> list[list[str]]:
    """The link's log as partners see it."""
    line = f"/customers/{world.customer('coho').uuid}/software/{offered.line}"
    return list(csv.reader(io.StringIO(alice.get(f"{line}/links/{offered.link}/log.csv").text)))
