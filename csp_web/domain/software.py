"""Lists of software: everything that was bought for a customer, or for all of them (R20, B5, B7, P7).

Rows are tuples of what the page shows. A page takes a fixed number of statements, whatever the size.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from csp_web.db import now, session
from csp_web.domain.actors import Actor
from csp_web.domain.cancellation_window import CancellationTerms, numbers_of_requests, terms_of
from csp_web.domain.customers import customer_ids_with
from csp_web.domain.paging import PAGE_SIZE, Page, cursor_after, page_of
from csp_web.identifiers import Kind, fold, looks_like, parse_guid
from csp_web.models import (
    Customer,
    KeyAssignment,
    KeyWait,
    Order,
    Product,
    ProductFamily,
    ProductType,
    Sku,
    Subscription,
    SubscriptionStatus,
)

_table = Subscription.__table__.c
_SHOWN = (
    Subscription.uuid,
    Subscription.product_title,
    Subscription.sku_title,
    Subscription.quantity,
    Subscription.term,
    Subscription.ordered_at,
    Subscription.ends_at,
    Subscription.status,
    Subscription.cancelled_at,
    Subscription.product_type,
    Product.has_keys,
)


class LineKeys(enum.StrEnum):
    """The keys of a line in one word, for lists."""

    NONE = "none"  # the product has no keys
    NOT_TAKEN = "not taken"
    WAITING = "waiting"
    READY = "ready"
    SHOWN = "shown"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list of all software is narrowed to."""

    text: str = ""
    family: ProductFamily | None = None
    waiting: bool = False
    deadline_days: int = 0  # 0: any

    @property
    def any(self) -> bool:
        """Whether anything is narrowed."""
        return self != Filters()


@dataclass(frozen=True, slots=True)
class SoftwareList:
    """A page of lines with what is told of each: its terms of cancelling and the state of its keys, by row id."""

    page: Page
    terms: Mapping[int, CancellationTerms]
    keys: Mapping[int, LineKeys]
    at: datetime


def software_of(customer: Customer, *, cursor: str | None = None, opened: Subscription | None = None) -> SoftwareList:
    """All software of a customer, newest first (R20). ``opened`` is on the page, wherever in the list it stands."""
    statement = _statement(Subscription.customer_id == customer.id)
    page = _newest_first(statement, cursor)
    if opened is not None and cursor is None and all(row.id != opened.id for row in page.rows):
        page = _newest_first(statement, cursor_after(opened.id + 1))
    return _told(page)


def all_software(actor: Actor, filters: Filters, *, cursor: str | None = None) -> SoftwareList:
    """The software of all of the partner's customers, newest first; by deadline when that is asked for (B7)."""
    statement = _statement(Subscription.partner_id == actor.partner_id).add_columns(
        Customer.uuid.label("customer"), Customer.company_name
    )
    statement = statement.join(Customer, Customer.id == Subscription.customer_id).where(*_narrowed(actor, filters))
    if not filters.deadline_days:
        return _told(_newest_first(statement, cursor))
    statement = statement.with_only_columns(Subscription.cancel_until, Subscription.id, *_without_key(statement))
    return _told(page_of(statement, (_table.cancel_until, _table.id), cursor=cursor, descending=False))


def _statement(whose: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(Subscription.id, Subscription.cancel_until, *_SHOWN)
        .join(Product, Product.id == Subscription.product_id)
        .where(whose, Subscription.product_type == ProductType.SOFTWARE_SUBSCRIPTION)
    )


def _without_key(statement: Select[*tuple[Any, ...]]) -> list[Any]:
    return [column for column in statement.selected_columns if column.name not in {"id", "cancel_until"}]


def _newest_first(statement: Select[*tuple[Any, ...]], cursor: str | None) -> Page:
    return page_of(statement, (_table.id,), cursor=cursor, descending=True)


def _narrowed(actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    narrowed: list[ColumnElement[bool]] = []
    if filters.text:
        narrowed.append(_named(actor, filters.text))
    if filters.family is not None:
        narrowed.append(Product.family == filters.family)
    if filters.waiting:
        open_waits = select(KeyWait.subscription_id).where(KeyWait.ended_at.is_(None))
        narrowed.append(Subscription.id.in_(open_waits))
    if filters.deadline_days:
        at = now()
        narrowed += [
            Subscription.status == SubscriptionStatus.ACTIVE,
            Subscription.cancel_until > at,
            Subscription.cancel_until <= at + timedelta(days=filters.deadline_days),
        ]
    return narrowed


def _named(actor: Actor, text: str) -> ColumnElement[bool]:
    """Lines that a text names: by any identifier (D10), else by product or customer."""
    kind = looks_like(text)
    if kind is Kind.GUID:
        guid = parse_guid(text)
        customers = select(Customer.id).where(Customer.partner_id == actor.partner_id, Customer.uuid == guid)
        return or_(Subscription.uuid == guid, Subscription.customer_id.in_(customers))
    wanted = fold(text)
    ways = [Subscription.customer_id.in_(customer_ids_with(actor, wanted)), _product_named(wanted)]
    if kind in {Kind.ORDER_ID, Kind.ALTERNATE_ID}:
        orders = select(Order.id).where(
            Order.partner_id == actor.partner_id,
            or_(Order.order_id == text.strip(), Order.alternate_id == text.strip().lower()),
        )
        ways.append(Subscription.order_id.in_(orders))
    return or_(*ways)


def _product_named(wanted: str) -> ColumnElement[bool]:
    titled = func.lower(Product.title).contains(wanted, autoescape=True)
    skus = select(Sku.id).where(func.lower(Sku.title).contains(wanted, autoescape=True))
    return or_(titled, func.lower(Product.product_id) == wanted, Subscription.sku_id.in_(skus))


def _told(page: Page) -> SoftwareList:
    at, ids = now(), [row.id for row in page.rows]
    requests = numbers_of_requests(ids)
    terms = {row.id: terms_of(row, at, requested_in=requests.get(row.id, "")) for row in page.rows}
    return SoftwareList(page, terms, _keys_of(page.rows, ids), at)


def _keys_of(rows: Sequence[Any], ids: list[int]) -> dict[int, LineKeys]:
    """The state of the keys of some lines. Two statements."""
    waits = select(KeyWait.subscription_id).where(KeyWait.subscription_id.in_(ids), KeyWait.ended_at.is_(None))
    waiting = set(session.scalars(waits))
    shown: dict[int, list[bool]] = {}
    revoked: set[int] = set()
    handed_out = select(KeyAssignment.subscription_id, KeyAssignment.first_shown_at, KeyAssignment.revoked_at)
    for line, first_shown_at, revoked_at in session.execute(handed_out.where(KeyAssignment.subscription_id.in_(ids))):
        if revoked_at is None:
            shown.setdefault(line, []).append(first_shown_at is not None)
        else:
            revoked.add(line)
    return {row.id: _in_one_word(row, row.id in waiting, shown.get(row.id), row.id in revoked) for row in rows}


def _in_one_word(row: Any, waiting: bool, shown: list[bool] | None, revoked: bool) -> LineKeys:
    if not row.has_keys:
        return LineKeys.NONE
    if row.status is SubscriptionStatus.CANCELLED or (revoked and not shown):
        return LineKeys.REVOKED
    if waiting:
        return LineKeys.WAITING
    if shown is None:
        return LineKeys.NOT_TAKEN
    return LineKeys.SHOWN if all(shown) else LineKeys.READY


__all__ = ["PAGE_SIZE", "Filters", "LineKeys", "SoftwareList", "all_software", "software_of"]
