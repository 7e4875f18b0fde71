"""Long work for tests: started as a person would, worked on here or by a process that may be killed."""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from csp_web.db import session, transaction
from csp_web.domain.long_work import job_table, job_work, jobs
from csp_web.domain.long_work.job_files import incoming
from csp_web.models import Job
from csp_web.said import again

if TYPE_CHECKING:
    from csp_web.domain.access.actors import Actor

CUSTOMERS = "Microsoft ID,Company name,Primary domain name,Relationship,Country"


def customer_rows(count: int) -> bytes:
    """A sheet with so many new customers."""
    rows = [f"{uuid.uuid4()},Importers {n},{uuid.uuid4().hex[:12]}.example,Reseller,US" for n in range(count)]
    return "\n".join([CUSTOMERS, *rows, ""]).encode()


def start(kind: str, by: Actor, *, content: bytes | None = None, subject: str = "sheet.csv", **arguments: Any) -> int:
    """Start work; returns its number."""
    if content is None:
        with transaction():
            return jobs.start(kind, by=by, subject=subject, arguments=arguments).id
    with incoming(io.BytesIO(content)) as (key, rows), transaction():
        return jobs.start(kind, by=by, subject=subject, arguments=arguments, input_key=key, rows=rows).id


def work(**other: job_work.Work) -> int:
    """Do what waits; ``other`` functions take the place of those of their kinds."""
    return job_work.work_once(threading.Event(), {**job_table.WORK, **other})


def job(number: int) -> Job:
    """A job as it is now."""
    session.rollback()
    return session.get_one(Job, number, populate_existing=True)


def why(number: int) -> str:
    """Why a job failed, in the language in force."""
    return again(job(number).error)


def errors_of(row: Job) -> list[str]:
    """The wrong rows of a job's sheet, each in a sentence."""
    result = row.result or {}
    assert result["error_count"] == len(result["errors"])
    return [again(each) for each in result["errors"]]


def interrupted_at(step: str, act: Callable[[job_work.Task], object], function: job_work.Work) -> job_work.Work:
    """The function of a kind, to which something happens as soon as it begins a step."""

    def work_on(task: job_work.Task) -> None:
        begin = task.step

        def stepping(name: str, total: int = 0) -> None:
            if name == step:
                act(task)
            begin(name, total)

        task.step = stepping  # type: ignore[method-assign]
        function(task)

    return work_on
