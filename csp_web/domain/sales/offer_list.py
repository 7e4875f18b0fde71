"""**Add products**: the catalogue as one customer sees it, page by page. What cannot be bought is shown with its reason (B6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, String, select, type_coerce

from csp_web.db import session
from csp_web.domain.paging import page_of
from csp_web.domain.sales import policies
from csp_web.domain.sales.catalogue import (
    Price,
    PriceSeries,
    SellingRules,
    hybrid_benefit,
    prices_in_market,
    rules_for,
    skus_in_stock,
)
from csp_web.i18n import territory_currencies
from csp_web.models import Customer, Offer, Product, ProductFamily, ProductType, Sku

MOST_WORDS = 6
SKUS_OF_A_PAGE = 30  # each with a form of its own, or several

# Windows Server before SQL Server before reservations, newest products first, SKUs as in the sheet: all descending.
_products, _skus = Product.__table__.c, Sku.__table__.c
_ORDER = (type_coerce(_products.family, String), _products.title, _products.id, -_skus.id)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty ones do not narrow."""

    text: str = ""
    family: ProductFamily | None = None
    term: str = ""
    billing_plan: str = ""

    @property
    def any(self) -> bool:
        """Whether the list is narrowed at all."""
        return bool(self.text or self.family or self.term or self.billing_plan)


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A SKU with a term and billing plan; ``prices`` are those in force, by tier. Refused when there are ``reasons``."""

    sku_id: str
    title: str
    unit: str
    term: str
    billing_plan: str
    currency: str
    prices: Sequence[Price]
    smallest: int
    largest: int
    in_stock: bool
    reasons: Sequence[str]

    @property
    def key(self) -> str:
        """A name for the row inside its page."""
        return self.prices[0].availability_id if self.prices else self.sku_id


@dataclass(slots=True)
class ProductGroup:
    """A product with its offers. ``reasons`` hold for all of them."""

    product_id: str
    title: str
    family: ProductFamily
    product_type: ProductType
    has_keys: bool
    has_files: bool
    benefit: str
    terms: str
    until: datetime | None
    rows: list[OfferRow] = field(default_factory=list)
    reasons: Sequence[str] = ()

    @property
    def is_reservation(self) -> bool:
        """Whether ordering it asks for an Azure subscription (R4)."""
        return self.product_type is ProductType.RESERVATION


@dataclass(frozen=True, slots=True)
class OfferPage:
    """A page of the catalogue and the cursors of its neighbours."""

    groups: Sequence[ProductGroup]
    previous: str | None
    next: str | None


def list_offers(customer: Customer, filters: Filters, *, at: datetime, cursor: str | None = None) -> OfferPage:
    """One page of 30 SKUs by family and product, newest products first; five statements, whatever the size."""
    page = page_of(_matching(filters), _ORDER, cursor=cursor, descending=True, size=SKUS_OF_A_PAGE)
    skus = {row.sku_key for row in page.rows}
    rules = rules_for(customer, at)
    prices = _by_sku(prices_in_market(skus, customer.country, at), filters, customer.country)
    stock = skus_in_stock(skus) if skus else set()
    groups: list[ProductGroup] = []
    for row in page.rows:
        if not groups or groups[-1].product_id != row.product_id:
            groups.append(_group(row, rules))
        groups[-1].rows.extend(_offers(row, prices.get(row.sku_key, {}), rules, in_stock=row.sku_key in stock))
    for group in groups:
        _join_reasons(group)
    return OfferPage(groups, page.previous, page.next)


def _matching(filters: Filters) -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = select(
        *_ORDER, Product.family.label("kind"), Product.product_id, Product.product_type, Product.has_keys,
        Product.has_files, Product.is_cal, Product.own_version, Sku.id.label("sku_key"), Sku.sku_id,
        Sku.title.label("sku_title"), Sku.unit, Sku.minimum_quantity, Sku.maximum_quantity,
    ).join(Sku.product)  # fmt: skip
    if filters.family is not None:
        statement = statement.where(Product.family == filters.family)
    if filters.term or filters.billing_plan:
        offered = select(Offer.id).where(Offer.sku_id == Sku.id)
        if filters.term:
            offered = offered.where(Offer.term == filters.term)
        if filters.billing_plan:
            offered = offered.where(Offer.billing_plan == filters.billing_plan)
        statement = statement.where(offered.exists())
    words = Product.title + " " + Sku.title + " " + Product.product_id + ":" + Sku.sku_id
    for word in filters.text.split()[:MOST_WORDS]:
        statement = statement.where(words.icontains(word, autoescape=True))
    return statement


def _by_sku(
    found: dict[PriceSeries, list[Price]], filters: Filters, market: str
) -> dict[int, dict[PriceSeries, list[Price]]]:
    """The series of every SKU that the filters leave; the market's own currency alone, where there is one."""
    own = currency_of(market)
    priced_in_own = {series.sku_id for series in found if series.currency == own}
    by_sku: dict[int, dict[PriceSeries, list[Price]]] = {}
    for series, prices in found.items():
        wanted = series.term == (filters.term or series.term)
        wanted = wanted and series.billing_plan == (filters.billing_plan or series.billing_plan)
        if wanted and (series.currency == own or series.sku_id not in priced_in_own):
            by_sku.setdefault(series.sku_id, {})[series] = prices
    return by_sku


