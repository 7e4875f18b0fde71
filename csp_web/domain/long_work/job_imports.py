"""Sheets that take long: read and checked while nobody waits, then stored in one transaction with the end of the job."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from csp_web import db
from csp_web.db import session, transaction
from csp_web.domain.companies.customer_import import check_customers, store_customers
from csp_web.domain.companies.customer_sheet import read_customer_sheet
from csp_web.domain.long_work.job_work import RowsRefused, Task
from csp_web.domain.sales.price_import import ImportReport, check_sheet, put_into_catalogue, read_sheet
from csp_web.domain.stock.key_import import KeyImport, import_keys
from csp_web.domain.stock.key_sheet import read_key_sheet

AT_ONCE = 512 * 1024  # bytes of a sheet (some 2,000 rows) that the request itself takes; larger ones are work for later


def import_key_sheet(task: Task) -> None:
    """Take keys into stock, or with ``dry_run`` only say what would happen."""
    task.step("reading", task.rows)
    with task.open_input() as sheet:
        rows = list(task.counted(read_key_sheet(sheet)))  # type: ignore[arg-type]  # it only reads
    task.step("checking")
    report = import_keys(rows, by=task.actor, dry_run=True)
    session.rollback()
    _refuse(report.errors, len(report.errors))
    if task.arguments.get("dry_run"):
        with transaction():
            task.finish(_of_keys(report))
        return
    task.step("storing", report.added)
    with transaction():
        report = import_keys(rows, by=task.actor, progress=task.progress)
        _refuse(report.errors, len(report.errors))
        task.finish(_of_keys(report))
    db.refresh_statistics()


def _of_keys(report: KeyImport) -> dict[str, Any]:
    return {"rows": report.rows, "added": report.added, "filled": report.filled, "pools": report.pools}


def import_prices(task: Task) -> None:
    """Put a price sheet into the catalogue, or with ``dry_run`` only say what would happen."""
    task.step("reading", task.rows)
    with task.open_input() as stream:
        sheet = read_sheet(stream, task.subject, task.progress)  # type: ignore[arg-type]  # it only reads
    _refuse(sheet.errors, sheet.error_count)
    task.step("checking")
    report = check_sheet(sheet)
    session.rollback()
    if task.arguments.get("dry_run"):
        with transaction():
            task.finish(_of_prices(report))
        return
    task.step("storing", report.added + report.ended + report.corrected)
    with transaction():
        task.finish(_of_prices(put_into_catalogue(sheet, by=task.actor, progress=task.progress)))
    db.refresh_statistics()


def _of_prices(report: ImportReport) -> dict[str, Any]:
    return {name: value for name, value in asdict(report).items() if isinstance(value, int) and name != "error_count"}


def import_customer_sheet(task: Task) -> None:
    """Add customers of a sheet, or with ``dry_run`` only say what would happen."""
    task.step("reading", task.rows)
    with task.open_input() as stream:
        rows = read_customer_sheet(stream)  # type: ignore[arg-type]  # it only reads
        report = check_customers(rows, by=task.actor, country=task.arguments.get("country", ""), progress=task.progress)
    session.rollback()
    _refuse(report.errors, len(report.errors))
    result = {"rows": report.rows, "added": report.added, "unchanged": report.unchanged}
    task.step("storing", report.added)
    with transaction():
        if not task.arguments.get("dry_run"):
            store_customers(report, by=task.actor, progress=task.progress)
        task.finish(result)
    if not task.arguments.get("dry_run"):
        db.refresh_statistics()


def _refuse(errors: Any, count: int) -> None:
    """Raises RowsRefused: the transaction in hand is undone."""
    if count:
        raise RowsRefused(errors, count)
