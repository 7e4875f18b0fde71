"""The list of all software as a table: the columns that a page shows, each with all that it says. Never a key (S-4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from csp_web.domain.companies.countries import country_names
from csp_web.domain.delivery.software import Line
from csp_web.domain.sales.catalogue import TERM_NAMES
from csp_web.i18n import N_, language
from csp_web.i18n import gettext as _

Cell = Callable[[Line], Any]

# Heads and fields of what stands in a column of the page; of who has no such column they are left out.
_OF_COLUMN: dict[str, tuple[tuple[str, str], ...]] = {
    "product": ((N_("Product"), "product"), (N_("SKU"), "sku")),
    "customer": ((N_("Customer"), "company_name"), (N_("Customer ID"), "customer")),
    "country": ((N_("Country"), "country"),),
    "quantity": ((N_("Quantity"), "quantity"),),
    "term": ((N_("Term"), "term"), (N_("Ends (UTC)"), "ends_at")),
    "keys": ((N_("Keys"), "keys"),),
    "link": ((N_("Download link ends (UTC)"), "link_ends"), (N_("Downloads left"), "link_left")),
    "cancel": (
        (N_("Right to cancel until (UTC)"), "cancel_until"),
        (N_("Cancelled (UTC)"), "cancelled_at"),
        (N_("Cancellation requested in"), "requested_in"),
    ),
    "line": ((N_("Subscription ID"), "guid"),),
}
_KEYS = {
    "none": "",
    "not taken": N_("Not taken yet"),
    "waiting": N_("Waiting"),
    "ready": N_("Ready"),
    "shown": N_("Shown"),
    "revoked": N_("Revoked"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its name and the heads of its columns, in the language of the reader."""

    name: str
    heads: list[str]
    rows: Iterator[tuple[Any, ...]]


def table_of(lines: Iterable[Line], columns: tuple[str, ...]) -> Table:
    """The lines in these columns of the page; product and subscription ID are always there."""
    parts = [part for name in ("product", *columns, "line") for part in _OF_COLUMN[name]]
    cells = [_cell(field) for _head, field in parts]
    rows = (tuple([cell(line) for cell in cells]) for line in lines)
    return Table(_("Software"), [_(head) for head, _field in parts], rows)


def _cell(field: str) -> Cell:
    """How the value of a field is read: codes in words."""
    words = _words(field)
    read: Cell = attrgetter(field)
    if words is None:
        return read
    named = words.get
    return lambda line: named(read(line), read(line))


def _words(field: str) -> dict[str, str] | None:
    if field == "term":
        return {code: _(name) for code, name in TERM_NAMES.items()}
    if field == "keys":
        return {code: _(name) if name else "" for code, name in _KEYS.items()}
    return dict(country_names(language())) if field == "country" else None


__all__ = ["Table", "table_of"]
