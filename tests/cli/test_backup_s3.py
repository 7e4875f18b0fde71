"""Backup, restore and doctor for an installation whose files are in an S3-compatible store (B14, R-10)."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest

from csp_web.cli.backup import _place_files, _refuse_full
from csp_web.cli.stored_files import damaged_files
from csp_web.config import Settings
from csp_web.db import transaction
from csp_web.domain.upkeep import configured
from csp_web.domain.upkeep.backups import write_backup
from csp_web.models import DownloadOption
from csp_web.services.archive import verify
from csp_web.services.files import FileStore
from csp_web.services.s3_files import PART
from tests.support.files import add_option
from tests.support.live import free_port
from tests.world import World


class Untold:
    """Nobody is told how far it is."""

    def step(self, name: str, total: int = 0) -> None:
        """A step begins."""

    def progress(self, done: int, total: int | None = None) -> None:
        """So much is done."""


def test_b14_files_of_the_store_are_in_the_backup_and_come_back_from_it(
    s3_files: FileStore, s3_settings: Settings, tmp_path: Path
) -> None:
    contents = [os.urandom(PART + 1), b"", b"small"]
    kept = {s3_files.save(io.BytesIO(each), max_bytes=PART + 1).key: each for each in contents}
    file = tmp_path / "all.tar"
    assert write_backup(file, settings=s3_settings, with_secrets=False, tell=Untold()) == 3
    manifest = verify(file)
    elsewhere = replace(s3_settings, files_url=s3_settings.files_url + "/another")
    empty = replace(elsewhere, database_url=f"sqlite:///{tmp_path / 'none.sqlite3'}")
    _refuse_full(empty, manifest)
    _place_files(file, manifest)
    store = configured.file_store()
    assert store is not s3_files
    for key, content in kept.items():
        with store.open(key) as stored:
            assert stored.read() == content


def test_r10_doctor_reads_the_files_of_the_store(s3_files: FileStore, s3_settings: Settings, world: World) -> None:
    option, lost = add_option(world, content=b"one"), add_option(world, content=b"two", version="other")
    assert list(damaged_files(read=True)) == []
    with transaction():
        changed = s3_files.save(io.BytesIO(b"not"), max_bytes=3).key
        for each, key in ((option, changed), (lost, "0" * 32)):
            row: DownloadOption = each
            row.storage_key = key
    found = list(damaged_files(read=True))
    assert [sentence.split(" ", 1)[1] for sentence in found] == [
        "has another content than when it was stored",
        "is missing",
    ]


@pytest.mark.one_database
def test_r10_doctor_says_that_the_store_is_away(s3_settings: Settings, world: World) -> None:
    add_option(world, content=b"one")
    configured.configure(replace(s3_settings, s3_endpoint=f"http://127.0.0.1:{free_port()}"))
    assert list(damaged_files(read=True)) == ["The file store does not answer at the moment. Please try again."]
