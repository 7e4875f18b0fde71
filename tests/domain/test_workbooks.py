"""Lists as workbooks: real dates and numbers, texts that nothing runs, whole however long (B7), read by another library."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from csp_web.domain.long_work import xlsx_files
from csp_web.domain.long_work.xlsx_files import write_workbook

AT = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)


def made(tmp_path: Path, rows: list[tuple[Any, ...]], name: str = "Software") -> Any:
    """A workbook of three columns, read again."""
    file = io.BytesIO()
    write_workbook(file, name, ["Text", "Number", "Date"], rows, scratch=tmp_path)
    file.seek(0)
    return openpyxl.load_workbook(file)


def test_b7_dates_are_dates_and_numbers_are_numbers(tmp_path: Path) -> None:
    in_moscow = AT.astimezone(timezone(timedelta(hours=3)))
    sheet = made(tmp_path, [("Датум", 7, in_moscow), ("", None, None)]).active
    assert [cell.value for cell in sheet[1]] == ["Text", "Number", "Date"]
    assert [cell.value for cell in sheet[2]] == ["Датум", 7, AT.replace(tzinfo=None)]
    assert (sheet["B2"].data_type, sheet["C2"].is_date) == ("n", True)
    assert sheet["C2"].number_format == "yyyy-mm-dd hh:mm"


def test_the_head_stays_in_sight_and_every_column_can_be_filtered(tmp_path: Path) -> None:
    sheet = made(tmp_path, [("a", 1, AT), ("b", 2, AT)]).active
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:C3")
    assert sheet["A1"].font.bold


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", '=HYPERLINK("http://x")'])
def test_s4_a_text_is_never_a_formula_not_even_when_it_is_edited(tmp_path: Path, text: str) -> None:
    sheet = made(tmp_path, [(text, 1, AT), ("A-1", 1, AT)]).active
    assert (sheet["A2"].value, sheet["A2"].data_type) == (text, "s")
    assert sheet["A2"].quotePrefix
    assert not sheet["A3"].quotePrefix


def test_an_address_is_text_and_no_link(tmp_path: Path) -> None:
    sheet = made(tmp_path, [("https://example.com/x", 1, AT), ("mailto:x@example.com", 1, AT)]).active
    assert [sheet["A2"].hyperlink, sheet["A3"].hyperlink] == [None, None]


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_files, "ROWS_OF_SHEET", 4)
    book = made(tmp_path, [(f"row {number}", number, AT) for number in range(7)], "Программное обеспечение")
    assert book.sheetnames == ["Программное обеспечение", "Программное обеспечение 2", "Программное обеспечение 3"]
    assert [[row[1] for row in sheet.iter_rows(values_only=True)] for sheet in book] == [
        ["Number", 0, 1, 2],
        ["Number", 3, 4, 5],
        ["Number", 6],
    ]
    assert [sheet.auto_filter.ref for sheet in book] == ["A1:C4", "A1:C4", "A1:C2"]
    assert all(sheet.freeze_panes == "A2" for sheet in book)


def test_without_rows_there_are_the_heads(tmp_path: Path) -> None:
    sheet = made(tmp_path, []).active
    assert [[cell.value for cell in row] for row in sheet] == [["Text", "Number", "Date"]]


def test_what_was_needed_meanwhile_is_in_the_folder_that_was_given(tmp_path: Path) -> None:
    file = io.BytesIO()
    seen: list[Path] = []
    rows = [("a", 1, AT)] * 10
    write_workbook(file, "x", ["a", "b", "c"], rows, scratch=tmp_path, packing=lambda: seen.extend(tmp_path.iterdir()))
    assert len(seen) == 1
    assert list(tmp_path.iterdir()) == []
    assert zipfile.ZipFile(file).testzip() is None


def test_characters_that_no_workbook_holds_do_not_break_it(tmp_path: Path) -> None:
    sheet = made(tmp_path, [("a\x07b & <c> \U0001f600", 1, AT), ("x" * 40_000, 1, AT)]).active
    assert "& <c> \U0001f600" in sheet["A2"].value
    assert len(sheet["A3"].value) == xlsx_files.LONGEST_CELL
