"""Tables as workbooks: real dates and numbers, texts that are never formulas, as many sheets as the rows need.

Rows go to the disk as they come, so that memory does not grow with them. A sheet is written there twice before it is
packed: a million lines of twelve columns need some gigabytes for the moment.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from csp_web.domain.long_work.csv_files import is_formula

ROWS_OF_SHEET = 1_048_576  # with the head: what the format holds
LONGEST_CELL = 32_767  # characters
WIDTHS = {datetime: 17, int: 10}
WIDEST = 40
_DATE = "yyyy-mm-dd hh:mm"


class _Sheets:
    """The sheets of a workbook, one begun when the one before it is full."""

    def __init__(self, book: Workbook, name: str, heads: Sequence[str]) -> None:
        self._book, self._name, self._heads = book, name, heads
        self._bold = book.add_format({"bold": True})
        self._date = book.add_format({"num_format": _DATE, "align": "left"})
        self._quoted = book.add_format({"quote_prefix": True})
        self._count, self._row = 0, ROWS_OF_SHEET
        self._sheet: Worksheet | None = None

    def write(self, cells: Sequence[Any]) -> None:
        """One row."""
        if self._row == ROWS_OF_SHEET:
            self._begin(cells)
        row, sheet = self._row, self._sheet
        assert sheet is not None  # noqa: S101 -- begun above
        for column, value in enumerate(cells):
            if value is None or value == "":
                continue
            if isinstance(value, str):
                sheet.write_string(row, column, value[:LONGEST_CELL], self._quoted if is_formula(value) else None)
            elif isinstance(value, datetime):
                sheet.write_datetime(row, column, value.astimezone(UTC).replace(tzinfo=None), self._date)
            else:
                sheet.write_number(row, column, value)
        self._row += 1

    def _begin(self, first: Sequence[Any]) -> None:
        self.end()
        self._count += 1
        name = self._name if self._count == 1 else f"{self._name} {self._count}"
        self._sheet = self._book.add_worksheet(name[:31])
        self._sheet.freeze_panes(1, 0)
        for column, head in enumerate(self._heads):
            value = first[column] if first else None
            wide = WIDTHS.get(type(value)) or min(len(str(value or "")) + 2, WIDEST)
            self._sheet.set_column(column, column, max(wide, len(head) + 4))
            self._sheet.write_string(0, column, head, self._bold)
        self._row = 1

    def end(self) -> None:
        """A sheet is full, or all of them are there: its rows can be filtered."""
        if self._sheet is not None:
            self._sheet.autofilter(0, 0, max(1, self._row - 1), len(self._heads) - 1)

    def close(self) -> None:
        """What has no rows has its heads at least."""
        if self._sheet is None:
            self._begin(())
        self.end()


def write_workbook(
    target: BinaryIO,
    name: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    scratch: Path,
    packing: Callable[[], None] = lambda: None,
) -> None:
    """Write a table into a file as a workbook; ``scratch`` is a folder for what is needed meanwhile.

    ``packing`` is called when all rows are written and the sheets are about to be packed. A text cell that begins like
    a formula carries the mark with which spreadsheets themselves keep it a text, also when it is edited. Raises OSError.
    """
    options = {"constant_memory": True, "tmpdir": str(scratch), "use_zip64": True}
    book = Workbook(target, {**options, "strings_to_formulas": False, "strings_to_urls": False})
    sheets = _Sheets(book, name, heads)
    try:
        for row in rows:
            sheets.write(row)
        sheets.close()
        packing()
        book.close()
    except FileCreateError as error:  # as the library calls a full disk
        traceback.clear_frames(error.args[0].__traceback__)
        raise error.args[0] from None
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # the unfinished archive ends now, not after its file is closed
        raise
    finally:
        for sheet in book.worksheets():
            sheet._opt_close()  # nobody wants it any more: the library itself closes these only at its end


__all__ = ["ROWS_OF_SHEET", "write_workbook"]