def currency_of(market: str) -> str:
    """The currency that a market pays with now; empty when none is known."""
    uses = territory_currencies().get(market, ())
    return next((code for code, _begin, end, tender in uses if tender and end is None), "")


def _group(row: Row[*tuple[Any, ...]], rules: SellingRules) -> ProductGroup:
    policy = rules.policies.get(row.product_type)
    return ProductGroup(
        product_id=row.product_id,
        title=row.title,
        family=row.kind,
        product_type=row.product_type,
        has_keys=row.has_keys,
        has_files=row.has_files,
        benefit=hybrid_benefit(row.title, row.kind, is_cal=row.is_cal),
        terms=policies.describe(policy.terms) if policy else "",
        until=policies.cancel_until(policy.terms, rules.at) if policy else None,
    )


def _offers(
    row: Row[*tuple[Any, ...]], found: dict[PriceSeries, list[Price]], rules: SellingRules, *, in_stock: bool
) -> Iterable[OfferRow]:
    refused = rules.type_problems(row.product_type)
    for series, prices in (found or {PriceSeries(row.sku_key, "", "", ""): []}).items():
        yield OfferRow(
            sku_id=row.sku_id,
            title=row.sku_title,
            unit=row.unit,
            term=series.term,
            billing_plan=series.billing_plan,
            currency=series.currency,
            prices=[price for price in prices if price.is_valid(rules.at)],
            smallest=row.minimum_quantity,
            largest=row.maximum_quantity,
            in_stock=in_stock or not row.has_keys or row.own_version is None,
            reasons=refused or rules.price_problems(prices),
        )


def _join_reasons(group: ProductGroup) -> None:
    """Say once for the product what is the same for all of its offers."""
    first = group.rows[0].reasons
    if first and all(row.reasons == first for row in group.rows):
        group.reasons = first


def recent_azure_subscription(customer: Customer) -> str:
    """The Azure subscription that was named last for this customer, to be offered again; empty when none was (R4)."""
    from csp_web.models import Cart, CartLine, Subscription

    in_cart = (
        select(CartLine.azure_subscription_id)
        .join(CartLine.cart)
        .where(Cart.customer_id == customer.id, CartLine.azure_subscription_id.is_not(None))
        .order_by(CartLine.id.desc())
        .limit(1)
    )
    ordered = (
        select(Subscription.azure_subscription_id)
        .where(Subscription.customer_id == customer.id, Subscription.product_type == ProductType.RESERVATION)
        .order_by(Subscription.id.desc())
        .limit(1)
    )
    return session.scalar(in_cart) or session.scalar(ordered) or ""
