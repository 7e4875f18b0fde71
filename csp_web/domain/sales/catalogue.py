"""What may be sold to a customer, at which price, and if not, why not (R1-R13, B6)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, func, select

from csp_web.db import session
from csp_web.domain.companies.countries import country_name
from csp_web.domain.sales.markets import Exclusion, exclusions
from csp_web.domain.sales.policies import policies_in_force
from csp_web.errors import NotFound
from csp_web.i18n import N_, format_date, format_number, language
from csp_web.i18n import gettext as _
from csp_web.models import (
    CancellationPolicy,
    Customer,
    KeyPool,
    KeyState,
    Offer,
    Product,
    ProductFamily,
    ProductKey,
    ProductType,
    Sku,
)

SEGMENT = "Commercial"  # partners sell to commercial customers (R3)

_EXCLUDED = {
    ProductType.RESERVATION: N_(
        "Azure reservations are not sold in this market: %(country)s. The market list “%(name)s” says so since "
        "%(date)s. Software can be ordered for this customer; only the operator changes the list."
    ),
    ProductType.SOFTWARE_SUBSCRIPTION: N_(
        "Software subscriptions are not sold in this market: %(country)s. The market list “%(name)s” says so since "
        "%(date)s. Only the operator changes the list."
    ),
}


class PriceSeries(NamedTuple):
    """Prices that follow each other in one market."""

    sku_id: int  # the row's own number
    term: str
    billing_plan: str
    currency: str


@dataclass(frozen=True, slots=True)
class Price:
    """A price of a series, for quantities from ``tier_min`` (0 or 1: any) to ``tier_max`` (None: no limit)."""

    offer_id: int
    availability_id: str
    unit_price: int  # minor units, without tax
    tier_min: int
    tier_max: int | None
    valid_from: datetime
    valid_to: datetime | None

    def is_valid(self, at: datetime) -> bool:
        """Whether the price is in force at an instant (half open)."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def fits(self, quantity: int) -> bool:
        """Whether the price is for this quantity."""
        return self.tier_min <= quantity and (self.tier_max is None or quantity <= self.tier_max)


@dataclass(frozen=True, slots=True)
class SellingRules:
    """What decides for one customer at one instant; read once, asked for every offer."""

    country: str
    at: datetime
    excluded: dict[ProductType, Exclusion]
    policies: dict[ProductType, CancellationPolicy]

    def type_problems(self, product_type: ProductType) -> list[str]:
        """Why nothing of this type is sold to the customer (R11-R13); empty when it is."""
        excluded = self.excluded.get(product_type)
        if excluded is not None:
            return [
                _(
                    _EXCLUDED[product_type],
                    country=country_name(self.country, language()),
                    name=excluded.set_name,
                    date=format_date(excluded.since),
                )
            ]
        if product_type not in self.policies:
            return [_("No cancellation policy is in force for this kind of product. Ask the operator to choose one.")]
        return []

    def price_problems(self, prices: Sequence[Price]) -> list[str]:
        """Why none of the prices of a series can be used now; empty when one can."""
        if any(price.is_valid(self.at) for price in prices):
            return []
        if not prices:
            return [
                _(
                    "There is no price for this market: %(country)s. Ask the operator whether a price list is due.",
                    country=country_name(self.country, language()),
                )
            ]
        later = [price for price in prices if price.valid_from > self.at]
        if later:
            begin = min(price.valid_from for price in later)
            return [_("The price applies from %(date)s. It can be ordered from that day on.", date=format_date(begin))]
        end = max(price.valid_to for price in prices if price.valid_to is not None)
        return [
            _("The price ended on %(date)s. Ask the operator whether a newer price list is due.", date=format_date(end))
        ]


def rules_for(customer: Customer, at: datetime) -> SellingRules:
    """The rules for a customer, in two statements; the customer's country decides (R13)."""
    return SellingRules(customer.country, at, exclusions(customer.country, at), policies_in_force(at))


def offer_problems(offer: Offer, customer: Customer, at: datetime) -> list[str]:
    """Why an offer cannot be bought for a customer at an instant, each with its rule, date and advice (B6)."""
    rules = rules_for(customer, at)
    if offer.market != customer.country:
        own, other = (country_name(code, language()) for code in (customer.country, offer.market))
        return [
            _("This price is for another market: %(other)s. The customer's market is %(own)s.", other=other, own=own)
        ]
    if offer.segment != SEGMENT:
        return [
            _("This price is for the segment %(segment)s; only commercial customers buy here.", segment=offer.segment)
        ]
    return rules.type_problems(offer.sku.product.product_type) or rules.price_problems([price_of(offer)])


def price_of(offer: Offer) -> Price:
    """The price that an offer row holds."""
    return Price(
        offer.id,
        offer.availability_id,
        offer.unit_price,
        offer.tier_min,
        offer.tier_max,
        offer.valid_from,
        offer.valid_to,
    )


