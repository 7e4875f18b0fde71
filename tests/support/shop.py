"""The world with its rules installed, and the short ways in which tests of buying speak."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from csp_web.db import now, select, session, transaction
from csp_web.domain.sales.cart_review import Review, line_key, review
from csp_web.domain.sales.carts import add_line, find_cart
from csp_web.domain.sales.ordering import place_order
from csp_web.domain.upkeep.installation import install_rules
from csp_web.models import Cart, KeyPool, KeyState, MarketSet, Offer, Order, ProductKey
from tests.world import World, build_world

AZURE = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
_tokens = itertools.count(1)
_fingerprints = itertools.count(1)


def new_token() -> str:
    """A form's token."""
    return f"token-of-a-test-{next(_tokens):06d}"


def build_shop() -> World:
    """The world of all tests, with market lists and policies in force."""
    world = build_world()
    with transaction():
        install_rules()
    return world


def add(
    world: World,
    offer: str = "windows-US",
    quantity: int = 1,
    *,
    customer: str = "coho",
    who: str = "alice",
    azure: str = "",
    scope: str = "",
    token: str = "",
) -> str:
    """Put an offer into a customer's cart; returns the line's name in forms."""
    with transaction():
        line = add_line(
            world.customer(customer),
            world.offer(offer),
            quantity,
            by=world.actor(who),
            token=token or new_token(),
            azure_subscription=azure,
            scope=scope,
        )
        return line_key(line)


def cart_of(world: World, customer: str = "coho") -> Cart:
    """The customer's cart, read afresh."""
    session.rollback()
    cart = find_cart(world.customer(customer))
    assert cart is not None
    return cart


def look(world: World, customer: str = "coho", at: datetime | None = None) -> Review:
    """The customer's cart as it would be ordered now."""
    return review(cart_of(world, customer), world.customer(customer), at or now())


def order(world: World, *, customer: str = "coho", who: str = "alice", token: str = "", **wish: object) -> Order:
    """Place the customer's cart as an order."""
    cart = cart_of(world, customer)
    version = cart.version
    with transaction():
        return place_order(cart, by=world.actor(who), token=token or new_token(), **{"version": version, **wish})  # type: ignore[arg-type]


def end_price(world: World, offer: str, at: datetime) -> None:
    """Let an offer's price end."""
    row = world.offer(offer)
    with transaction():
        row.valid_to = at


def new_price(world: World, offer: str, amount: int, begin: datetime) -> Offer:
    """A newer price of the same series, as a newer price sheet brings it."""
    old = world.offer(offer)
    with transaction():
        old.valid_to = begin
        newer = Offer(
            availability_id=f"NEWER{next(_tokens):07d}",
            sku_id=old.sku_id,
            term=old.term,
            billing_plan=old.billing_plan,
            market=old.market,
            currency=old.currency,
            unit_price=amount,
            valid_from=begin,
        )
        session.add(newer)
    return newer


def add_stock(world: World, offer: str, version: str, count: int = 1) -> None:
    """Free keys of a SKU; what they say does not matter here."""
    sku = world.offer(offer).sku_id
    with transaction():
        pool = session.scalar(select(KeyPool).filter_by(sku_id=sku, version=version))
        if pool is None:
            pool = KeyPool(sku_id=sku, version=version)
            session.add(pool)
            session.flush()
        for _ in range(count):
            session.add(
                ProductKey(
                    pool_id=pool.id,
                    sku_id=sku,
                    ciphertext=b"x",
                    key_id="test",
                    fingerprint=next(_fingerprints).to_bytes(32, "big"),
                    last_five="ABCDE",
                    state=KeyState.FREE,
                )
            )


def exclude_from(world: World, begin: datetime) -> None:
    """Let the market list of reservations begin at an instant."""
    with transaction():
        session.scalars(select(MarketSet).filter_by(name="seed-2018")).one().in_force_from = begin.astimezone(UTC)
