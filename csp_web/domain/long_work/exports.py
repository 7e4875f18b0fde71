"""The list of all software as a file for spreadsheets: exactly what the page shows, narrowed in the same way, in the same
columns. Never a key (S-4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, BinaryIO, cast

from csp_web.db import now, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.delivery.software import Line, count_lines, every_line
from csp_web.domain.delivery.software_filters import View, arguments_of, view_kept
from csp_web.domain.long_work.csv_files import Pieces, pieces
from csp_web.domain.long_work.job_files import scratch, store
from csp_web.domain.long_work.job_work import Task
from csp_web.domain.long_work.software_sheet import Table, table_of
from csp_web.domain.long_work.xlsx_files import write_workbook
from csp_web.services.files import StoredFile

AT_ONCE = 2000  # rows that the request itself writes; more are work for later
LARGEST_FILE = 16 * 1024**3  # bytes
NAME = "software"
CSV, XLSX = "csv", "xlsx"
FORMATS = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def file_name(form: str = CSV) -> str:
    """What the file is called: what it is of, and the day."""
    return f"{NAME}-{now():%Y-%m-%d}.{form}"


def content_type(name: str) -> str:
    """What an exported file is, by its name."""
    return FORMATS.get(name.rpartition(".")[2], FORMATS[CSV])


def export_now(actor: Actor, view: View, form: str = CSV) -> bytes:
    """The whole file of a list of at most ``AT_ONCE`` lines, and a row of the log; opens its own transaction."""
    require(actor, "software.see")
    passed = Passed(every_line(actor, view))
    table = table_of(passed, view.columns)
    if form == XLSX:
        with scratch() as folder:
            path = folder / file_name(XLSX)
            with path.open("wb") as file:
                write_workbook(file, table.name, table.heads, table.rows, scratch=folder)
            content = path.read_bytes()
    else:
        content = b"".join(pieces(table.heads, table.rows))
    with transaction():
        _record(actor, view, form, passed.count)
    return content


def export_software(task: Task) -> None:
    """Write the list of software into a file of the job."""
    require(task.actor, "software.see")
    view, form = view_kept(task.arguments), str(task.arguments.get("format", CSV))
    task.step("writing", count_lines(task.actor, view))
    passed = Passed(task.counted(every_line(task.actor, view)))
    table = table_of(passed, view.columns)
    stored = _stored_workbook(task, table) if form == XLSX else _stored_csv(table)
    try:
        with transaction():
            _record(task.actor, view, form, passed.count)
            file = (stored.key, stored.size, stored.sha256)
            task.finish({"rows": passed.count}, file=file, file_name=file_name(form))
    except BaseException:
        session.rollback()
        store().delete(stored.key)
        raise


def _stored_csv(table: Table) -> StoredFile:
    return store().save(Pieces(pieces(table.heads, table.rows)), max_bytes=LARGEST_FILE)


def _stored_workbook(task: Task, table: Table) -> StoredFile:
    with scratch() as folder:
        path = folder / file_name(XLSX)
        with path.open("wb") as file:
            watched = cast("BinaryIO", Watched(file, task))
            packing = partial(task.step, "packing")
            write_workbook(watched, table.name, table.heads, table.rows, scratch=folder, packing=packing)
        with path.open("rb") as file:
            return store().save(file, max_bytes=LARGEST_FILE)


class Watched:
    """A file whose writer hears between two writes whether it is still wanted."""

    def __init__(self, file: BinaryIO, task: Task) -> None:
        self._file, self._task, self._over = file, task, False

    def write(self, block: bytes) -> int:
        """Raises Cancelled, Stopped: leave everything as it was. What tidies up behind that hears nothing more."""
        if self._over:
            return len(block)
        self._over = True
        self._task.progress(0)
        written = self._file.write(block)
        self._over = False
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Passed(Iterable[Line]):
    """Lines, counted as they pass."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = lines
        self.count = 0

    def __iter__(self) -> Iterator[Line]:
        for line in self._lines:
            self.count += 1
            yield line


def _record(actor: Actor, view: View, form: str, rows: int) -> None:
    asked = arguments_of(view)
    audit.record(
        "export_software", by=actor, resource=("software", ""), rows=rows, format=form.upper(), filters=asked or None
    )


__all__ = ["AT_ONCE", "CSV", "FORMATS", "XLSX", "content_type", "export_now", "export_software", "file_name"]
