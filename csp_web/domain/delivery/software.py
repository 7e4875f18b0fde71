"""Lists of software: everything that was bought for a customer, or for all of them (R20, B5, B7, P7).

Rows are tuples of what the page shows. A page takes a fixed number of statements, whatever the size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import Select, bindparam, case, exists, func, select, type_coerce

from csp_web.db import GuidText, now, read, session
from csp_web.domain.access.actors import Actor
from csp_web.domain.delivery.software_filters import View
from csp_web.domain.delivery.software_narrowing import TOLD_LINK, conditions, link_table
from csp_web.domain.paging import PAGE_SIZE, Listing, Page, cursor_after
from csp_web.domain.support.cancellation_window import number_of_request, terms_without_words
from csp_web.models import Customer, KeyAssignment, KeyWait, Product, ProductType, Subscription

# The keys of a line in one word; "none": the product has no keys.
LineKeys = Literal["none", "not taken", "waiting", "ready", "shown", "revoked"]


class Line(NamedTuple):
    """One line as lists show it; its customer is told only in the list of all customers."""

    id: str  # of the row, for the ids of the parts of the page
    guid: str
    product: str
    sku: str
    quantity: int
    term: str
    ends_at: datetime
    keys: LineKeys
    cancelled_at: datetime | None
    may_cancel: bool
    cancel_until: datetime | None
    left: timedelta  # until then
    requested_in: str  # number of the ticket in which the cancellation waits for a decision
    customer: str = ""
    company_name: str = ""
    country: str = ""
    link_ends: datetime | None = None  # of the link that ends first, where links are shown
    link_left: int | None = None  # downloads


@dataclass(frozen=True, slots=True)
class SoftwareList:
    """A page of lines, and the instant at which all that is told of them is true."""

    lines: Sequence[Line]
    previous: str | None
    next: str | None
    at: datetime


ROWS_AT_ONCE = 1000  # of an export
OWNER_FIELDS = 5  # those of a line that only the list of all customers tells
_line, _product, _customer = Subscription.__table__.c, Product.__table__.c, Customer.__table__.c
_key, _wait = KeyAssignment.__table__.c, KeyWait.__table__.c
_SOFTWARE = ProductType.SOFTWARE_SUBSCRIPTION
_REVOKED, _SHOWN, _UNSEEN = 3, 2, 1
# The least of a line's keys says it all: one that nobody has seen, else one that was shown, else all are revoked.
_LEAST_KEY = (
    select(
        func.min(
            case((_key.revoked_at.is_not(None), _REVOKED), (_key.first_shown_at.is_not(None), _SHOWN), else_=_UNSEEN)
        )
    )
    .where(_key.subscription_id == _line.id)
    .scalar_subquery()
)
_WAITS = exists().where(_wait.subscription_id == _line.id, _wait.ended_at.is_(None))
_OF_EVERYBODY = (
    select(
        _line.id,
        type_coerce(_line.uuid, GuidText).label("uuid"),
        _line.product_title,
        _line.sku_title,
        _line.quantity,
        _line.term,
        _line.ends_at,
        _line.cancel_until,
        _line.cancelled_at,
        _product.has_keys,
        _LEAST_KEY.label("least_key"),
        _WAITS.label("waits"),
        number_of_request(_line.id).label("requested_in"),
    )
    .join_from(Subscription.__table__, Product.__table__, _product.id == _line.product_id)
    .where(_line.product_type == _SOFTWARE)
)
_OF_CUSTOMER = Listing(_OF_EVERYBODY.where(_line.customer_id == bindparam("customer")), (_line.id,), descending=True)
_OF_PARTNER = (
    _OF_EVERYBODY.add_columns(
        type_coerce(_customer.uuid, GuidText).label("customer"), _customer.company_name, _customer.country
    )
    .join(Customer.__table__, _customer.id == _line.customer_id)
    .where(_line.partner_id == bindparam("partner"))
)
_WITH_LINK = _OF_PARTNER.add_columns(
    link_table.c.expires_at, (link_table.c.max_downloads - link_table.c.used).label("link_left")
)


def software_of(customer: Customer, *, cursor: str | None = None, opened: Subscription | None = None) -> SoftwareList:
    """All software of a customer, newest first (R20). ``opened`` is on the page, wherever in the list it stands."""
    page = _OF_CUSTOMER.page(cursor, customer=customer.id)
    if opened is not None and cursor is None and all(row.id != opened.id for row in page.rows):
        page = _OF_CUSTOMER.page(cursor_after(opened.id + 1), customer=customer.id)
    return _told(page)


def all_software(actor: Actor, view: View, *, cursor: str | None = None) -> SoftwareList:
    """The software of all of the partner's customers, newest first; what ends soon first when that is asked for (B7)."""
    listing = _listing(actor, view, PAGE_SIZE) if view.filters.any else _WHOLE["link" in view.columns]
    return _told(listing.page(cursor, partner=actor.partner_id, at=now()))


