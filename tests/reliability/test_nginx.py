"""deploy/nginx.conf with a real nginx in front of the real server: what it sends, and that files stay inert (D2, S-7)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from csp_web.config import ROOT, Settings
from csp_web.db import session, transaction
from csp_web.domain.delivery import links
from csp_web.domain.delivery.links import get_keys_and_downloads
from csp_web.models import DownloadLink
from tests.support.files import add_option
from tests.support.large import MARKS, SIZE, check_large
from tests.support.live import LiveServer, free_port
from tests.support.stock import bought
from tests.support.transfers import Offered, ask, make_large
from tests.world import World

pytestmark = pytest.mark.one_database
CONTENT = os.urandom(3 * 1024 * 1024)
START_SECONDS = 20
SECURITY = ("content-security-policy", "cross-origin-resource-policy", "referrer-policy", "x-content-type-options")


def changed(text: str, *changes: tuple[str, str]) -> str:
    """The shipped configuration with the places of this machine; each is in it as often as it should be."""
    for pattern, instead in changes:
        text, count = re.subn(pattern, instead, text, flags=re.MULTILINE)
        assert count, f"deploy/nginx.conf has no {pattern}"
    return text


def configuration(folder: Path, files: Path, port: int, behind: int) -> str:
    site = changed(
        (ROOT / "deploy" / "nginx.conf").read_text(),
        (r"listen 80;", f"listen 127.0.0.1:{free_port()};"),
        (r"listen 443 ssl http2;", f"listen 127.0.0.1:{port};"),
        (r"^ +listen \[::\].*\n", ""),
        (r"^ +ssl_certificate.*\n", ""),
        (r"127\.0\.0\.1:8000", f"127.0.0.1:{behind}"),
        (r"alias /srv/csp-web/files/;", f'alias "{files}/";'),
        (r"/var/log/nginx/csp-web.log", str(folder / "access.log")),
    )
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    events = f"pid {folder}/nginx.pid;\nworker_processes 1;\nevents {{}}\n"
    return f"daemon off;\n{user}error_log stderr;\n{events}http {{\n{temporary}{site}}}\n"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Files lie where CSP_WEB_FILES_URL says, not in the data directory."""
    return replace(settings, files_url=(tmp_path / "big files").as_uri())


@pytest.fixture
def behind(own_server: LiveServer, settings: Settings, world: World) -> LiveServer:
    """The application as the head of deploy/nginx.conf says."""
    own_server.settings = {
        "CSP_WEB_FILES_URL": settings.files_url,
        "CSP_WEB_SECRET_KEY": settings.secret_key,
        "CSP_WEB_KEYS_KEY": settings.keys_key,
        "CSP_WEB_TRUSTED_PROXIES": "127.0.0.1",
        "CSP_WEB_OFFLOAD": "x-accel-redirect",
    }
    own_server.start()
    return own_server


@pytest.fixture
def nginx(behind: LiveServer, settings: Settings, tmp_path: Path) -> Iterator[int]:
    """A real nginx on a port of its own."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert program, "nginx is not installed; see scripts/install_test_deps"
    folder, port = tmp_path / "nginx", free_port()
    folder.mkdir()
    file = folder / "nginx.conf"
    file.write_text(configuration(folder, settings.files_dir, port, behind.port))
    with (folder / "error.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(file)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            _wait(port, process, folder / "error.log")
            yield port
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(port: int, process: subprocess.Popen[Any], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if ask(port, "GET", "/readyz").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"nginx does not answer:\n{log.read_text()}")


def test_d2_nginx_sends_the_file_inert_and_in_ranges_and_it_counts_once(
    world: World, settings: Settings, behind: LiveServer, nginx: int, tmp_path: Path
) -> None:
    """At the end the same file has more than 5 GB."""
    option, subscription = add_option(world, content=CONTENT), bought(world)
    with transaction():
        link = get_keys_and_downloads(subscription, option, by=world.actor("alice"), recipient="").link
        address = f"/d/{links.token_of(link)}"
    assert ask(nginx, "GET", address).status == 200
    pressed = ask(nginx, "POST", address)
    assert pressed.status == 303
    transfer = pressed.headers["location"]
    direct = ask(behind.port, "GET", transfer)
    assert direct.body == b""
    sent = ask(nginx, "GET", transfer)
    assert (sent.status, sent.body) == (200, CONTENT)
    assert "x-accel-redirect" not in sent.headers
    for name in ("content-type", "content-disposition", "cache-control", *SECURITY):
        assert sent.headers[name] == direct.headers[name], name
    part = ask(nginx, "GET", transfer, Range="bytes=1000000-", If_Range=sent.headers["etag"])
    assert (part.status, part.body) == (206, CONTENT[1000000:])
    assert part.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert (
        ask(nginx, "GET", f"/_files/{option.storage_key[:2]}/{option.storage_key[2:4]}/{option.storage_key}").status
        == 404
    )
    session.rollback()
    assert session.get_one(DownloadLink, link.id).used == 1
    assert ask(nginx, "GET", f"/search?q={address}").status == 303  # somebody asks whose link it is
    logged = (Path(settings.data_dir).parent / "nginx" / "access.log").read_text()
    assert "/readyz" in logged
    assert address not in logged
    assert transfer not in logged
    make_large(Offered(link.id, address, str(subscription.uuid), option.sha256), SIZE, MARKS)
    check_large(nginx, transfer, tmp_path)
    session.rollback()
    assert session.get_one(DownloadLink, link.id).used == 1
