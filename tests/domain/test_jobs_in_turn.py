"""Whose job comes next, and what the sweep of old jobs leaves alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from csp_web.db import now, session, transaction
from csp_web.domain.long_work import job_files, job_work, jobs
from csp_web.models import Job, JobState
from csp_web.services.files import DiskStore
from tests.support.jobs import start, work
from tests.world import World

pytestmark = pytest.mark.usefixtures("world")


def in_another_thread(act: Callable[[], object]) -> None:
    def run() -> None:
        try:
            act()
        finally:
            session.remove()

    other = threading.Thread(target=run)
    other.start()
    other.join(30)
    assert not other.is_alive()


def test_ten_jobs_of_one_person_keep_nobody_waiting_who_comes_later(world: World) -> None:
    """Two workers: one has the first of Alice's jobs; the other takes Bob's, who came last, before the rest of hers."""
    for _each in range(4):
        start("export_software", world.actor("alice"))
    done: list[int] = []

    def first(task: job_work.Task) -> None:
        start("export_software", world.actor("bob"))
        done.append(task.actor.id)
        in_another_thread(lambda: work(export_software=note))
        with transaction():
            task.finish({"rows": 0})

    def note(task: job_work.Task) -> None:
        done.append(task.actor.id)
        with transaction():
            task.finish({"rows": 0})

    work(export_software=first)
    alice, bob = world.people["alice"], world.people["bob"]
    assert done == [alice, bob, alice, alice, alice]


def test_who_comes_between_two_jobs_of_somebody_is_seen(world: World) -> None:
    """One worker: the list of what waits is not the one of when it began."""
    for _each in range(3):
        start("export_software", world.actor("alice"))
    with transaction():
        session.get_one(Job, 1).state = JobState.RUNNING  # another worker's
    done: list[int] = []

    def note(task: job_work.Task) -> None:
        done.append(task.actor.id)
        if len(done) == 1:
            start("export_software", world.actor("bob"))
        with transaction():
            task.finish({"rows": 0})

    with job_files.board().claim(1):
        work(export_software=note)
    alice, bob = world.people["alice"], world.people["bob"]
    assert done == [alice, bob, alice]


def test_work_of_a_killed_worker_comes_before_new_work_of_the_same_person(world: World) -> None:
    numbers = [start("export_software", world.actor("alice")) for _each in range(2)]
    with transaction():
        session.get_one(Job, numbers[0]).state = JobState.RUNNING
    done: list[int] = []

    def note(task: job_work.Task) -> None:
        done.append(task.id)
        with transaction():
            task.finish({"rows": 0})

    work(export_software=note)
    assert done == numbers


def test_the_sweep_takes_nothing_from_work_that_began_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite the sweep would see the jobs of when it began: the lock of a newer one would be deleted under its worker."""
    real, worker = DiskStore.keys_older_than, ExitStack()

    def slowly(store: DiskStore, age: timedelta) -> Iterator[str]:
        in_another_thread(lambda: started.append(start("export_software", world.actor("alice"))))
        assert worker.enter_context(job_files.board().claim(started[0]))
        return real(store, age)

    started: list[int] = []
    monkeypatch.setattr(DiskStore, "keys_older_than", slowly)
    with worker:
        jobs.forget_old(now())
        with job_files.board().claim(started[0]) as another:
            assert not another
