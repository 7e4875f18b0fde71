"""``csp-web files add``: whole or not at all, compared with its sum, refused before anything is copied (R22, R29)."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from csp_web.db import select, session
from csp_web.domain.delivery import download_options
from csp_web.models import DownloadOption
from csp_web.services.files import DiskStore
from tests.cli.test_commands import DEMO, OPTION
from tests.support.command_line import CommandLine

pytestmark = pytest.mark.one_database  # what the verb does is tested in the domain on both
MIB = 1024 * 1024
SUM = hashlib.sha256(b"installer").hexdigest()
PATIENCE = 60  # seconds


@pytest.fixture
def shop(ready: CommandLine) -> CommandLine:
    """An installation with products."""
    ready.say("catalog", "import", DEMO / "price-sheet.csv")
    return ready


def add(file: Path) -> tuple[str | Path, ...]:
    return ("files", "add", file, "--product", "DG7GMGF06GW3", *OPTION)


def lying(shop: CommandLine) -> list[Path]:
    return [path for path in (shop.folder / "files").rglob("*") if path.is_file()]


def options(shop: CommandLine) -> list[str]:
    shop.attach()
    session.rollback()
    return list(session.scalars(select(DownloadOption.sha256)))


def test_the_sum_is_compared_and_a_file_with_another_one_is_not_offered(shop: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "setup.iso"
    file.write_bytes(b"installer")
    assert f"another SHA-256: {SUM}" in shop.refuse(*add(file), "--sha256", "0" * 64)
    assert "A SHA-256 has 64 digits" in shop.refuse(*add(file), "--sha256", "abc")
    assert (options(shop), lying(shop)) == ([], [])
    assert "Registered." in shop.say(*add(file), "--sha256", SUM.upper())
    assert "This file is offered already." in shop.say(*add(file))
    assert options(shop) == [SUM]


def test_another_file_is_refused_before_it_is_read(shop: CommandLine, tmp_path: Path) -> None:
    """Nobody waits for a copy of many gigabytes to learn that the place is taken: here there is nothing to read at all."""
    file, never = tmp_path / "setup.iso", tmp_path / "never.iso"
    file.write_bytes(b"installer")
    shop.say(*add(file))
    os.mkfifo(never)
    writer = os.open(never, os.O_RDWR)  # opens at once, and nothing is ever written
    try:
        assert "There is already a file for" in shop.refuse(*add(never))
    finally:
        os.close(writer)


def test_a_full_disk_is_said_before_anything_is_copied(
    shop: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_options, "free_for_files", lambda: 8)
    file = tmp_path / "setup.iso"
    file.write_bytes(b"installer")
    assert "room for 8 bytes, and this file has 9 bytes" in shop.refuse(*add(file))
    assert lying(shop) == []


def test_a_command_that_is_killed_leaves_nothing_that_anybody_sees(shop: CommandLine, tmp_path: Path) -> None:
    pipe, whole = tmp_path / "pipe.iso", tmp_path / "setup.iso"
    os.mkfifo(pipe)
    program = shop.start(*add(pipe))
    with pipe.open("wb", buffering=0) as writer:
        writer.write(bytes(3 * MIB))
        deadline = time.monotonic() + PATIENCE
        while not any(path.stat().st_size for path in lying(shop)):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        program.kill()
        program.communicate(timeout=PATIENCE)
    store = DiskStore(shop.folder / "files")
    assert options(shop) == []
    assert list(store.keys_older_than(timedelta(seconds=-60))) == []
    (left,) = lying(shop)
    os.utime(left, (0, 0))
    assert store.sweep_incoming(timedelta(days=1)) == 1
    whole.write_bytes(b"installer")
    assert "Registered." in shop.say(*add(whole))
    assert "FAIL" not in shop.say("doctor", "--read-files")
