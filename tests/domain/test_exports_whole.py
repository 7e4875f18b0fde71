"""Long lists as files: row for row what the pages show, by batches, cancelled without a trace (B7, B14)."""

from __future__ import annotations

import csv
import errno
import io
import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import insert

from csp_web.config import Settings
from csp_web.db import session, transaction
from csp_web.domain.delivery import software
from csp_web.domain.delivery.software import all_software
from csp_web.domain.delivery.software_filters import COLUMNS, Filters, View, arguments_of
from csp_web.domain.long_work import exports, job_files, job_work
from csp_web.i18n import use_place
from csp_web.models import Customer, JobState, Order, Subscription
from tests.support.jobs import interrupted_at, job, start, why, work
from tests.support.software_pages import keyed
from tests.support.statements import counted_statements
from tests.support.stock import bought
from tests.world import World

pytestmark = pytest.mark.usefixtures("world")
EVERYTHING = View(columns=tuple(COLUMNS))
LINES = 2_100


@pytest.fixture
def many(world: World) -> World:
    """Some thousand lines of one customer, written in bulk from one that was bought."""
    line = session.get_one(Subscription, bought(world).id)
    facts = {column.name: getattr(line, column.name) for column in Subscription.__table__.columns}
    del facts["id"], facts["uuid"]
    order = session.get_one(Order, line.order_id)
    with transaction():
        rows = [facts | {"order_id": order.id, "line_number": number} for number in range(1, LINES)]
        session.execute(insert(Subscription), [row | {"uuid": _guid(n)} for n, row in enumerate(rows)])
    return world


def _guid(number: int) -> Any:
    return uuid.UUID(int=2**70 + number)


def exported(world: World, form: str, view: View = EVERYTHING) -> bytes:
    """What the worker writes."""
    number = start("export_software", world.actor("alice"), **arguments_of(view), format=form)
    assert work() == 1
    row = job(number)
    assert row.state is JobState.DONE, row.error
    return job_files.store().path(str(row.file_key)).read_bytes()


def guids_of_csv(content: bytes) -> list[str]:
    return [row["Subscription ID"] for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))]


def guids_of_xlsx(content: bytes) -> list[Any]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    return [row[-1] for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]


def shown(world: World, view: View) -> list[str]:
    """The lines of all pages, one page after the other."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = all_software(world.actor("alice"), view, cursor=cursor)
        found += [line.guid for line in page.lines]
        if page.next is None:
            return found
        cursor = page.next


def test_b7_both_files_hold_every_row_of_the_pages_in_their_order(many: World) -> None:
    expected = shown(many, EVERYTHING)
    assert len(expected) == LINES
    assert guids_of_csv(exported(many, "csv")) == expected
    assert guids_of_xlsx(exported(many, "xlsx")) == expected


def test_statements_grow_by_batches_not_by_rows(many: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = many.actor("alice")

    def statements(at_once: int) -> int:
        monkeypatch.setattr(software, "ROWS_AT_ONCE", at_once)
        with counted_statements() as counted:
            assert sum(1 for _line in software.every_line(alice, EVERYTHING)) == LINES
        return len(counted)

    assert [statements(500), statements(1000), statements(5000)] == [5, 3, 1]


@pytest.mark.parametrize(("form", "step"), [("csv", "writing"), ("xlsx", "writing"), ("xlsx", "packing")])
def test_b14_a_cancelled_export_leaves_nothing(world: World, settings: Settings, form: str, step: str) -> None:
    bought(world)
    alice = world.actor("alice")
    number = start("export_software", alice, format=form)

    def cancel(task: job_work.Task) -> None:
        job_files.board().ask_to_cancel(task.id, alice.id)

    work(export_software=interrupted_at(step, cancel, exports.export_software))
    assert (job(number).state, job(number).file_key) == (JobState.CANCELLED, None)
    left = [path for path in (settings.data_dir / "jobs").rglob("*") if path.is_file()]
    assert [path.name for path in left if not path.name.startswith("person-")] == []
    assert list((settings.data_dir / "jobs" / "scratch").glob("*")) == []


@pytest.mark.parametrize("what", ["full", "cancelled"])
def test_b14_what_ends_the_packing_is_told_and_leaves_nothing(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    bought(world)
    alice = world.actor("alice")
    number = start("export_software", alice, format="xlsx")

    packed: list[int] = []

    def progress(task: job_work.Task, done: int, _total: int | None = None) -> None:
        packed.extend([done] if task._step == "packing" else [])
        if len(packed) < 3:
            return
        raise OSError(errno.ENOSPC, "No space left on device") if what == "full" else job_work.Cancelled(alice.id)

    monkeypatch.setattr(job_work.Task, "progress", progress)
    work()
    assert len(packed) == 3
    expected = (JobState.FAILED, "The disk of the server is full") if what == "full" else (JobState.CANCELLED, "")
    assert (job(number).state, why(number)[:30]) == expected
    assert list((settings.data_dir / "jobs" / "scratch").glob("*")) == []


def test_what_a_killed_worker_left_is_swept_after_a_day(world: World, settings: Settings) -> None:
    folder = settings.data_dir / "jobs" / "scratch" / "old"
    folder.mkdir(parents=True)
    (folder / "rows").write_text("x")
    job_files.sweep_scratch(timedelta(days=1))
    assert folder.exists()
    os.utime(folder, (1, 1))
    job_files.sweep_scratch(timedelta(days=1))
    assert not folder.exists()


def test_b7_the_columns_of_the_page_are_those_of_the_file(world: World) -> None:
    bought(world)
    view = View(Filters(text="windows"), ("country", "cancel"))
    (row,) = csv.DictReader(io.StringIO(exported(world, "csv", view).decode("utf-8-sig"), newline=""))
    assert list(row) == [
        "Product",
        "SKU",
        "Country",
        "Right to cancel until (UTC)",
        "Cancelled (UTC)",
        "Cancellation requested in",
        "Subscription ID",
    ]
    assert row["Country"] == "United States"


def test_a_workbook_speaks_the_language_of_its_reader_and_has_no_formula(world: World) -> None:
    line = session.get_one(Subscription, bought(world).id)
    until = line.cancel_until
    with transaction():
        session.get_one(Customer, world.customers["coho"]).company_name = "=1+1"
    with use_place("ru"):
        content = exports.export_now(world.actor("alice"), EVERYTHING, "xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    heads = [cell.value for cell in sheet[1]]
    assert (sheet.title, heads[0]) == ("Программное обеспечение", "Продукт")
    row = dict(zip(heads, sheet[2], strict=True))
    assert (row["Клиент"].value, row["Клиент"].data_type, row["Клиент"].quotePrefix) == ("=1+1", "s", True)
    assert row["Количество"].data_type == "n"
    moments = [cell.value for cell in sheet[2] if isinstance(cell.value, datetime)]
    assert until is not None
    assert until.astimezone(UTC).replace(tzinfo=None, microsecond=0) in [at.replace(microsecond=0) for at in moments]


def test_s4_no_key_in_any_file(world: World) -> None:
    _line, key = keyed(world)
    alice = world.actor("alice")
    text = exports.export_now(alice, EVERYTHING, "csv").decode()
    book = openpyxl.load_workbook(io.BytesIO(exports.export_now(alice, EVERYTHING, "xlsx")))
    text += "".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
    assert "Ready" in text
    assert not any(part in text for part in key.split("-"))
