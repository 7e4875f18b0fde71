"""Placing an order: one form is one order, one line is one subscription, and what was agreed is frozen (R16, R17, D1, D8)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from csp_web.db import for_update, now, session
from csp_web.domain import audit, once
from csp_web.domain.access.actors import Actor, find, require
from csp_web.domain.sales.cart_review import CartChanged, Review, ReviewLine, changes_since, review
from csp_web.domain.sales.carts import take_out
from csp_web.domain.stock.keys import hand_out_own_version
from csp_web.errors import Invalid, Refused
from csp_web.i18n import gettext as _
from csp_web.identifiers import new_alternate_id, new_order_id
from csp_web.models import (
    AccountEntry,
    AccountEntryKind,
    Cart,
    Customer,
    Entitlement,
    Order,
    Sku,
    SkuInclusion,
    Subscription,
)
from csp_web.said import joined

DUE_AFTER = timedelta(days=60)  # payment on account (D9)
LONGEST_REFERENCE = 100
_TERM = re.compile(r"P(\d{1,3})([MY])")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person saw on **Review order**, and decided."""

    version: int
    seen: Sequence[str] | None = None  # Review.shown; None: not compared
    reference: str = ""  # the partner's own purchase order number
    only_possible: bool = False  # order the lines that can be ordered, leave the others in the cart
    accept_prices: bool = False  # order although prices changed since the lines were added

    @property
    def content(self) -> dict[str, Any]:
        """For telling the same form from another one."""
        return {
            "version": self.version,
            "seen": list(self.seen) if self.seen is not None else None,
            "reference": self.reference,
            "only_possible": self.only_possible,
            "accept_prices": self.accept_prices,
        }


def place_order(
    cart: Cart,
    *,
    by: Actor,
    token: str,
    version: int,
    seen: Sequence[str] | None = None,
    reference: str = "",
    only_possible: bool = False,
    accept_prices: bool = False,
    at: datetime | None = None,
) -> Order:
    """Order what is in a cart, on account. The same form sent again answers with the same order, whenever it comes.

    ``at`` is the order's instant; it is given only where history is made (demo, tests). Everything is checked again
    here, inside the transaction. Lines that were ordered leave the cart.

    Raises:
        Forbidden: the actor may not order.
        CartChanged: the cart or a price is not what the person saw.
        Refused: the cart is empty, or a line cannot be ordered and ``only_possible`` is not set.
        Invalid: a changed price was not accepted, or the reference is too long.
        Conflict: the form was already sent with other content.
    """
    require(by, "orders.place")
    wish = Wish(version, seen, reference.strip(), only_possible, accept_prices)
    earlier = once.first_time(token, purpose="place_order", content={"cart": cart.id, **wish.content}, by=by)
    if earlier is not None:
        return find(Order, by, order_id=earlier)
    cart = for_update(Cart, cart.id)
    customer = find(Customer, by, id=cart.customer_id)
    at = at or now()
    current = review(cart, customer, at)
    _check(current, wish)
    order = _new_order(customer, wish, by, at)
    lines = [_new_line(order, number, line, at) for number, line in enumerate(current.possible)]
    _add_rights_and_charges(lines, by, at)
    for line in sorted(lines, key=lambda line: line.sku_id):  # two orders lock pools that are empty in one order
        hand_out_own_version(line, by=by)
    take_out(cart, [line.line for line in current.possible], by=by)
    once.done(token, by=by, result=order.order_id)
    _record(order, lines, customer, by)
    session.flush()
    return order


def why_no_order(current: Review) -> str:
    """Why nothing of a cart can be ordered; empty when something can (B6)."""
    if not current.lines:
        return _("The cart is empty. Add products first.")
    if not current.possible:
        return _("None of the lines can be ordered; the reasons stand beside them.")
    return ""


def _check(current: Review, wish: Wish) -> None:
    changes = changes_since(wish.seen, current) if wish.seen is not None else []
    if changes or current.version != wish.version:
        raise CartChanged(changes)
    if why := why_no_order(current):
        raise Refused(why)
    if current.refused and not (wish.only_possible and current.possible):
        raise Refused(
            _("Some lines cannot be ordered. Nothing was ordered."),
            advice=joined(joined((line.product.title, line.problems[0]), ": ") for line in current.refused),
        )
    problems = {}
    if current.price_changed and not wish.accept_prices:
        problems["accept_prices"] = _("Prices have changed since the lines were added. Confirm the new ones.")
    if len(wish.reference) > LONGEST_REFERENCE:
        problems["reference"] = _("At most %(count)s characters.", count=LONGEST_REFERENCE)
    if problems:
        raise Invalid(problems)


