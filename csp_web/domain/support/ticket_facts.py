"""The facts of a ticket, checked against the records, and the description written from them (R35, R40, D4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_

from csp_web.db import session
from csp_web.domain.access.actors import Actor, scoped
from csp_web.domain.support.refunds import refund_due
from csp_web.errors import Invalid
from csp_web.i18n import format_money, language
from csp_web.i18n import gettext as _
from csp_web.identifiers import clean_text, normalize_domain, parse_guid
from csp_web.models import Customer, Order, Subscription
from csp_web.money import parse_amount
from csp_web.said import joined

INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a ticket is about, as far as the records know it. ``amount``, of a refund, is in minor units of the line's currency."""

    customer: Customer | None = None
    subscription: Subscription | None = None
    amount: int | None = None
    lines: Sequence[Subscription] = field(default=())  # of the named order, when it has several


def find_subject(facts: dict[str, str], *, line: str, by: Actor) -> Subject:
    """The customer and the line that were typed; what was left empty is not looked for.

    ``line`` is the id of the one line of an order with several.

    Raises:
        Invalid: there is no such thing, or it is another partner's: the same sentence for both.
    """
    customer = _customer(facts.get("customer", ""), by)
    lines = _lines(facts.get("order_or_subscription", ""), customer, by)
    chosen = _chosen(lines, line)
    if customer is None and lines:
        customer = lines[0].customer
    return Subject(customer=customer, subscription=chosen, lines=lines if len(lines) > 1 else ())


def _customer(text: str, by: Actor) -> Customer | None:
    if not text.strip():
        return None
    guid = parse_guid(text)
    statement = scoped(Customer, by)
    try:
        statement = statement.filter_by(uuid=guid) if guid else statement.filter_by(domain=normalize_domain(text))
    except ValueError as error:
        shown = clean_text(text)[:60]
        sentence = _("“%(text)s” is neither a GUID nor a domain. Write it like contoso.com.", text=shown)
        raise Invalid({"customer": sentence}) from error
    found: Customer | None = session.scalar(statement)
    if found is None:
        raise Invalid({"customer": _("You have no customer with this domain or GUID.")})
    return found


def _lines(text: str, customer: Customer | None, by: Actor) -> list[Subscription]:
    """The subscription of this id, or the lines of the order of this id."""
    tidy = clean_text(text).strip(INVISIBLE).strip()
    if not tidy:
        return []
    guid = parse_guid(tidy)
    statement = scoped(Subscription, by).order_by(Subscription.line_number)
    if guid:
        statement = statement.where(Subscription.uuid == guid)
    else:
        named = or_(Order.order_id == tidy, Order.alternate_id == tidy.lower())
        statement = statement.join(Order, Order.id == Subscription.order_id).where(named)
    if customer is not None:
        statement = statement.where(Subscription.customer_id == customer.id)
    found = list(session.scalars(statement))
    if not found:
        raise Invalid({"order_or_subscription": _no_such_line(customer)})
    return found


def _no_such_line(customer: Customer | None) -> str:
    if customer is None:
        return _("You have no order or subscription with this ID.")
    return _("%(customer)s has no order or subscription with this ID.", customer=customer.company_name)


def _chosen(lines: list[Subscription], line: str) -> Subscription | None:
    if len(lines) == 1:
        return lines[0]
    wanted = parse_guid(line)
    return next((each for each in lines if each.uuid == wanted), None)


def lines_of_order(text: str, by: Actor) -> Sequence[Subscription]:
    """For the form: the lines of the order that was typed, when it has several."""
    try:
        lines = _lines(text, None, by)
    except Invalid:
        return ()
    return lines if len(lines) > 1 else ()


def amount_asked(text: str, subscription: Subscription, at: datetime) -> int:
    """Minor units of the amount that was typed, in the line's currency (D6). Nothing is asked where nothing is due.

    Raises:
        Invalid: it cannot be read, is nothing although something is due, or is more than the line gives back.
    """
    try:
        amount = parse_amount(text, subscription.currency, language())
    except ValueError as error:
        raise Invalid({"amount": str(error)}) from error
    due = refund_due(subscription, at)
    if amount > due:
        most = format_money(due, subscription.currency)
        raise Invalid({"amount": _("At most %(most)s can be refunded for this line.", most=most)})
    if amount == 0 < due:
        raise Invalid({"amount": _("Enter an amount above zero.")})
    return amount


def written_description(
    customer: Customer, subscription: Subscription, *, reason: str, amount: int, order_id: str
) -> str:
    """The four facts as sentences for the Description (R40), said again to each reader in their own language."""
    return joined(
        (
            _(
                "Customer: %(name)s, %(domain)s, %(guid)s",
                name=customer.company_name,
                domain=customer.domain,
                guid=customer.uuid,
            ),
            _("Order: %(order)s", order=order_id),
            _("Subscription: %(id)s", id=subscription.uuid),
            _(
                "Product: %(product)s, %(sku)s, quantity %(quantity)s",
                product=subscription.product_title,
                sku=subscription.sku_title,
                quantity=subscription.quantity,
            ),
            _("Refund reason: %(reason)s", reason=reason),
            _("Amount requested: %(amount)s", amount=format_money(amount, subscription.currency)),
        ),
        "\n",
    )