def quantity_problem(quantity: int, *, smallest: int, largest: int, prices: Sequence[Price]) -> str:
    """Why this many cannot be bought; empty when they can. ``prices`` are those in force; none: not asked."""
    if quantity < smallest:
        return _("The smallest quantity is %(number)s.", number=format_number(smallest))
    if quantity > largest:
        return _(
            "The largest quantity of one line is %(number)s. Place a second order for more.",
            number=format_number(largest),
        )
    if prices and not any(price.fits(quantity) for price in prices):
        return _("There is no price for this quantity; prices begin at %(number)s.", number=prices[0].tier_min)
    return ""


# ---------------------------------------------------------------- reading prices and stock


def prices_in_market(skus: Collection[int], market: str, at: datetime) -> dict[PriceSeries, list[Price]]:
    """Of every series of the SKUs in a market and every tier: the price in force, else the next one, else the last.

    One statement. Tiers are in ascending order.
    """
    is_later = Offer.valid_from > at
    is_over = Offer.valid_to.is_not(None) & (Offer.valid_to <= at)
    best = func.row_number().over(
        partition_by=(Offer.sku_id, Offer.term, Offer.billing_plan, Offer.currency, Offer.tier_min),
        order_by=(
            case((is_later, 1), (is_over, 2), else_=0),
            case((is_later, Offer.valid_from)),
            Offer.valid_from.desc(),
        ),
    )
    ranked = (
        select(Offer.id, best.label("place"))
        .where(Offer.sku_id.in_(skus), Offer.market == market, Offer.segment == SEGMENT)
        .subquery()
    )
    rows = session.execute(
        select(
            Offer.sku_id, Offer.term, Offer.billing_plan, Offer.currency, Offer.id, Offer.availability_id,
            Offer.unit_price, Offer.tier_min, Offer.tier_max, Offer.valid_from, Offer.valid_to,
        )
        .join(ranked, ranked.c.id == Offer.id)
        .where(ranked.c.place == 1)
        .order_by(Offer.sku_id, Offer.term, Offer.billing_plan, Offer.currency, Offer.tier_min)
    )  # fmt: skip
    found: dict[PriceSeries, list[Price]] = {}
    for row in rows:
        found.setdefault(PriceSeries(*row[:4]), []).append(Price(*row[4:]))
    return found


def skus_in_stock(skus: Collection[int]) -> set[int]:
    """Those SKUs for whose product's own version a key is free now; one statement, whatever the size of the stock."""
    free = select(ProductKey.id).where(ProductKey.pool_id == KeyPool.id, ProductKey.state == KeyState.FREE)
    return set(
        session.scalars(
            select(KeyPool.sku_id)
            .join(Sku, Sku.id == KeyPool.sku_id)
            .join(Product, Product.id == Sku.product_id)
            .where(KeyPool.sku_id.in_(skus), KeyPool.version == Product.own_version, free.exists())
        )
    )


# ---------------------------------------------------------------- what the catalogue says about a product

FAMILY_NAMES = {
    ProductFamily.WINDOWS_SERVER: N_("Windows Server"),
    ProductFamily.SQL_SERVER: N_("SQL Server"),
    ProductFamily.AZURE_RESERVATION: N_("Azure reservations"),
}
TERM_NAMES = {"P1M": N_("1 month"), "P1Y": N_("1 year"), "P3Y": N_("3 years")}
PLAN_NAMES = {
    "OneTime": N_("One-time"),
    "Monthly": N_("Monthly"),
    "Annual": N_("Annual"),
    "Triennial": N_("Every three years"),
}
_SELLING = {
    ProductFamily.WINDOWS_SERVER: N_("For predictable workloads that are always on."),
    ProductFamily.SQL_SERVER: N_("For predictable workloads that are always on."),
    ProductFamily.AZURE_RESERVATION: N_(
        "For predictable workloads that are always on. The price is for the machine alone: software is not in it."
    ),
}
_CONVERTED = N_(
    "Azure Hybrid Benefit: for virtual machines in Azure this licence is converted from on premises. They are billed "
    "at the base compute rate, that of a Linux machine, which saves up to 40 %."
)
_REUSED = N_(
    "Azure Hybrid Benefit: this licence is used again for virtual machines in Azure, and on premises at the same time. "
    "They are billed at the base compute rate, that of a Linux machine, which saves up to 40 %."
)


def selling_text(family: ProductFamily) -> str:
    """What a family is for (R2); reservations say that software is not in the price."""
    return _(_SELLING[family])


def hybrid_benefit(title: str, family: ProductFamily, *, is_cal: bool) -> str:
    """What Azure Hybrid Benefit makes of a Windows Server licence, by its edition (R5-R10); empty for other products."""
    if family is not ProductFamily.WINDOWS_SERVER or is_cal:
        return ""
    words = title.casefold()
    if "datacenter" in words:
        return _(_REUSED)
    return _(_CONVERTED) if "standard" in words else ""


def find_offer(availability_id: str) -> Offer:
    """An offer by its public id.

    Raises:
        NotFound: there is none.
    """
    found = None
    if availability_id.isalnum():
        found = session.scalar(select(Offer).filter_by(availability_id=availability_id))
    if found is None:
        raise NotFound
    return found
