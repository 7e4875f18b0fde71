"""Sheets of installer files: which file a version has in a language and form (R22)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from csp_web.domain import cells
from csp_web.domain.sheets import Column, Once, RowError, read_rows
from csp_web.i18n import gettext as _

_LANGUAGE = re.compile(r"(?P<name>[^()]+?)\s*\((?P<code>[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\)")
_UNSAFE_IN_NAMES = re.compile(r'[/\\:*?"<>|]')


class Language(NamedTuple):
    """A language as the list shows it and as its IETF tag."""

    name: str
    code: str


def language(text: str) -> Language:
    """Read "English (en-US)"; ValueError with a sentence otherwise."""
    match = _LANGUAGE.fullmatch(text)
    if match is None:
        raise ValueError(_("“%(value)s” is not a language. Write it like English (en-US).", value=cells.quoted(text)))
    return Language(match["name"], match["code"])


def file_name(text: str) -> str:
    """A file's bare name; ValueError for a path, a hidden file or what some system cannot store."""
    if _UNSAFE_IN_NAMES.search(text) or text.startswith(".") or len(text.encode()) > 255:
        raise ValueError(_("“%(value)s” is not a plain file name.", value=cells.quoted(text)))
    return cells.text(text)


COLUMNS = (
    Column("ProductId", cells.product_id),
    Column("Version", cells.text),
    Column("Language", language),
    Column("FileType/OS", cells.text),
    Column("FileName", file_name),
    Column("SizeBytes", cells.whole_number),
)


@dataclass(frozen=True, slots=True)
class FileRow:
    """One download option of a product: version, language, file type/OS and its file, `size` in bytes."""

    line: int
    product_id: str
    version: str
    language: Language
    file_type: str
    file_name: str
    size: int


def read_file_sheet(stream: BinaryIO) -> Iterator[FileRow | RowError]:
    """Read files from a binary stream; wrong rows, and an option that comes twice, as RowError between them."""
    once = Once()

    def build(line: int, *values: object) -> FileRow:
        row = FileRow(line, *values)  # type: ignore[arg-type]  # the columns' readers give the types
        once.check(line, (row.product_id, row.version, row.language.code, row.file_type))
        return row

    return read_rows(stream, COLUMNS, build)
