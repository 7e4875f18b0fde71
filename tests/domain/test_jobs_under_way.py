"""Whose long work is under way: what the mark in the bar of every page asks, mostly without asking the database."""

from __future__ import annotations

from csp_web.db import session
from csp_web.domain.long_work import job_files, job_table, job_work, jobs
from tests.support.jobs import CUSTOMERS, interrupted_at, start, work
from tests.support.statements import counted_statements
from tests.world import World


def test_only_who_may_have_work_under_way_is_looked_up(world: World) -> None:
    with counted_statements() as none:
        assert list(jobs.under_way(world.people["bob"])) == []
    assert none == []
    number = start("import_customers", world.actor("alice"), content=(CUSTOMERS + "\n").encode())
    assert [row.id for row in jobs.under_way(world.people["alice"])] == [number]
    work()
    session.rollback()
    assert list(jobs.under_way(world.people["alice"])) == []
    with counted_statements() as after:
        jobs.under_way(world.people["alice"])
    assert after == []


def test_work_that_a_page_looked_for_too_early_is_seen_when_it_begins(world: World) -> None:
    number = start("export_software", world.actor("alice"))
    job_files.board().forget_person(world.people["alice"])  # by a page that was made before the start was stored
    seen: list[int] = []

    def look(task: job_work.Task) -> None:
        seen.extend(row.id for row in jobs.under_way(task.actor.id))

    work(export_software=interrupted_at("writing", look, job_table.WORK["export_software"]))
    assert seen == [number]
