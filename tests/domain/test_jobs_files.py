"""What long work leaves on the disk: what was sent in goes when nobody can want it any more; a full disk is called so."""

from __future__ import annotations

import errno
import sqlite3
from datetime import timedelta

import pytest

from csp_web.config import Settings
from csp_web.db import now, transaction
from csp_web.domain.long_work import jobs
from csp_web.errors import Conflict
from csp_web.models import JobState
from csp_web.services import archive, database_copies
from tests.support.jobs import customer_rows, job, start, why, work
from tests.world import World

pytestmark = pytest.mark.usefixtures("world")


def sent_in(settings: Settings) -> int:
    return sum(path.is_file() for path in (settings.data_dir / "jobs" / "files").rglob("*"))


def test_what_was_sent_in_for_work_that_is_cancelled_before_it_began_goes_at_once(
    world: World, settings: Settings
) -> None:
    number = start("import_customers", world.actor("alice"), content=customer_rows(2))
    assert sent_in(settings) == 1
    assert jobs.cancel(job(number), by=world.actor("alice"))
    assert (sent_in(settings), job(number).input_key) == (0, None)


def test_of_checked_files_of_a_person_the_newest_are_kept(world: World, settings: Settings) -> None:
    """Checks cost nothing, so they could fill the disk; a colleague's are not counted."""
    others = start("import_customers", world.actor("bob"), content=customer_rows(1), dry_run=True)
    numbers = []
    for _each in range(jobs.MOST_CHECKED + 1):
        numbers.append(start("import_customers", world.actor("alice"), content=customer_rows(1), dry_run=True))
        work()
    assert sent_in(settings) == jobs.MOST_CHECKED + 1
    assert [jobs.may_import(job(number)) for number in numbers] == [False] + [True] * jobs.MOST_CHECKED
    assert jobs.may_import(job(others))
    with pytest.raises(Conflict, match="not kept any more"), transaction():
        jobs.start_checked(job(numbers[0]), by=world.actor("alice"))
    with transaction():
        jobs.start_checked(job(numbers[1]), by=world.actor("alice"))
    jobs.forget_old(now() + timedelta(hours=1))
    assert work() == 1


@pytest.mark.one_database  # the copy is SQLite's
@pytest.mark.parametrize("where", ["database", "archive"])
def test_a_backup_on_a_full_disk_says_so(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def full(copy: sqlite3.Connection) -> None:
        copy.execute("PRAGMA max_page_count=1")
        copy.execute("CREATE TABLE too_much (it)")

    def no_space(_tar: object, _manifest: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if where == "database":
        monkeypatch.setattr(database_copies, "_check_sqlite", full)
    else:
        monkeypatch.setattr(archive, "_finish", no_space)
    number = start("make_backup", world.actor("olga"), name="a.tar")
    work()
    assert job(number).state is JobState.FAILED
    assert "The disk of the server is full" in why(number)
    assert list((settings.data_dir / "backups").iterdir()) == []
