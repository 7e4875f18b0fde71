"""**Review order**: a cart as it would be ordered now, with prices, terms, and what stands in the way (R16, B6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from csp_web.db import session
from csp_web.domain.sales import policies
from csp_web.domain.sales.catalogue import (
    Price,
    PriceSeries,
    SellingRules,
    prices_in_market,
    quantity_problem,
    rules_for,
    skus_in_stock,
)
from csp_web.errors import Conflict
from csp_web.i18n import gettext as _
from csp_web.models import CancellationPolicy, Cart, CartLine, Customer, Offer, Product, Sku
from csp_web.money import LARGEST


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """A line of a cart as it would be ordered now. ``problems`` refuse it; the price may differ from what was shown."""

    line: CartLine
    product: Product
    sku: Sku
    offer: Offer
    price: Price | None  # the price that counts now for this quantity
    policy: CancellationPolicy | None
    until: datetime | None  # the first instant at which a cancellation would be refused, if ordered now (D1)
    waits: bool  # no key is in stock: the order is taken, the line waits (D12)
    problems: Sequence[str]

    @property
    def key(self) -> str:
        """The line's name in forms."""
        return line_key(self.line)

    @property
    def total(self) -> int:
        """The line's price in minor units; 0 while none counts."""
        return self.price.unit_price * self.line.quantity if self.price else 0

    @property
    def price_changed(self) -> bool:
        """Whether it costs something else than when it was added."""
        return self.price is not None and not self.problems and self.price.unit_price != self.line.unit_price

    @property
    def shown(self) -> str:
        """What a person who looks at the line sees and relies on, for telling whether it changed meanwhile."""
        unit_price = self.price.unit_price if self.price else 0
        return f"{self.key}:{self.line.quantity}:{unit_price}:{0 if self.problems else 1}"


@dataclass(frozen=True, slots=True)
class Review:
    """A whole cart as it would be ordered now."""

    lines: Sequence[ReviewLine]
    version: int

    @property
    def possible(self) -> list[ReviewLine]:
        """The lines that can be ordered."""
        return [line for line in self.lines if not line.problems]

    @property
    def refused(self) -> list[ReviewLine]:
        """The lines that cannot."""
        return [line for line in self.lines if line.problems]

    @property
    def price_changed(self) -> bool:
        """Whether a line that can be ordered costs something else than when it was added."""
        return any(line.price_changed for line in self.lines)

    @property
    def totals(self) -> dict[str, int]:
        """What would be charged, in minor units by currency (D6)."""
        sums: dict[str, int] = {}
        for line in self.possible:
            sums[line.offer.currency] = sums.get(line.offer.currency, 0) + line.total
        return sums

    @property
    def shown(self) -> list[str]:
        """``ReviewLine.shown`` of every line."""
        return [line.shown for line in self.lines]


def line_key(line: CartLine) -> str:
    """A line's name in forms. Numbers of lines that were taken out may come again; with the offer they mean the same."""
    return f"{line.id}-{line.offer.availability_id}"


class CartChanged(Conflict):
    """The cart or its prices are not what the person saw; ``changes`` says what is different."""

    def __init__(self, changes: Sequence[str]) -> None:
        super().__init__(
            _("The cart changed after this page was opened. Nothing was ordered."),
            advice=_("Check the lines and totals as they are now, then place the order."),
        )
        self.changes = list(changes)


def review(cart: Cart | None, customer: Customer, at: datetime) -> Review:
    """Look at every line as it would be ordered at an instant; a fixed number of statements."""
    if cart is None:
        return Review([], 0)
    offers = joinedload(CartLine.offer).joinedload(Offer.sku).joinedload(Sku.product)
    lines = session.scalars(select(CartLine).where(CartLine.cart_id == cart.id).options(offers).order_by(CartLine.id))
    found = lines.all()
    skus = {line.offer.sku_id for line in found}
    rules = rules_for(customer, at)
    prices = prices_in_market(skus, customer.country, at) if skus else {}
    stock = skus_in_stock(skus) if skus else set()
    return Review([_review_line(line, rules, prices, stock) for line in found], cart.version)


def _review_line(
    line: CartLine, rules: SellingRules, prices: Mapping[PriceSeries, list[Price]], stock: Collection[int]
) -> ReviewLine:
    offer, sku = line.offer, line.offer.sku
    product = sku.product
    series = prices.get(PriceSeries(sku.id, offer.term, offer.billing_plan, offer.currency), [])
    in_force = [price for price in series if price.is_valid(rules.at)]
    price = next((price for price in reversed(in_force) if price.fits(line.quantity)), None)
    policy = rules.policies.get(product.product_type)
    return ReviewLine(
        line=line,
        product=product,
        sku=sku,
        offer=offer,
        price=price,
        policy=policy,
        until=policies.cancel_until(policy.terms, rules.at) if policy else None,
        waits=product.has_keys and product.own_version is not None and sku.id not in stock,
        problems=_line_problems(line, rules, series, in_force, price),
    )


def _line_problems(
    line: CartLine, rules: SellingRules, series: list[Price], in_force: list[Price], price: Price | None
) -> list[str]:
    sku = line.offer.sku
    problems = rules.type_problems(sku.product.product_type) or rules.price_problems(series)
    if problems:
        return problems
    quantity = quantity_problem(
        line.quantity, smallest=sku.minimum_quantity, largest=sku.maximum_quantity, prices=in_force
    )
    if quantity:
        return [quantity]
    if price is not None and price.unit_price * line.quantity > LARGEST:
        return [_("The amount is too large.")]
    return []


def changes_since(seen: Sequence[str], current: Review) -> list[str]:
    """What is different from what a person saw (``Review.shown``), in sentences."""
    before = {text.partition(":")[0]: text for text in seen}
    changes = []
    for line in current.lines:
        known = before.pop(line.key, None)
        if known != line.shown:
            changes.append(_change(line, known))
    if before:
        changes.append(_("Lines that you saw are no longer in the cart: %(number)s.", number=len(before)))
    return changes


def _change(line: ReviewLine, known: str | None) -> str:
    title = f"{line.product.title}, {line.sku.title}"
    if known is None:
        return _("“%(title)s” was added.", title=title)
    if line.problems:
        return _("“%(title)s” cannot be ordered any more.", title=title)
    if known.split(":")[1:2] != [str(line.line.quantity)]:
        return _("The quantity of “%(title)s” is now %(number)s.", title=title, number=line.line.quantity)
    return _("“%(title)s” now has a different price.", title=title)