def _listing(actor: Actor, view: View, size: int) -> Listing:
    filters = view.filters
    narrowed = _statement(view).where(*conditions(actor, filters))
    if filters.deadline_days:
        return Listing(narrowed, (_line.cancel_until, _line.id), size=size)
    if filters.link_days:
        ends = (link_table.c.expires_at, link_table.c.id)
        return Listing(narrowed.add_columns(link_table.c.id), ends, size=size)
    return Listing(narrowed, (_line.id,), descending=True, size=size)


def _statement(view: View) -> Select[*tuple[Any, ...]]:
    """Links are looked at only where they are shown or asked for."""
    if view.filters.link_days:
        return _WITH_LINK.join(link_table, TOLD_LINK)
    return _WITH_LINK.outerjoin(link_table, TOLD_LINK) if "link" in view.columns else _OF_PARTNER


_WHOLE = {
    with_link: Listing(_statement(View(columns=("link",) if with_link else ())), (_line.id,), descending=True)
    for with_link in (False, True)
}


def every_line(actor: Actor, view: View) -> Iterator[Line]:
    """All that ``all_software`` shows on its pages, in the same order; read in batches, so that memory stays flat."""
    listing, cursor, at = _listing(actor, view, ROWS_AT_ONCE), None, now()
    while True:
        software = _told(listing.page(cursor, partner=actor.partner_id, at=at))
        yield from software.lines
        session.rollback()  # nobody's reading is held open between two batches
        if software.next is None:
            return
        cursor = software.next


def count_lines(actor: Actor, view: View, *, up_to: int | None = None) -> int:
    """How many lines ``every_line`` gives, counted up to a limit."""
    filters = view.filters
    statement = _statement(View(filters, ()))
    matching = statement.where(*conditions(actor, filters)).with_only_columns(_line.id).limit(up_to)
    counted = select(func.count()).select_from(matching.subquery())
    return int(read(counted, {"partner": actor.partner_id, "at": now()}).scalar_one())


def _told(page: Page) -> SoftwareList:
    at = now()
    return SoftwareList([_as_told(row, at) for row in page.rows], page.previous, page.next, at)


def _as_told(row: Any, at: datetime) -> Line:
    number, guid, product, sku, quantity, term, ends_at, until, cancelled_at, *more = row
    has_keys, least_key, waits, ticket, *owner = more
    over = cancelled_at is not None
    keys = _in_one_word(has_keys, over, least_key, waits)
    may, until, left, *_words = terms_without_words(_SOFTWARE, until, at, over=over, requested_in=ticket or "")
    shown = (str(number), guid, product, sku, quantity, term, ends_at)
    return Line(*shown, keys, cancelled_at, may, until, left, ticket or "", *owner[:OWNER_FIELDS])


def _in_one_word(has_keys: bool, cancelled: bool, least_key: int | None, waits: bool) -> LineKeys:
    if not has_keys:
        return "none"
    if cancelled or least_key == _REVOKED:
        return "revoked"
    if waits:
        return "waiting"
    if least_key is None:
        return "not taken"
    return "shown" if least_key == _SHOWN else "ready"


__all__ = [
    "PAGE_SIZE",
    "Line",
    "LineKeys",
    "SoftwareList",
    "all_software",
    "count_lines",
    "every_line",
    "software_of",
]
