"""Sheets of product keys (D11). No sentence of this module repeats a key: at most its last five characters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from csp_web.domain import cells
from csp_web.domain.sheets import CellError, Column, Once, RowError, read_rows
from csp_web.i18n import gettext as _

_KEY = re.compile(r"[A-Z0-9]{25}")
_DASHES_AND_BLANKS = re.compile(r"[\s\-\u2010-\u2015\u2212]+")


def normalize_key(text: str) -> str:
    """The key as XXXXX-XXXXX-XXXXX-XXXXX-XXXXX, whatever its case, dashes and blanks; ValueError otherwise."""
    letters = _DASHES_AND_BLANKS.sub("", text).upper()
    if _KEY.fullmatch(letters):
        return "-".join(letters[place : place + 5] for place in range(0, 25, 5))
    if len(letters) < 25:  # a part of a key: what it ends in may be none of the five that people may see
        raise ValueError(_("A product key has five groups of five letters and digits."))
    raise ValueError(
        _("A product key has five groups of five letters and digits; this one ends in %(end)s.", end=letters[-5:])
    )


def _version(text: str) -> str:
    """A version; the sentence does not repeat the cell, where a key may have slipped in."""
    if not text or len(text) > 100 or _KEY.fullmatch(_DASHES_AND_BLANKS.sub("", text).upper()):
        raise ValueError(_("Write the version like Windows Server 2019."))
    return " ".join(text.split())


COLUMNS = (
    Column("ProductId", cells.product_id),
    Column("SkuId", cells.sku_id),
    Column("Version", _version),
    Column("ProductKey", normalize_key),
)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key for a version of a SKU. The key is in no repr: it must not reach a log or a traceback."""

    line: int
    product_id: str
    sku_id: str
    version: str
    key: str = field(repr=False)

    @property
    def last_five(self) -> str:
        """What people may see of a key on a list."""
        return self.key[-5:]


def read_key_sheet(stream: BinaryIO) -> Iterator[KeyRow | RowError]:
    """Read keys from a binary stream; wrong rows, and a key that comes twice for a SKU, as RowError between them."""
    once = Once()

    def build(line: int, product_id: str, sku_id: str, version: str, key: str) -> KeyRow:
        try:
            once.check(line, (product_id, sku_id, key))
        except ValueError as refusal:
            which = _("The key ends in %(end)s.", end=key[-5:])
            raise CellError("ProductKey", f"{refusal} {which}") from None
        return KeyRow(line, product_id, sku_id, version, key)

    return read_rows(stream, COLUMNS, build)
