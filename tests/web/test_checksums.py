"""SHA256SUMS of a line's files and of a link: read by sha256sum itself, counting nothing (R23, R29, D2)."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from csp_web.db import now, session, transaction
from csp_web.domain.delivery.download_options import withdraw_file
from csp_web.domain.delivery.links import get_keys_and_downloads, token_of
from csp_web.models import DownloadLink, Subscription
from tests.support.files import RUSSIAN, add_option
from tests.support.stock import bought
from tests.world import World


def sums_address(subscription: Subscription) -> str:
    return f"/customers/{subscription.customer.uuid}/software/{subscription.uuid}/SHA256SUMS"


def test_r23_sha256sum_checks_the_files_of_a_line(app: Flask, world: World, tmp_path: Path) -> None:
    files = {"windows server.iso": b"english", "сервер.iso": b"russian"}
    for (name, content), language in zip(files.items(), ("English (en-US)", RUSSIAN), strict=True):
        add_option(world, content=content, language=language, name=name)
        (tmp_path / name).write_bytes(content)
    gone = add_option(world, content=b"old", file_type="64 Bit, VHDX", name="withdrawn.vhdx")
    with transaction():
        withdraw_file(gone, by=None, reason="It was damaged.")
    answer = world.sign_in(app, "alice").get(sums_address(bought(world)))
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    (tmp_path / "SHA256SUMS").write_bytes(answer.data)
    command = ["sha256sum", "-c", "--strict", "SHA256SUMS"]
    checked = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count(": OK") == 2
    (tmp_path / "windows server.iso").write_bytes(b"changed")
    assert subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, timeout=20).returncode == 1


def test_a_line_without_files_has_no_sums(app: Flask, world: World) -> None:
    assert world.sign_in(app, "alice").get(sums_address(bought(world))).status_code == 404


def test_r29_the_sums_of_a_link_count_nothing_and_end_with_it(app: Flask, client: FlaskClient, world: World) -> None:
    option, subscription = add_option(world), bought(world)
    with transaction():
        link = get_keys_and_downloads(subscription, option, by=world.actor("alice"), recipient="").link
        address = f"/d/{token_of(link)}"
    assert f"{address}/SHA256SUMS" in client.get(address).text
    answer = client.get(f"{address}/SHA256SUMS")
    assert answer.text == f"{option.sha256}  {option.file_name}\n"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    session.rollback()
    row = session.get_one(DownloadLink, link.id)
    assert row.used == 0
    with transaction():
        session.get_one(DownloadLink, link.id).expires_at = now() - timedelta(seconds=1)
    assert client.get(f"{address}/SHA256SUMS").status_code == 410
    assert client.get("/d/nothing/SHA256SUMS").status_code == 404