def _new_order(customer: Customer, wish: Wish, by: Actor, at: datetime) -> Order:
    order = Order(
        order_id=new_order_id(),
        alternate_id=new_alternate_id(),
        partner_id=customer.partner_id,
        customer_id=customer.id,
        placed_at=at,
        placed_by_id=by.id,
        due_at=at + DUE_AFTER,
        reference=wish.reference,
    )
    session.add(order)
    session.flush()
    return order


def _new_line(order: Order, number: int, line: ReviewLine, at: datetime) -> Subscription:
    """One subscription; titles, price and policy are copied and never looked up again (D8)."""
    if line.price is None or line.policy is None:
        raise ValueError("a line without a price or policy cannot be ordered")
    subscription = Subscription(
        partner_id=order.partner_id,
        customer_id=order.customer_id,
        order_id=order.id,
        line_number=number,
        product_id=line.product.id,
        sku_id=line.sku.id,
        offer_id=line.price.offer_id,
        product_type=line.product.product_type,
        product_title=line.product.title,
        sku_title=line.sku.title,
        quantity=line.line.quantity,
        unit_price=line.price.unit_price,
        total=line.total,
        currency=line.offer.currency,
        term=line.offer.term,
        billing_plan=line.offer.billing_plan,
        ordered_at=at,
        ends_at=term_end(at, line.offer.term),
        policy_code=line.policy.code,
        policy_terms=dict(line.policy.terms),
        cancel_until=line.until,
        azure_subscription_id=line.line.azure_subscription_id,
        region=line.sku.region,
        scope=line.line.scope,
    )
    session.add(subscription)
    return subscription


def term_end(start: datetime, term: str) -> datetime:
    """The end of a term (P1M, P1Y, P3Y) that starts at an instant: the same day and time of day in UTC.

    Where that month is shorter it is the month's last day: a year from 29 February ends on 28 February.

    Raises:
        ValueError: the term is not one of months or years.
    """
    match = _TERM.fullmatch(term)
    if match is None:
        raise ValueError(f"{term!r} is not a term")
    months = start.month - 1 + int(match[1]) * (12 if match[2] == "Y" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    return start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))


def _add_rights_and_charges(lines: Sequence[Subscription], by: Actor, at: datetime) -> None:
    """The rights to keys and files, those of a suite's parts too, and the charge on the partner's account (D9)."""
    session.flush()
    parts = _parts_of({line.sku_id for line in lines})
    for line in lines:
        own = [(line.product_id, line.sku_id, 1)]
        for product, sku, count in own + parts.get(line.sku_id, []):
            session.add(
                Entitlement(subscription_id=line.id, product_id=product, sku_id=sku, quantity=line.quantity * count)
            )
        session.add(
            AccountEntry(
                partner_id=line.partner_id,
                subscription_id=line.id,
                kind=AccountEntryKind.CHARGE,
                amount=line.total,
                currency=line.currency,
                at=at,
                by_id=by.id,
            )
        )
    session.flush()


def _parts_of(skus: Iterable[int]) -> dict[int, list[tuple[int, int, int]]]:
    """(product, SKU, how many) of what suites carry, by the suite's SKU."""
    rows = session.execute(
        select(SkuInclusion.sku_id, Sku.product_id, Sku.id, SkuInclusion.quantity)
        .join(Sku, Sku.id == SkuInclusion.included_sku_id)
        .where(SkuInclusion.sku_id.in_(skus))
        .order_by(SkuInclusion.sku_id, SkuInclusion.included_sku_id)
    )
    parts: dict[int, list[tuple[int, int, int]]] = {}
    for suite, product, sku, count in rows:
        parts.setdefault(suite, []).append((product, sku, count))
    return parts


def _record(order: Order, lines: Sequence[Subscription], customer: Customer, by: Actor) -> None:
    audit.record(
        "create_order",
        by=by,
        resource=("order", order.order_id),
        customer=customer,
        reference=order.reference or None,
        lines=[
            {
                "subscription": line.uuid,
                "sku": line.sku_title,
                "quantity": line.quantity,
                "total": line.total,
                "currency": line.currency,
                "policy": line.policy_code,
            }
            for line in lines
        ],
    )


__all__ = ["CartChanged", "place_order", "term_end"]
