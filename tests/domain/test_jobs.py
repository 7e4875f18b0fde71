"""Long work: done by exactly one worker, taken over from a dead one, cancelled at every step without a trace (B14)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from csp_web.config import Settings
from csp_web.db import now, session, transaction
from csp_web.domain import audit
from csp_web.domain.companies import customer_import
from csp_web.domain.long_work import job_files, job_table, job_work, jobs
from csp_web.errors import Conflict, Forbidden, Refused
from csp_web.models import AuditEntry, Customer, Job, JobState, ProductKey, User
from tests.support.jobs import customer_rows, errors_of, interrupted_at, job, start, why, work
from tests.support.stock import new_key, row_of, sheet, sku_of
from tests.world import World

pytestmark = pytest.mark.usefixtures("world")
IMPORTS = ("reading", "storing")


def count(model: type[object] = Customer) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(model)) or 0


def files(settings: Settings) -> list[str]:
    """What is left of jobs on the disk, without marks of people and folders."""
    found = (settings.data_dir / "jobs").rglob("*")
    return sorted(path.name for path in found if path.is_file() and not path.name.startswith("person-"))


def operations() -> list[str]:
    session.rollback()
    return list(session.scalars(select(AuditEntry.operation).order_by(AuditEntry.seq)))


# ---------------------------------------------------------------- doing it


def test_d10_an_import_is_done_by_the_worker_and_tells_what_came_of_it(world: World, settings: Settings) -> None:
    before = count()
    number = start("import_customers", world.actor("alice"), content=customer_rows(30))
    assert (job(number).state, job(number).total, count()) == (JobState.QUEUED, 31, before)
    assert work() == 1
    assert (job(number).state, job(number).result) == (JobState.DONE, {"rows": 30, "added": 30, "unchanged": 0})
    assert count() == before + 30
    assert files(settings) == []
    assert work() == 0
    assert operations()[0] == "start_job"
    assert operations()[-1] == "import_customers"
    assert list(audit.broken_links()) == []


def test_a_check_stores_nothing_and_is_imported_without_sending_the_file_again(world: World) -> None:
    before, alice = count(), world.actor("alice")
    number = start("import_customers", alice, content=customer_rows(3), dry_run=True)
    work()
    assert count() == before
    with transaction():
        following = jobs.start_checked(job(number), by=alice).id
    with pytest.raises(Conflict), transaction():
        jobs.start_checked(job(number), by=alice)
    work()
    assert job(following).state is JobState.DONE
    assert count() == before + 3


def test_d10_rows_with_errors_are_named_and_nothing_is_stored(world: World, settings: Settings) -> None:
    before = count()
    content = customer_rows(2) + b"no GUID,Somebody,somebody.example,Reseller,US\n"
    number = start("import_customers", world.actor("alice"), content=content)
    work()
    row = job(number)
    assert (row.state, why(number)) == (JobState.FAILED, "Nothing was imported: 1 row cannot be taken.")
    assert errors_of(row) == ["Line 4, Microsoft ID: “no GUID” is not a GUID."]
    assert count() == before
    assert files(settings) == []


def test_s4_a_sheet_of_keys_never_lies_on_the_disk_in_clear(world: World, settings: Settings) -> None:
    sku, keys = sku_of(world), [new_key() for _each in range(40)]
    content = sheet(*(row_of(sku, "Windows Server 2025", key) for key in keys)).read()
    number = start("import_keys", world.actor("olga"), content=content)
    kept = [path for path in (settings.data_dir / "jobs" / "files").rglob("*") if path.is_file()]
    assert [path.stat().st_size > len(content) for path in kept] == [True]
    assert not any(key.encode() in kept[0].read_bytes() for key in keys)
    work()
    assert job(number).result == {"rows": 40, "added": 40, "filled": 0, "pools": job(number).result["pools"]}  # type: ignore[index]
    assert count(ProductKey) == 40
    assert not any(key in str(job(number).result) for key in keys)


def test_an_input_that_was_changed_on_the_disk_is_refused(world: World, settings: Settings) -> None:
    number = start("import_customers", world.actor("alice"), content=customer_rows(5))
    kept = job_files.store().path(str(job(number).input_key))
    kept.write_bytes(kept.read_bytes()[:-1])
    before = count()
    work()
    assert why(number) == "The file was damaged on the server. Nothing was done; send it again."
    assert count() == before


def test_what_nobody_expected_is_a_sentence_and_no_trace(world: World) -> None:
    def broken(_task: job_work.Task) -> None:
        raise ValueError("secret detail")

    number = start("make_backup", world.actor("olga"), name="a.tar")
    work(make_backup=broken)
    assert why(number) == "This is our mistake, and it was noted. Nothing was changed."


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize(("kind", "person"), [("import_customers", "helen"), ("make_backup", "alice")])
def test_d14_only_roles_with_the_permission_start_work(world: World, kind: str, person: str) -> None:
    with pytest.raises(Forbidden), transaction():
        jobs.start(kind, by=world.actor(person))


def test_d14_the_role_is_asked_for_again_when_the_work_is_done(world: World) -> None:
    before = count()
    number = start("import_customers", world.actor("alice"), content=customer_rows(2))
    with transaction():
        session.get_one(User, world.people["alice"]).role_rows = []
    work()
    assert job(number).state is JobState.FAILED
    assert "needs the role" in job(number).error
    assert count() == before


def test_work_of_a_disabled_person_is_not_done(world: World) -> None:
    number = start("import_customers", world.actor("alice"), content=customer_rows(2))
    with transaction():
        session.get_one(User, world.people["alice"]).disabled_at = now()
    work()
    assert (job(number).state, "disabled" in job(number).error) == (JobState.FAILED, True)


def test_s1_a_job_is_seen_by_its_owner_and_one_of_the_operator_by_its_admins(world: World) -> None:
    own, operators = start("import_customers", world.actor("alice"), content=b"x"), 0
    operators = start("make_backup", world.actor("olga"), name="a.tar")
    seen = {name: [row.id for row in jobs.list_jobs(world.actor(name)).rows] for name in ("alice", "bob", "charlie")}
    assert seen == {"alice": [own], "bob": [], "charlie": []}
    assert [row.id for row in jobs.list_jobs(world.actor("olga")).rows] == [operators]
    assert [jobs.sees(world.actor(name), job(own)) for name in ("alice", "bob", "olga")] == [True, False, False]
    assert [jobs.sees(world.actor(name), job(operators)) for name in ("alice", "sam", "olga")] == [False, False, True]


def test_one_backup_at_a_time_and_ten_things_of_one_person(world: World) -> None:
    start("make_backup", world.actor("olga"), name="a.tar")
    with pytest.raises(Refused, match="under way already"):
        start("make_backup", world.actor("olga"), name="b.tar")
    for _each in range(jobs.MOST_OPEN):
        start("export_software", world.actor("alice"))
    with pytest.raises(Refused, match="Much of yours"):
        start("export_software", world.actor("alice"))


# ---------------------------------------------------------------- cancel


def test_a_job_that_waits_is_cancelled_at_once(world: World) -> None:
    number = start("import_customers", world.actor("alice"), content=customer_rows(2))
    assert jobs.cancel(job(number), by=world.actor("alice"))
    assert job(number).state is JobState.CANCELLED
    assert work() == 0
    with pytest.raises(Conflict):
        jobs.cancel(job(number), by=world.actor("alice"))


@pytest.mark.parametrize("step", IMPORTS)
def test_cancel_at_every_step_of_an_import_leaves_nothing(world: World, settings: Settings, step: str) -> None:
    before = count()
    number = start("import_customers", world.actor("alice"), content=customer_rows(5))

    def cancel(task: job_work.Task) -> None:
        job_files.board().ask_to_cancel(task.id, world.people["alice"])

    work(import_customers=interrupted_at(step, cancel, job_table.WORK["import_customers"]))
    assert job(number).state is JobState.CANCELLED
    assert count() == before
    assert files(settings) == []
    assert operations() == ["start_job", "cancel_job"]
    assert list(audit.broken_links()) == []


def test_cancel_in_the_middle_of_the_transaction_undoes_it(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite nobody else can write then: the wish comes through all the same, and is in the log with who had it."""
    monkeypatch.setattr(job_work, "POST_EVERY", 0.0)
    monkeypatch.setattr(customer_import, "ROWS_AT_ONCE", 10)
    before = count()
    number = start("import_customers", world.actor("alice"), content=customer_rows(24))
    told: list[int] = []

    def half_way(task: job_work.Task) -> None:
        tell = task.progress

        def cancel(done: int, total: int | None = None) -> None:
            if task._step == "storing" and done:
                told.append(done)
                assert jobs.cancel(session.get_one(Job, number), by=world.actor("alice")) is False
            tell(done, total)

        task.progress = cancel  # type: ignore[method-assign]
        job_table.WORK["import_customers"](task)

    work(import_customers=half_way)
    assert told == [10]
    assert (job(number).state, count()) == (JobState.CANCELLED, before)
    session.rollback()
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert last is not None
    assert (last.operation, last.actor_email) == ("cancel_job", "alice@contoso.example")


