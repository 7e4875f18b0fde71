"""Sheets of market exclusions: where a product type is not sold, from which day to which (R11-R13, D8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from csp_web.domain import cells
from csp_web.domain.sales.product_titles import ProductType
from csp_web.domain.sheets import CellError, Column, Once, RowError, read_rows
from csp_web.i18n import gettext as _

COLUMNS = (
    Column("Set", cells.text),
    Column("ProductType", cells.one_of(*(kind.value for kind in ProductType))),
    Column("Country", cells.country),
    Column("ValidFrom", cells.day),
    Column("ValidTo", cells.optional(cells.day)),
    Column("Note", cells.optional_text, required=False),
)


@dataclass(frozen=True, slots=True)
class MarketRow:
    """A product type is not sold in a country from `valid_from` until the day before `valid_to` (None: no end)."""

    line: int
    set_name: str
    product_type: str
    country: str
    valid_from: date
    valid_to: date | None
    note: str


def read_market_sheet(stream: BinaryIO) -> Iterator[MarketRow | RowError]:
    """Read market exclusions from a binary stream; wrong rows come as RowError between the good ones."""
    once = Once()

    def build(line: int, *values: object) -> MarketRow:
        row = MarketRow(line, *values)  # type: ignore[arg-type]  # the columns' readers give the types
        if row.valid_to is not None and row.valid_to <= row.valid_from:
            raise CellError("ValidTo", _("The end is not after the start."))
        once.check(line, (row.set_name, row.product_type, row.country, row.valid_from))
        return row

    return read_rows(stream, COLUMNS, build)
