"""The cart of a customer: it belongs to the partner's team, survives sign-out, and knows its own faults (B6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import joinedload

from csp_web.db import for_update, now, on_sqlite, session
from csp_web.domain import audit, once
from csp_web.domain.access.actors import Actor, find, require
from csp_web.domain.sales.cart_review import line_key
from csp_web.domain.sales.catalogue import PriceSeries, offer_problems, price_of, prices_in_market, quantity_problem
from csp_web.errors import Conflict, Invalid, Refused
from csp_web.i18n import gettext as _
from csp_web.identifiers import parse_guid
from csp_web.models import Cart, CartLine, Customer, Offer, ProductType
from csp_web.said import joined

MOST_LINES = 100  # one order is one transaction, and one page
SCOPES = ("single", "shared")


def find_cart(customer: Customer) -> Cart | None:
    """The customer's cart; None while nothing was ever added."""
    return session.scalar(select(Cart).where(Cart.customer_id == customer.id))


def cart_size(customer: Customer) -> int:
    """How many lines the customer's cart has."""
    lines = select(func.count()).select_from(CartLine).join(CartLine.cart).where(Cart.customer_id == customer.id)
    return session.scalar(lines) or 0


def add_line(
    customer: Customer,
    offer: Offer,
    quantity: int,
    *,
    by: Actor,
    token: str,
    azure_subscription: str = "",
    scope: str = "",
) -> CartLine:
    """Put an offer into the customer's cart; the same offer again adds up. The same form sent again does nothing.

    Raises:
        Forbidden: the actor may not order.
        Refused: the offer cannot be bought for this customer (B6).
        Invalid: the quantity, Azure subscription or scope does not fit.
        Conflict: the form was already sent with other content.
    """
    require(by, "orders.place")
    content = {
        "customer": customer.id,
        "offer": offer.id,
        "quantity": quantity,
        "azure": azure_subscription,
        "scope": scope,
    }
    earlier = once.first_time(token, purpose="add_to_cart", content=content, by=by)
    if earlier is not None:
        return _added_before(earlier, customer)
    azure = _azure_facts(offer, azure_subscription, scope)
    refused = offer_problems(offer, customer, now())
    if refused:
        raise Refused(joined(refused))
    cart = _open(customer, by)
    line = _add(cart, offer, quantity, azure, by)
    _changed(cart, by)
    once.done(token, by=by, result=line.id)
    audit.record(
        "add_to_cart",
        by=by,
        resource=("cart", customer.uuid),
        customer=customer,
        offer=offer.availability_id,
        quantity=quantity,
    )
    session.flush()
    return line


def _added_before(result: str, customer: Customer) -> CartLine:
    line = session.scalar(
        select(CartLine).join(Cart).where(CartLine.id == int(result), Cart.customer_id == customer.id)
    )
    if line is None:
        raise Conflict(_("This was already added to the cart, and is no longer there."))
    return line


def _azure_facts(offer: Offer, subscription: str, scope: str) -> tuple[str | None, str | None]:
    """The customer's Azure subscription and the scope that reservations are bought for (R4); nothing for software."""
    if offer.sku.product.product_type is not ProductType.RESERVATION:
        return None, None
    problems = {}
    guid = parse_guid(subscription)
    if guid is None:
        problems["azure_subscription"] = _(
            "Enter the GUID of the customer's Azure subscription, for example 3f2504e0-4f89-11d3-9a0c-0305e82c3301."
        )
    if scope not in SCOPES:
        problems["scope"] = _("Choose whether it counts for one subscription or for all of them.")
    if problems:
        raise Invalid(problems)
    return str(guid), scope


def _open(customer: Customer, by: Actor) -> Cart:
    """The customer's cart, made if need be and locked: whoever adds at the same time waits."""
    insert = sqlite.insert if on_sqlite() else postgresql.insert
    session.execute(
        insert(Cart)
        .values(
            partner_id=customer.partner_id,
            customer_id=customer.id,
            created_at=now(),
            modified_at=now(),
            modified_by_id=by.id,
            version=1,
        )
        .on_conflict_do_nothing()
    )
    key = session.scalars(select(Cart.id).where(Cart.customer_id == customer.id)).one()
    return for_update(Cart, key)


