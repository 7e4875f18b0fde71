"""Backups in the browser: whole, without secrets, checked, and nothing left of one that was cancelled (B14, D11, R-10)."""

from __future__ import annotations

import os
import tarfile
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from csp_web.config import Settings
from csp_web.db import now, session
from csp_web.domain import audit
from csp_web.domain.long_work import job_files, job_table, job_work
from csp_web.domain.stock import vault
from csp_web.domain.upkeep import backups
from csp_web.domain.upkeep.configured import file_store
from csp_web.errors import Forbidden, NotFound, Refused, StorageFull
from csp_web.models import JobState
from csp_web.services import archive
from csp_web.services.archive import verify
from csp_web.services.files import Readable
from tests.support.jobs import interrupted_at, job, start, why, work
from tests.world import World

pytestmark = pytest.mark.usefixtures("world")
PATIENCE = 20.0
STEPS = ("database", "files", "proving")


class Bytes(Readable):
    """Some bytes, once."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int, /) -> bytes:
        content, self._content = self._content[:size], self._content[size:]
        return content


def names() -> list[str]:
    """Everything in the folder of backups, temporary files too."""
    return sorted(path.name for path in backups.folder().iterdir())


def test_d11_a_backup_is_whole_and_holds_no_secret(world: World, settings: Settings) -> None:
    stored = file_store().save(Bytes(b"installer" * 1000), max_bytes=10**6)
    number = start("make_backup", world.actor("olga"), subject="a.tar", name="a.tar")
    work()
    assert job(number).state is JobState.DONE
    assert names() == ["a.tar"]
    path = backups.folder() / "a.tar"
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"files/{stored.key}" in verify(path).members
    content = path.read_bytes()
    assert settings.secret_key.encode() not in content
    with tarfile.open(path) as tar:
        assert not any(name.startswith("secrets/") for name in tar.getnames())
    (found,) = backups.list_backups(by=world.actor("olga"))
    assert (found.name, found.with_secrets, found.problem) == ("a.tar", False, "")


@pytest.mark.parametrize("step", STEPS)
def test_cancel_at_every_step_leaves_no_file(world: World, step: str) -> None:
    number = start("make_backup", world.actor("olga"), name="a.tar")

    def cancel(task: job_work.Task) -> None:
        job_files.board().ask_to_cancel(task.id, world.people["olga"])

    work(make_backup=interrupted_at(step, cancel, job_table.WORK["make_backup"]))
    assert job(number).state is JobState.CANCELLED
    assert names() == []


def test_what_a_dead_worker_left_is_thrown_away_first(world: World) -> None:
    left = backups.folder() / ".a.tar.dead"
    left.mkdir()
    (left / "database.sqlite3.gz").write_bytes(b"half")
    (backups.folder() / ".a.tar.99999.incomplete").write_bytes(b"half")
    start("make_backup", world.actor("olga"), name="a.tar")
    work()
    assert names() == ["a.tar"]


def test_what_was_left_for_good_is_thrown_away_a_day_later(world: World) -> None:
    """By work that was given up: nobody makes a backup of this name again."""
    left = backups.folder() / ".b.tar.dead"
    left.mkdir()
    (left / "database.sqlite3.gz").write_bytes(b"half")
    (backups.folder() / ".b.tar.99999.incomplete").write_bytes(b"half")
    (backups.folder() / "a.tar").write_bytes(b"whole")
    backups.sweep_left(now())
    assert len(names()) == 3
    backups.sweep_left(now() + timedelta(days=1, hours=1))
    assert names() == ["a.tar"]


def test_t6_of_several_that_are_started_at_one_moment_there_is_one(world: World) -> None:
    """On PostgreSQL nobody would see the others' before they are stored."""
    olga, gate, said = world.actor("olga"), threading.Barrier(4), []

    def press() -> None:
        try:
            gate.wait(PATIENCE)
            start("make_backup", olga, name="a.tar")
            said.append("started")
        except Refused:
            said.append("refused")
        finally:
            session.remove()

    crowd = [threading.Thread(target=press) for _number in range(4)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join(PATIENCE)
    assert sorted(said) == ["refused", "refused", "refused", "started"]


def test_what_another_is_writing_is_left_alone() -> None:
    theirs = backups.folder() / f".a.tar.{os.getpid()}.incomplete"
    theirs.write_bytes(b"half")
    manifest = archive.Manifest("1", "0001", "sqlite", "2026-03-02T12:00:00+00:00", {})
    with pytest.raises(FileExistsError), archive.writing(backups.folder() / "a.tar", manifest):
        pass
    assert theirs.read_bytes() == b"half"


def test_a_check_finds_what_was_changed(world: World) -> None:
    start("make_backup", world.actor("olga"), name="a.tar")
    work()
    good = start("check_backup", world.actor("olga"), name="a.tar")
    work()
    assert job(good).state is JobState.DONE
    path = backups.folder() / "a.tar"
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)
    bad = start("check_backup", world.actor("olga"), name="a.tar")
    work()
    assert job(bad).state is JobState.FAILED
    assert why(bad).startswith("a.tar: ")


def test_a_file_that_is_no_backup_is_listed_as_damaged(world: World) -> None:
    (backups.folder() / "b.tar").write_bytes(b"nothing")
    (found,) = backups.list_backups(by=world.actor("olga"))
    assert found.problem.startswith("b.tar: this is not a backup")


def test_a_file_that_the_portal_may_not_read_is_listed_with_the_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (backups.folder() / "folder.tar").mkdir()
    (backups.folder() / "b.tar").write_bytes(b"of root")

    def refused(_path: Path) -> archive.Manifest:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(archive, "peek", refused)
    (found,) = backups.list_backups(by=world.actor("olga"))
    assert (found.name, found.problem) == ("b.tar", "b.tar: the portal cannot read it (Permission denied).")


def test_d11_a_backup_that_a_new_secret_overtook_is_refused(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = settings.data_dir / "keys-key"
    file.write_text(settings.keys_key)
    vault.configure(settings)
    real = backups.copy_database  # type: ignore[attr-defined]  # what the module uses

    def overtaken(*given: Any) -> None:
        file.write_text("\n".join(["another-secret-of-the-tests-" * 2, settings.keys_key]))
        real(*given)

    monkeypatch.setattr(backups, "copy_database", overtaken)
    number = start("make_backup", world.actor("olga"), name="a.tar")
    work()
    assert job(number).state is JobState.FAILED
    assert "secret of product keys was changed" in job(number).error
    assert names() == []
    monkeypatch.undo()
    start("make_backup", world.actor("olga"), name="a.tar")
    work()
    assert names() == ["a.tar"]


@pytest.mark.parametrize("name", ["../csp-web.sqlite3", ".hidden.tar", "a/b.tar", "a.tar\0", "none.tar"])
def test_t11_names_lead_nowhere_else(world: World, name: str) -> None:
    with pytest.raises(NotFound):
        backups.find_backup(name, by=world.actor("olga"))


def test_b11_what_the_log_cannot_say_is_not_deleted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (backups.folder() / "b.tar").write_bytes(b"nothing")

    def full(*_given: object) -> None:
        raise StorageFull("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(audit, "_append", full)
        with pytest.raises(StorageFull):
            backups.delete_backup("b.tar", by=world.actor("olga"))
    assert names() == ["b.tar"]
    backups.delete_backup("b.tar", by=world.actor("olga"))
    assert names() == []


def test_d14_only_an_operator_admin(world: World) -> None:
    for act in (backups.list_backups, lambda by: backups.delete_backup("a.tar", by=by)):
        with pytest.raises(Forbidden):
            act(by=world.actor("alice"))