def test_cancel_before_the_end_is_written_undoes_it(world: World) -> None:
    before = count()
    number = start("import_customers", world.actor("alice"), content=customer_rows(2))

    def late(task: job_work.Task) -> None:
        finish = task.finish

        def cancelled(result: dict[str, object]) -> None:
            job_files.board().ask_to_cancel(number, world.people["alice"])
            finish(result)

        task.finish = cancelled  # type: ignore[method-assign, assignment]
        job_table.WORK["import_customers"](task)

    work(import_customers=late)
    assert (job(number).state, count()) == (JobState.CANCELLED, before)


# ---------------------------------------------------------------- workers


def test_a_server_that_stops_lets_the_work_begin_again(world: World) -> None:
    before, stop = count(), threading.Event()
    number = start("import_customers", world.actor("alice"), content=customer_rows(3))
    stopping = interrupted_at("storing", lambda _task: stop.set(), job_table.WORK["import_customers"])
    job_work.work_once(stop, {**job_table.WORK, "import_customers": stopping})
    assert (job(number).state, job(number).tries, count()) == (JobState.QUEUED, 0, before)
    work()
    assert (job(number).state, count()) == (JobState.DONE, before + 3)


def test_exactly_one_of_two_workers_does_a_job(world: World) -> None:
    """The second one comes while the first is in the middle of it, and leaves it alone."""
    number = start("import_customers", world.actor("alice"), content=customer_rows(3))
    second: list[int] = []

    def come(_task: job_work.Task) -> None:
        other = threading.Thread(target=lambda: second.append(work()))
        other.start()
        other.join(30)

    work(import_customers=interrupted_at("storing", come, job_table.WORK["import_customers"]))
    assert second == [0]
    assert job(number).state is JobState.DONE


