"""What the list of all software is narrowed to and which columns it has: as an address, and as long work keeps it (B7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from csp_web.domain.companies.countries import is_country
from csp_web.domain.stock.vault import masked
from csp_web.i18n import N_
from csp_web.identifiers import Kind, looks_like
from csp_web.models import ProductFamily

LONGEST_TEXT = 200
LONGEST_PRODUCT = 20
DEADLINES = (3, 7, 14, 30)  # days
LINK_ENDS = (1, 3, 7, 14)  # days
FAMILIES = (ProductFamily.WINDOWS_SERVER, ProductFamily.SQL_SERVER)

# The columns beside the product, in the order of the page.
COLUMNS = {
    "customer": N_("Customer"),
    "country": N_("Country"),
    "quantity": N_("Quantity"),
    "term": N_("Term"),
    "keys": N_("Keys"),
    "link": N_("Download link"),
    "cancel": N_("Can be cancelled"),
}
USUAL = ("customer", "quantity", "term", "keys", "cancel")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list of all software is narrowed to; empty, false or 0: not by this."""

    text: str = ""
    family: ProductFamily | None = None
    product: str = ""  # its product ID
    country: str = ""  # of the customer
    waiting: bool = False
    deadline_days: int = 0
    link_days: int = 0

    @property
    def any(self) -> bool:
        """Whether anything is narrowed."""
        return self != Filters()


@dataclass(frozen=True, slots=True)
class View:
    """How somebody looks at the list: narrowed to what, in which columns. An address of the list says all of it."""

    filters: Filters = Filters()
    columns: tuple[str, ...] = USUAL

    @property
    def query(self) -> str:
        """The query string of its address, the same for the same view: what is not narrowed is not in it."""
        chosen: list[tuple[str, str]] = [(name, text) for name, text in _said(self.filters) if text]
        if self.columns != usual_columns(self.filters):
            chosen += [("columns", name) for name in self.columns]
        return urlencode(chosen)


def _said(filters: Filters) -> Iterable[tuple[str, str]]:
    yield "q", filters.text
    yield "family", filters.family.value if filters.family else ""
    yield "product", filters.product
    yield "country", filters.country
    yield "deadline", str(filters.deadline_days or "")
    yield "link", str(filters.link_days or "")
    yield "waiting", "1" if filters.waiting else ""


def view_of(asked: Mapping[str, str], columns: Iterable[str]) -> View:
    """The view that an address asks for; what makes no sense in it narrows nothing."""
    family = asked.get("family", "")
    filters = Filters(
        text=_text(asked.get("q", "")),
        family=ProductFamily(family) if family in FAMILIES else None,
        product=_product(asked.get("product", "")),
        country=asked.get("country", "") if is_country(asked.get("country", "")) else "",
        waiting=asked.get("waiting") == "1",
        deadline_days=_days(asked.get("deadline", ""), DEADLINES),
        link_days=_days(asked.get("link", ""), LINK_ENDS),
    )
    return View(filters, _chosen(columns, filters))


def view_of_query(query: str) -> View:
    """The view that a query string asks for."""
    pairs = parse_qsl(query)
    return view_of(dict(pairs), [value for name, value in pairs if name == "columns"])


def _text(typed: str) -> str:
    """Product keys are nobody's search words (B4): views, exports and the log would keep them."""
    text = typed[:LONGEST_TEXT].strip().replace("\0", "")
    return masked(text[-5:]) if looks_like(text) is Kind.KEY else text


def _product(text: str) -> str:
    tidy = text.strip().upper()
    return tidy if tidy.isascii() and tidy.isalnum() and len(tidy) <= LONGEST_PRODUCT else ""


def _days(text: str, offered: tuple[int, ...]) -> int:
    return int(text) if text in map(str, offered) else 0


def _chosen(columns: Iterable[str], filters: Filters) -> tuple[str, ...]:
    """Those that are named and known. The form always names some; who left them as they were has chosen none."""
    wanted = set(columns)
    known = tuple(name for name in COLUMNS if name in wanted)
    return usual_columns(filters) if known in ((), USUAL) else known


def usual_columns(filters: Filters) -> tuple[str, ...]:
    """The columns of who has chosen none: what is asked for is shown."""
    asked = {"country": bool(filters.country), "link": bool(filters.link_days)}
    return tuple(name for name in COLUMNS if name in USUAL or asked.get(name))


def arguments_of(view: View) -> dict[str, Any]:
    """A view as long work keeps it and the activity log tells it: only what differs from the whole list."""
    filters = view.filters
    kept: dict[str, Any] = {
        "text": filters.text,
        "family": filters.family.value if filters.family else "",
        "product": filters.product,
        "country": filters.country,
        "waiting": filters.waiting,
        "deadline_days": filters.deadline_days,
        "link_days": filters.link_days,
        "columns": list(view.columns) if view.columns != usual_columns(filters) else [],
    }
    return {name: value for name, value in kept.items() if value}


def view_kept(arguments: Mapping[str, Any]) -> View:
    """A view as long work kept it."""
    family = arguments.get("family")
    filters = Filters(
        text=str(arguments.get("text", "")),
        family=ProductFamily(family) if family else None,
        product=str(arguments.get("product", "")),
        country=str(arguments.get("country", "")),
        waiting=bool(arguments.get("waiting")),
        deadline_days=int(arguments.get("deadline_days", 0)),
        link_days=int(arguments.get("link_days", 0)),
    )
    return View(filters, _chosen(arguments.get("columns", ()), filters))


__all__ = [
    "COLUMNS",
    "DEADLINES",
    "FAMILIES",
    "LINK_ENDS",
    "Filters",
    "View",
    "arguments_of",
    "view_kept",
    "view_of",
    "view_of_query",
]
