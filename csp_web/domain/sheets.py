"""Tables from files: one reader for the CSV exports of many programs, whatever their encoding and delimiter.

It streams: memory does not grow with the file. A wrong cell is an error of its row, with the line number and
the column; what makes the whole file unreadable is one last error. Nothing is guessed or skipped silently.
"""

import codecs
import csv
import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, TypeVar

from csp_web.i18n import N_
from csp_web.i18n import gettext as _

Row = TypeVar("Row")

_BLOCK = 64 * 1024
_LONGEST_LINE = 1024 * 1024  # characters; a longer one is no table but would be held in memory
_DELIMITERS = ",;\t"
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NEVER_CLOSED = ("unexpected end of data", "field larger than field limit")
_SAVE_AS_CSV = N_("This is not a CSV file but %(what)s. Open it and save it as “CSV UTF-8”.")
_FOREIGN_FILES = (
    (b"PK\x05\x06", N_("a ZIP archive")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", N_("an Excel workbook (.xls)")),
    (b"\x1f\x8b", N_("a compressed file (.gz)")),
    (b"%PDF", N_("a PDF document")),
    (b"<", N_("a web page or an XML file")),
)


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with a row: its line in the file (from 1; 0 is the file as a whole), the column, a sentence."""

    line: int
    sentence: str
    column: str = ""

    def __str__(self) -> str:
        if not self.line:
            return self.sentence
        if not self.column:
            return _("Line %(line)s: %(sentence)s", line=self.line, sentence=self.sentence)
        return _("Line %(line)s, %(column)s: %(sentence)s", line=self.line, column=self.column, sentence=self.sentence)


class SheetError(ValueError):
    """The file cannot be read on from `line`."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


class CellError(ValueError):
    """A cell does not fit the rest of its row; raised while a row is built."""

    def __init__(self, column: str, sentence: str) -> None:
        super().__init__(sentence)
        self.column = column


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet. `read` turns the stripped text of a cell into its value or raises ValueError with a sentence.

    A column that is not `required` may be missing from the file: then its cells read as empty text.
    In files with semicolons a `number` may have a decimal comma.
    """

    name: str
    read: Callable[[str], object]
    required: bool = True
    number: bool = False


class Once:
    """Refuses the second row with the same key, naming the line of the first. Keeps hashes, not the keys."""

    def __init__(self) -> None:
        self._lines: dict[int, int] = {}

    def check(self, line: int, key: Hashable) -> None:
        """Raise ValueError when a row with this key was seen on another line."""
        first = self._lines.setdefault(hash(key), line)
        if first != line:
            raise ValueError(_("This row repeats line %(line)s.", line=first))


def read_rows(stream: BinaryIO, columns: Sequence[Column], build: Callable[..., Row]) -> Iterator[Row | RowError]:
    """Read a table row by row: `build(line, *cells)` for every row, cells in the order of `columns`.

    Yields what `build` returns, or a RowError per wrong cell; blank rows are passed over. `build` may
    raise ValueError or CellError for what is wrong with the row as a whole.
    """
    empty = True
    try:
        for item in _read(stream, columns, build):
            empty = False
            yield item
    except SheetError as broken:
        yield RowError(broken.line, str(broken))
    else:
        if empty:
            yield RowError(0, _("The file has a header and no rows."))


def _read(stream: BinaryIO, columns: Sequence[Column], build: Callable[..., Row]) -> Iterator[Row | RowError]:
    lines = _lines(stream)
    header_line, delimiter, header = _header(lines, columns)
    places = _places(header, columns, header_line)
    reads = [_number_reader(column.read) if column.number and delimiter == ";" else column.read for column in columns]
    for line, row in _records(lines, delimiter, header_line):
        if isinstance(row, str):
            yield RowError(line, row)
        elif any(row[len(header) :]) or len(row) < len(header):
            yield RowError(line, _wrong_width(len(row), len(header)))
        else:
            row[len(header) :] = [""]  # what a missing column reads
            yield from _built(line, [row[place].strip() for place in places], reads, columns, build)


def _wrong_width(found: int, expected: int) -> str:
    return _("This row has %(found)s fields, the header has %(expected)s.", found=found, expected=expected)


def _built(
    line: int,
    texts: list[str],
    reads: list[Callable[[str], object]],
    columns: Sequence[Column],
    build: Callable[..., Row],
) -> Iterator[Row | RowError]:
    try:
        yield build(line, *[read(text) for read, text in zip(reads, texts, strict=True)])
    except ValueError as refusal:
        errors = list(_cell_errors(line, texts, reads, columns))
        yield from errors or [RowError(line, str(refusal), getattr(refusal, "column", ""))]


def _cell_errors(
    line: int, texts: list[str], reads: list[Callable[[str], object]], columns: Sequence[Column]
) -> Iterator[RowError]:
    """Every wrong cell of a row that was refused."""
    for column, read, text in zip(columns, reads, texts, strict=True):
        try:
            read(text)
        except ValueError as refusal:
            yield RowError(line, str(refusal), column.name)


def _number_reader(read: Callable[[str], object]) -> Callable[[str], object]:
    """Read a number that was written with a decimal comma; a number with both signs is left to be refused."""

    def with_point(text: str) -> object:
        return read(text if "." in text else text.replace(",", ".", 1))

    return with_point


# ---------------------------------------------------------------- header and records


def _header(lines: Iterator[str], columns: Sequence[Column]) -> tuple[int, str, list[str]]:
    """Line number, delimiter and names of the header: the first line with text ("sep=;" is passed over)."""
    for number, text in enumerate(lines, start=1):
        if text.strip() and not re.fullmatch(r'"?sep=.?"?\s*', text):
            delimiter, names = max(
                ((mark, _names(text, mark)) for mark in _DELIMITERS), key=lambda pair: _known(pair[1], columns)
            )
            return number, delimiter, names
    raise SheetError(0, _("The file is empty."))


def _names(text: str, delimiter: str) -> list[str]:
    try:
        return [_bare(name) for name in next(csv.reader([text], delimiter=delimiter))]
    except csv.Error:
        return []


def _bare(name: str) -> str:
    """A column's name without case, blanks and signs: "ERP Price", "erp_price" and "ErpPrice" are one."""
    return re.sub(r"[\W_]", "", name).casefold()


def _known(names: list[str], columns: Sequence[Column]) -> int:
    return len({_bare(column.name) for column in columns} & set(names))


def _places(header: list[str], columns: Sequence[Column], line: int) -> list[int]:
    """Where each column stands in a row; -1 for one that may be missing and is."""
    missing = [column.name for column in columns if column.required and _bare(column.name) not in header]
    if missing:
        raise SheetError(line, _("These columns are missing: %(names)s.", names=", ".join(missing)))
    twice = [column.name for column in columns if header.count(_bare(column.name)) > 1]
    if twice:
        raise SheetError(line, _("These columns appear twice: %(names)s.", names=", ".join(twice)))
    return [header.index(_bare(column.name)) if _bare(column.name) in header else -1 for column in columns]


def _records(lines: Iterator[str], delimiter: str, offset: int) -> Iterator[tuple[int, list[str] | str]]:
    """(line on which the record starts, its fields, or a sentence when it is no record)."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = offset + reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, _malformed(line, str(error))
        else:
            if any(row):
                yield line, row


def _malformed(line: int, error: str) -> str:
    if error.startswith(_NEVER_CLOSED):
        raise SheetError(line, _("A quotation mark that opens on this line is never closed."))
    return _("This row cannot be read: a quotation mark or a line break is in the wrong place.")


# ---------------------------------------------------------------- bytes to lines


def _lines(stream: BinaryIO) -> Iterator[str]:
    """The lines of the file as text, each with its line end."""
    head = stream.read(_BLOCK)
    _refuse_foreign(head)
    decoder = codecs.getincrementaldecoder(_encoding(head))()
    newline, line, rest = "", 1, ""
    for block in chain([head], iter(lambda: stream.read(_BLOCK), b""), [b""]):
        text = rest + _decoded(decoder, block, line, newline or "\n")
        newline = newline or ("\r" if "\r" in text and "\n" not in text else "\n")
        _refuse_controls(text, line, newline)
        *whole, rest = text.split(newline)
        if len(rest) > _LONGEST_LINE:
            raise SheetError(line + len(whole), _("This line is too long for a table."))
        line += len(whole)
        yield from (text + "\n" for text in whole)
    if rest:
        yield rest


def _refuse_foreign(head: bytes) -> None:
    if head.startswith(b"PK\x03\x04"):
        workbook = b"[Content_Types].xml" in head or b"xl/" in head
        what = N_("an Excel workbook (.xlsx)") if workbook else N_("a ZIP archive")
        raise SheetError(0, _(_SAVE_AS_CSV, what=_(what)))
    for magic, what in _FOREIGN_FILES:
        if head.removeprefix(codecs.BOM_UTF8).startswith(magic):
            raise SheetError(0, _(_SAVE_AS_CSV, what=_(what)))


def _encoding(head: bytes) -> str:
    """UTF-16 with its mark or, as some programs write it, without; else UTF-8, whose mark is dropped."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) > 3 and not any(head[1:64:2]):
        return "utf-16-le"
    if len(head) > 3 and not any(head[:64:2]):
        return "utf-16-be"
    return "utf-8-sig"


def _decoded(decoder: codecs.IncrementalDecoder, block: bytes, line: int, newline: str) -> str:
    try:
        return decoder.decode(block, final=not block)
    except UnicodeDecodeError as error:
        good = error.object[: error.start].decode(error.encoding, "replace")
        raise SheetError(
            line + good.count(newline), _("This line is not UTF-8 text. Save the file as “CSV UTF-8”.")
        ) from None


def _refuse_controls(text: str, line: int, newline: str) -> None:
    found = _CONTROLS.search(text)
    if found:
        raise SheetError(
            line + text.count(newline, 0, found.start()),
            _("There is a control character (U+%(code)s) on this line: the file is damaged, or it is not a CSV file.",
              code=f"{ord(found[0]):04X}"),
        )  # fmt: skip