def _add(cart: Cart, offer: Offer, quantity: int, azure: tuple[str | None, str | None], by: Actor) -> CartLine:
    lines = _lines(cart)
    line = next((line for line in lines if _is_same(line, offer, azure)), None)
    if line is None and len(lines) >= MOST_LINES:
        raise Refused(_("A cart holds at most %(number)s lines. Order what is in it first.", number=MOST_LINES))
    together = quantity + (line.quantity if line else 0)
    _check_quantity("quantity", together if quantity > 0 else quantity, offer)
    if line is None:
        line = CartLine(cart_id=cart.id, offer_id=offer.id, quantity=together, unit_price=offer.unit_price)
        line.azure_subscription_id, line.scope = azure
        line.added_by_id = by.id
        session.add(line)
    else:
        line.quantity = together
    session.flush()
    return line


def _lines(cart: Cart) -> list[CartLine]:
    offers = joinedload(CartLine.offer)
    return list(session.scalars(select(CartLine).where(CartLine.cart_id == cart.id).options(offers)))


def _is_same(line: CartLine, offer: Offer, azure: tuple[str | None, str | None]) -> bool:
    """Whether a line is for the same thing: an older price of the same series is."""
    same = ("sku_id", "market", "currency", "term", "billing_plan", "segment")
    return (line.azure_subscription_id, line.scope) == azure and all(
        getattr(line.offer, name) == getattr(offer, name) for name in same
    )


def _check_quantity(field: str, quantity: int, offer: Offer) -> None:
    sku = offer.sku
    tiers = prices_in_market({sku.id}, offer.market, now())
    series = tiers.get(PriceSeries(sku.id, offer.term, offer.billing_plan, offer.currency), [price_of(offer)])
    in_force = [price for price in series if price.is_valid(now())]
    problem = quantity_problem(quantity, smallest=sku.minimum_quantity, largest=sku.maximum_quantity, prices=in_force)
    if problem:
        raise Invalid({field: problem})


def change_lines(cart: Cart, *, quantities: Mapping[str, int], by: Actor, remove: Collection[str] = ()) -> None:
    """Set quantities of lines by their ``line_key``, and take lines out. Lines that are gone already are passed over.

    Raises:
        Forbidden: the actor may not order.
        Invalid: a quantity does not fit; named ``quantity-<line>``.
    """
    require(by, "orders.place")
    cart = for_update(Cart, cart.id)
    customer = find(Customer, by, id=cart.customer_id)
    changes: dict[str, object] = {}
    for line in _lines(cart):
        key = line_key(line)
        wanted = quantities.get(key, line.quantity)
        if key in remove:
            changes[line.offer.availability_id] = 0
            session.delete(line)
        elif wanted != line.quantity:
            _check_quantity(f"quantity-{key}", wanted, line.offer)
            changes[line.offer.availability_id] = wanted
            _set_quantity(line, wanted, customer)
    if changes:
        _changed(cart, by)
        audit.record("change_cart", by=by, resource=("cart", customer.uuid), customer=customer, quantities=changes)
    session.flush()


def _set_quantity(line: CartLine, quantity: int, customer: Customer) -> None:
    """A quantity may cross into another tier: that price was shown beside this one and needs no confirmation."""
    series = prices_in_market({line.offer.sku_id}, customer.country, now()).get(
        PriceSeries(line.offer.sku_id, line.offer.term, line.offer.billing_plan, line.offer.currency), []
    )
    before = next((price for price in series if price.is_valid(now()) and price.fits(line.quantity)), None)
    after = next((price for price in series if price.is_valid(now()) and price.fits(quantity)), None)
    if before and after and before.unit_price == line.unit_price:
        line.unit_price = after.unit_price
    line.quantity = quantity


def take_out(cart: Cart, lines: Collection[CartLine], *, by: Actor) -> None:
    """Take lines out that were ordered; the cart stays for the next order."""
    for line in lines:
        session.delete(line)
    _changed(cart, by)


def _changed(cart: Cart, by: Actor) -> None:
    cart.version += 1
    cart.modified_at, cart.modified_by_id = now(), by.id
