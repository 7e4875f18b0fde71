"""How the list of all software is narrowed, and what there is to narrow it to (B7, D10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, literal, null, or_, select, union_all

from csp_web.db import UTCDateTime, now, read
from csp_web.domain.access.actors import Actor
from csp_web.domain.companies.customers import customer_ids_with
from csp_web.domain.delivery.software_filters import Filters
from csp_web.identifiers import Kind, fold, looks_like, parse_guid
from csp_web.models import (
    Customer,
    DownloadLink,
    KeyWait,
    Order,
    Product,
    ProductType,
    Sku,
    Subscription,
    SubscriptionStatus,
)

_line, _product, _customer = Subscription.__table__.c, Product.__table__.c, Customer.__table__.c
NAMED = 500  # ids in a condition
_AT = bindparam("at", type_=UTCDateTime())

# The link of a line that is told: of those that start downloads the one that ends first.
link_table = DownloadLink.__table__.alias("link")
_sooner = DownloadLink.__table__.alias("sooner")


def _alive(link: Any) -> ColumnElement[bool]:
    return and_(link.c.revoked_at.is_(None), link.c.expires_at > _AT, link.c.used < link.c.max_downloads)


TOLD_LINK = and_(
    link_table.c.subscription_id == _line.id,
    _alive(link_table),
    ~exists().where(
        _sooner.c.subscription_id == link_table.c.subscription_id,
        _alive(_sooner),
        or_(
            _sooner.c.expires_at < link_table.c.expires_at,
            and_(_sooner.c.expires_at == link_table.c.expires_at, _sooner.c.id < link_table.c.id),
        ),
    ),
)


def conditions(actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    """What a line has to be to be shown. The list is of subscriptions with their products, customers and told links."""
    narrowed: list[ColumnElement[bool]] = []
    if filters.text:
        narrowed.append(_named(actor, filters.text))
    if filters.family is not None:
        narrowed.append(_product.family == filters.family)
    if filters.product:
        its_id = select(Product.id).where(Product.product_id == filters.product).scalar_subquery()
        narrowed.append(_line.product_id == its_id)
    if filters.country:
        narrowed.append(_in_country(actor, filters.country))
    if filters.waiting:
        narrowed.append(_waiting())
    return narrowed + _ending(actor, filters)


def _in_country(actor: Actor, country: str) -> ColumnElement[bool]:
    there = select(Customer.id).where(Customer.partner_id == actor.partner_id, Customer.country == country)
    few = _few(there)
    return _customer.country == country if few is None else _line.customer_id.in_(few)


def _waiting() -> ColumnElement[bool]:
    open_wait = KeyWait.ended_at.is_(None)
    few = _few(select(KeyWait.subscription_id).where(open_wait))
    return exists().where(KeyWait.subscription_id == _line.id, open_wait) if few is None else _line.id.in_(few)


def _few(ids: Select[*tuple[Any, ...]]) -> Sequence[int] | None:
    """Ids that are few enough to be named, so that their lines are fetched; None: going through the lines finds enough.

    No database can know beforehand which of the two is quicker, and the wrong one takes a second in a million lines.
    """
    found = read(ids.limit(NAMED + 1)).scalars().all()
    return found if len(found) <= NAMED else None


def _ending(actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    """Half open at the near end, like the deadlines themselves (D1)."""
    at, ending = now(), list[ColumnElement[bool]]()
    if filters.deadline_days:
        ending += [
            _line.status == SubscriptionStatus.ACTIVE,
            _line.cancel_until > at,
            _line.cancel_until <= at + timedelta(days=filters.deadline_days),
        ]
    if filters.link_days:
        ending += [
            link_table.c.partner_id == actor.partner_id,
            link_table.c.expires_at <= at + timedelta(days=filters.link_days),
        ]
    return ending


def _named(actor: Actor, text: str) -> ColumnElement[bool]:
    """Lines that a text names: by any identifier (D10), else by product or customer."""
    kind = looks_like(text)
    if kind is Kind.GUID:
        guid = parse_guid(text)
        customers = select(Customer.id).where(Customer.partner_id == actor.partner_id, Customer.uuid == guid)
        return or_(_line.uuid == guid, _line.customer_id.in_(customers))
    wanted = fold(text)
    ways = [_line.customer_id.in_(customer_ids_with(actor, wanted)), _product_named(wanted)]
    if kind in {Kind.ORDER_ID, Kind.ALTERNATE_ID}:
        orders = select(Order.id).where(
            Order.partner_id == actor.partner_id,
            or_(Order.order_id == text.strip(), Order.alternate_id == text.strip().lower()),
        )
        ways.append(_line.order_id.in_(orders))
    return or_(*ways)


def _product_named(wanted: str) -> ColumnElement[bool]:
    titled = func.lower(_product.title).contains(wanted, autoescape=True)
    skus = select(Sku.id).where(func.lower(Sku.title).contains(wanted, autoescape=True))
    return or_(titled, func.lower(_product.product_id) == wanted, _line.sku_id.in_(skus))


@dataclass(frozen=True, slots=True)
class Choices:
    """What the list can be narrowed to: products (ID, title) that were bought, countries (codes) that customers are in."""

    products: list[tuple[str, str]]
    countries: list[str]


def choices_of(actor: Actor) -> Choices:
    """One statement that goes from one product, or country, to the next over an index: it does not grow with the lines."""
    products: list[tuple[str, str]] = []
    countries: list[str] = []
    for row in read(_CHOICES, {"partner": actor.partner_id}):
        if row.title is not None:
            products.append((row.code, row.title))
        elif row.code is not None:
            countries.append(row.code)
    return Choices(sorted(products, key=lambda pair: pair[1].casefold()), countries)


def _each(column: Any, name: str) -> Any:
    """Each value of a column among the rows of a partner, by one look into an index per value."""
    of_partner = column.table.c.partner_id == bindparam("partner")
    found = select(func.min(column).label("value")).where(of_partner).cte(name, recursive=True)
    following = select(func.min(column)).where(of_partner, column > found.c.value).scalar_subquery()
    return found.union_all(select(following).where(found.c.value.is_not(None)))


_bought, _present = _each(_line.product_id, "bought"), _each(_customer.country, "present")
_CHOICES = union_all(
    select(_product.product_id.label("code"), _product.title.label("title"))
    .join_from(_bought, Product.__table__, _product.id == _bought.c.value)
    .where(_product.product_type == literal(ProductType.SOFTWARE_SUBSCRIPTION, _product.product_type.type)),
    select(_present.c.value, null()),
)


__all__ = ["TOLD_LINK", "Choices", "choices_of", "conditions", "link_table"]
