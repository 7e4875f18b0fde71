"""What a price sheet would change: worked out without writing anything, so that a dry run and an import cannot differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import select

from csp_web.db import now, session
from csp_web.domain.sales.price_sheet import PriceRow
from csp_web.models import Offer, Product, ProductFamily, ProductType, Sku

BATCH = 500  # ids in one statement; SQLite takes some 30,000 parameters, PostgreSQL 65,000


class Series(NamedTuple):
    """Prices that follow each other in time."""

    product_id: str
    sku_id: str
    market: str
    currency: str
    term: str
    billing_plan: str
    segment: str
    tier_min: int


class SkuName(NamedTuple):
    """A SKU by its public ids; its own is unique inside its product only."""

    product_id: str
    sku_id: str


@dataclass(slots=True)
class PriceState:
    """A price as it will be. ``id`` is None for a new one; ``stored`` is what the database says now."""

    id: int | None
    unit_price: int
    erp_price: int | None
    tier_max: int | None
    valid_from: datetime
    valid_to: datetime | None
    stored: tuple[int, int | None, int | None, datetime | None] | None = None
    named: bool = False  # by the sheet in hand

    @property
    def values(self) -> tuple[int, int | None, int | None, datetime | None]:
        """What can be corrected."""
        return self.unit_price, self.erp_price, self.tier_max, self.valid_to


@dataclass(slots=True)
class Plan:
    """Everything that an import writes, and the counts of its report."""

    new_products: dict[str, PriceRow] = field(default_factory=dict)
    product_texts: dict[str, PriceRow] = field(default_factory=dict)
    new_skus: dict[SkuName, PriceRow] = field(default_factory=dict)
    sku_texts: dict[SkuName, PriceRow] = field(default_factory=dict)
    new_prices: list[tuple[Series, PriceState]] = field(default_factory=list)
    changed_prices: list[PriceState] = field(default_factory=list)
    access_licences_only: set[str] = field(default_factory=set)  # products: keys and no files
    ended: int = 0
    corrected: int = 0
    unchanged: int = 0
    not_named: int = 0


def plan_of(rows: Sequence[PriceRow]) -> Plan:
    """Compare a sheet with the catalogue."""
    plan = Plan()
    if rows:
        _plan_titles(rows, plan)
        _plan_prices(rows, plan)
    return plan


# ---------------------------------------------------------------- products and SKUs


def product_texts(row: PriceRow) -> tuple[str, str]:
    """A product's texts in a sheet."""
    return row.product_title, row.publisher


def sku_texts(row: PriceRow) -> tuple[str, str, str]:
    """A SKU's texts in a sheet."""
    return row.sku_title, row.description, row.unit


def family_of(row: PriceRow) -> tuple[ProductFamily, ProductType]:
    """What kind of product a row sells (R1)."""
    if row.family is None:
        raise ValueError(f"line {row.line}: a row of no product family")
    return ProductFamily(row.family.value), ProductType(row.product_type.value)


def _plan_titles(rows: Sequence[PriceRow], plan: Plan) -> None:
    products = {row.product_id: row for row in rows}  # the last row of a product or SKU says its texts
    skus = {SkuName(row.product_id, row.sku_id): row for row in rows}
    known = {
        found.product_id: (found.title, found.publisher)
        for found in session.execute(select(Product.product_id, Product.title, Product.publisher))
    }
    known_skus = {
        SkuName(found.product_id, found.sku_id): (found.title, found.description, found.unit)
        for found in session.execute(
            select(Product.product_id, Sku.sku_id, Sku.title, Sku.description, Sku.unit).join(Sku.product)
        )
    }
    plan.new_products = {name: row for name, row in products.items() if name not in known}
    plan.new_skus = {name: row for name, row in skus.items() if name not in known_skus}
    plan.product_texts = {
        name: row for name, row in products.items() if name in known and known[name] != product_texts(row)
    }
    plan.sku_texts = {
        name: row for name, row in skus.items() if name in known_skus and known_skus[name] != sku_texts(row)
    }
    plan.access_licences_only = {row.product_id for row in rows} - {row.product_id for row in rows if not row.is_cal}


# ---------------------------------------------------------------- prices


def _plan_prices(rows: Sequence[PriceRow], plan: Plan) -> None:
    series = _stored_prices({row.product_id for row in rows})
    for row in rows:
        _name(series[_series_of(row)], row)
    at, markets = now(), {row.market for row in rows}
    for name, prices in series.items():
        in_order = sorted(prices.values(), key=lambda price: price.valid_from)
        _end_where_the_next_begins(in_order)
        _sort_out(name, in_order, plan)
        if name.market in markets:
            plan.not_named += sum(1 for price in in_order if not price.named and _is_current(price, at, in_order))


def _series_of(row: PriceRow) -> Series:
    return Series(
        row.product_id,
        row.sku_id,
        row.market,
        row.currency,
        row.term,
        row.billing_plan,
        row.segment,
        row.tier_min or 0,
    )


def _stored_prices(products: Iterable[str]) -> defaultdict[Series, dict[datetime, PriceState]]:
    """All prices of the products, by series and first instant."""
    found: defaultdict[Series, dict[datetime, PriceState]] = defaultdict(dict)
    names = sorted(products)
    for start in range(0, len(names), BATCH):
        for name, price in _read(names[start : start + BATCH]):
            found[name][price.valid_from] = price
    return found


def _read(products: list[str]) -> Iterable[tuple[Series, PriceState]]:
    statement = (
        select(
            Product.product_id, Sku.sku_id, Offer.market, Offer.currency, Offer.term, Offer.billing_plan, Offer.segment,
            Offer.tier_min, Offer.id, Offer.unit_price, Offer.erp_price, Offer.tier_max, Offer.valid_from, Offer.valid_to,
        )
        .join(Offer.sku)
        .join(Sku.product)
        .where(Product.product_id.in_(products))
        .execution_options(yield_per=5000)
    )  # fmt: skip
    for row in session.execute(statement):
        name, (key, price, erp, tier_max, begin, end) = Series(*row[:8]), row[8:]
        yield name, PriceState(key, price, erp, tier_max, begin, end, (price, erp, tier_max, end))


def _name(prices: dict[datetime, PriceState], row: PriceRow) -> None:
    """Put a row of the sheet among the prices of its series."""
    price = prices.get(row.valid_from)
    if price is None:
        price = PriceState(None, row.unit_price, row.erp_price, row.tier_max, row.valid_from, row.valid_to)
        prices[row.valid_from] = price
    else:
        price.unit_price, price.erp_price = row.unit_price, row.erp_price
        price.tier_max, price.valid_to = row.tier_max, row.valid_to
    price.named = True


def _end_where_the_next_begins(prices: Sequence[PriceState]) -> None:
    for price, following in pairwise(prices):
        if price.valid_to is None or price.valid_to > following.valid_from:
            price.valid_to = following.valid_from


def _sort_out(name: Series, prices: Sequence[PriceState], plan: Plan) -> None:
    for price in prices:
        if price.stored is None:
            plan.new_prices.append((name, price))
        elif price.stored == price.values:
            plan.unchanged += price.named
        else:
            plan.changed_prices.append(price)
            only_ended = price.stored[:3] == price.values[:3] and not price.named
            plan.ended += only_ended
            plan.corrected += not only_ended


def _is_current(price: PriceState, at: datetime, prices: Sequence[PriceState]) -> bool:
    """Whether a price is in force and its series is not named by the sheet at all."""
    in_force = price.valid_from <= at and (price.valid_to is None or at < price.valid_to)
    return in_force and not any(other.named for other in prices)
