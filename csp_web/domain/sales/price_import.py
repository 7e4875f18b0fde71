"""Price sheets into the catalogue: all of a sheet or nothing of it.

How prices of one series (SKU, market, currency, term, billing plan, segment, tier) follow each other:

- A price is known by its series and its first instant. Importing it again changes nothing; with another amount or end
  it is corrected in place. Orders keep what they were placed at.
- Every price ends where the next one of its series begins, whatever end its own row names. So a newer sheet ends the
  older prices on its start date, and an older sheet that comes late fills in the past without touching the present:
  the outcome is the same in whichever order sheets arrive.
- A price that a newer sheet does not name stays until its own end: sheets may cover one market or one product only.
  The report counts them, so that a withdrawn product is noticed.
- Titles are those of the sheet that was imported last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import BinaryIO

from csp_web.db import in_transaction, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.sales.price_plan import Plan, plan_of
from csp_web.domain.sales.price_sheet import PriceRow, read_price_sheet
from csp_web.domain.sales.price_store import lock_catalogue, store
from csp_web.domain.sheets import RowError
from csp_web.identifiers import clean_text
from csp_web.models import PriceSheetImport

STEP = 1000  # rows between two reports of progress
MOST_ERRORS = 1000  # a sheet with more is another kind of file; the rest is only counted

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """A sheet that was read: its prices, or what is wrong with it."""

    file_name: str
    sha256: str
    rows: list[PriceRow]
    errors: list[RowError]
    error_count: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import changed, or with ``dry_run`` would change; with errors nothing was."""

    file_name: str
    dry_run: bool
    rows: int = 0
    added: int = 0  # new prices
    ended: int = 0  # older prices that a newer one ends
    corrected: int = 0  # prices of which the amount, end or tier changed
    unchanged: int = 0
    new_products: int = 0
    new_skus: int = 0
    retitled: int = 0  # products and SKUs whose texts changed
    not_named: int = 0  # prices in force in the sheet's markets that the sheet does not name: they stay
    errors: list[RowError] = field(default_factory=list)
    error_count: int = 0

    @property
    def ok(self) -> bool:
        """Whether the sheet was free of errors."""
        return self.error_count == 0

    @property
    def changes(self) -> int:
        """How many things are different afterwards."""
        return self.added + self.ended + self.corrected + self.new_products + self.new_skus + self.retitled


def import_price_sheet(
    stream: BinaryIO,
    file_name: str,
    *,
    by: Actor | None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Read a price sheet and put it into the catalogue; ``by`` is None for the command line.

    Call it outside a transaction: the sheet is read first, so that nobody waits for that, and then stored in one.
    Inside a transaction it takes part in that one. ``progress`` is told how many rows were read.

    Raises:
        Forbidden: the actor is not an operator admin.
    """
    if by is not None:
        require(by, "operator.manage")
    sheet = read_sheet(stream, file_name, progress)
    if sheet.error_count or dry_run:
        return check_sheet(sheet, dry_run=dry_run)
    with _one_transaction():
        return put_into_catalogue(sheet, by=by)


def check_sheet(sheet: PriceSheet, *, dry_run: bool = True) -> ImportReport:
    """What a sheet that was read would change, or what is wrong with it."""
    return _report(sheet, plan_of([] if sheet.error_count else sheet.rows), dry_run=dry_run)


def put_into_catalogue(sheet: PriceSheet, *, by: Actor | None, progress: Progress | None = None) -> ImportReport:
    """Store a sheet that was read and has no errors, inside the caller's transaction.

    ``progress`` is told how many rows were written; what it raises undoes the import.

    Raises:
        Forbidden: the actor is not an operator admin.
    """
    if by is not None:
        require(by, "operator.manage")
    lock_catalogue()
    plan = plan_of(sheet.rows)
    store(plan, progress)
    report = _report(sheet, plan, dry_run=False)
    _remember(sheet, report, by)
    return report


def read_sheet(stream: BinaryIO, file_name: str, progress: Progress | None = None) -> PriceSheet:
    """Read a whole sheet; wrong rows are collected with their line numbers."""
    hashed = _Hashed(stream)
    rows: list[PriceRow] = []
    errors: list[RowError] = []
    count = 0
    for number, row in enumerate(read_price_sheet(hashed), start=1):  # type: ignore[arg-type]  # it only reads
        if isinstance(row, PriceRow):
            rows.append(row)
        else:
            count += 1
            if count <= MOST_ERRORS:
                errors.append(row)
        if progress is not None and number % STEP == 0:
            progress(number)
    if progress is not None:
        progress(len(rows) + count)
    return PriceSheet(clean_text(file_name)[:255], hashed.digest(), rows, errors, count)


class _Hashed:
    """A stream whose SHA-256 is known when it was read to its end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._hash.update(block)
        return block

    def digest(self) -> str:
        for block in self._rest():
            self._hash.update(block)
        return self._hash.hexdigest()

    def _rest(self) -> Iterator[bytes]:
        return iter(lambda: self._stream.read(64 * 1024), b"")


def _one_transaction() -> AbstractContextManager[None]:
    return nullcontext() if in_transaction() else transaction()


def _report(sheet: PriceSheet, plan: Plan, *, dry_run: bool) -> ImportReport:
    return ImportReport(
        file_name=sheet.file_name,
        dry_run=dry_run,
        rows=len(sheet.rows),
        added=len(plan.new_prices),
        ended=plan.ended,
        corrected=plan.corrected,
        unchanged=plan.unchanged,
        new_products=len(plan.new_products),
        new_skus=len(plan.new_skus),
        retitled=len(plan.product_texts) + len(plan.sku_texts),
        not_named=plan.not_named,
        errors=sheet.errors,
        error_count=sheet.error_count,
    )


def _remember(sheet: PriceSheet, report: ImportReport, by: Actor | None) -> None:
    session.add(
        PriceSheetImport(
            file_name=sheet.file_name,
            sha256=sheet.sha256,
            rows=report.rows,
            added=report.added,
            ended=report.ended,
            unchanged=report.unchanged,
            imported_by_id=by.id if by else None,
        )
    )
    session.flush()
    audit.record(
        "import_price_sheet",
        by=by,
        resource=("price_sheet", sheet.sha256),
        file_name=sheet.file_name,
        rows=report.rows,
        added=report.added,
        ended=report.ended,
        corrected=report.corrected,
    )