def test_a_worker_that_lost_its_job_stores_nothing(world: World) -> None:
    """Whatever happened to the lock: work and end of the job are one transaction."""
    before = count()
    number = start("import_customers", world.actor("alice"), content=customer_rows(3))

    def somebody_else(_task: job_work.Task) -> None:
        with transaction():
            jobs.end(session.get_one(Job, number), JobState.FAILED, error="given up")

    work(import_customers=interrupted_at("storing", somebody_else, job_table.WORK["import_customers"]))
    assert (job(number).error, count()) == ("given up", before)


KILLED = """
import os, signal, sys, threading
from csp_web import db
from csp_web.config import load
from csp_web.domain.upkeep import installation
from csp_web.domain.long_work import job_table, job_work
settings = load()
db.configure(settings.database_url)
installation.configure(settings)
tell = job_work.Task.progress
def die(task, done, total=None):
    tell(task, done, total)
    if task._step == sys.argv[1] and done:
        os.kill(os.getpid(), signal.SIGKILL)
job_work.Task.progress = die
job_work.work_once(threading.Event(), job_table.WORK)
"""


def kill_at(step: str, settings: Settings) -> int:
    """Let another process do what waits and kill it in the middle of a step; returns how it ended."""
    environment = {
        **os.environ,
        "CSP_WEB_DATA_DIR": str(settings.data_dir),
        "CSP_WEB_DATABASE_URL": settings.database_url,
        "CSP_WEB_SECRET_KEY": settings.secret_key,
        "CSP_WEB_KEYS_KEY": settings.keys_key,
    }
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", KILLED, step], env=environment, cwd=root, timeout=60, check=False
    ).returncode


@pytest.mark.parametrize("step", IMPORTS)
def test_r10_kill_9_leaves_nothing_half_done_and_another_worker_does_it(
    world: World, settings: Settings, step: str
) -> None:
    before = count()
    number = start("import_customers", world.actor("alice"), content=customer_rows(20))
    session.remove()
    assert kill_at(step, settings) == -signal.SIGKILL
    assert (job(number).state, count()) == (JobState.RUNNING, before)
    work()
    assert (job(number).state, job(number).tries, count()) == (JobState.DONE, 2, before + 20)
    assert list(audit.broken_links()) == []
    assert files(settings) == []


def test_work_that_ends_every_worker_is_given_up(world: World) -> None:
    number = start("import_customers", world.actor("alice"), content=customer_rows(2))
    with transaction():
        row = session.get_one(Job, number)
        row.state, row.tries = JobState.RUNNING, job_work.MOST_TRIES
    work()
    assert job(number).state is JobState.FAILED
    assert "several times" in job(number).error


# ---------------------------------------------------------------- how far, and afterwards


def test_progress_is_seen_while_the_transaction_is_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_work, "POST_EVERY", 0.0)
    monkeypatch.setattr(customer_import, "ROWS_AT_ONCE", 10)
    number = start("import_customers", world.actor("alice"), content=customer_rows(24))
    seen: list[tuple[str, int, int]] = []

    def watch(task: job_work.Task) -> None:
        tell = task.progress

        def look(done: int, total: int | None = None) -> None:
            tell(done, total)
            standing = jobs.standing(Job(id=number, kind=task.kind, state=JobState.RUNNING))
            seen.append((standing.step, standing.done, standing.total))

        task.progress = look  # type: ignore[method-assign]
        job_table.WORK["import_customers"](task)

    work(import_customers=watch)
    assert [one for one in seen if one[0] == "storing"] == [
        ("storing", 0, 24), ("storing", 10, 24), ("storing", 20, 24), ("storing", 24, 24)
    ]  # fmt: skip


def test_old_files_and_rows_are_forgotten(world: World, settings: Settings) -> None:
    number = start("import_customers", world.actor("alice"), content=customer_rows(2), dry_run=True)
    work()
    assert len(files(settings)) == 1
    with transaction():
        session.get_one(Job, number).ended_at = now() - timedelta(days=2)
    for path in (settings.data_dir / "jobs" / "files").rglob("*"):
        os.utime(path, (0, 0))
    jobs.forget_old(now())
    assert job(number).input_key is None
    assert files(settings) == []
    with transaction():
        session.get_one(Job, number).ended_at = now() - jobs.ROWS_KEPT - timedelta(days=1)
    jobs.forget_old(now())
    assert count(Job) == 0
