"""Stock of keys and lines for tests: keys that are different every time, and never real ones."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

from csp_web.db import session, transaction
from csp_web.domain.stock.keys import import_keys
from csp_web.models import KeyPool, Sku, Subscription
from tests.world import make_subscription

if TYPE_CHECKING:
    from csp_web.domain.stock.keys import KeyImport
    from tests.world import World

LETTERS = "BCDFGHJKMPQRTVWXY2346789"
_count = itertools.count(1)


def new_key() -> str:
    """A key that no other test has."""
    number, letters = next(_count), ""
    for _place in range(25):
        number, letter = divmod(number, len(LETTERS))
        letters = LETTERS[letter] + letters
    return "-".join(letters[place : place + 5] for place in range(0, 25, 5))


def sheet(*rows: str) -> io.BytesIO:
    """A sheet of keys with these rows."""
    return io.BytesIO("\n".join(["ProductId,SkuId,Version,ProductKey", *rows, ""]).encode())


def row_of(sku: Sku, version: str, key: str) -> str:
    """One line of a sheet."""
    return f"{sku.product.product_id},{sku.sku_id},{version},{key}"


def stock(sku: Sku, version: str, count: int) -> KeyImport:
    """Import so many new keys, in a transaction of their own."""
    number = sku.id
    with transaction():
        sku = session.get_one(Sku, number)
        return import_keys(sheet(*(row_of(sku, version, new_key()) for _each in range(count))), by=None)


def sku_of(world: World, offer: str = "windows-US") -> Sku:
    """The SKU of an offer of the world."""
    return world.offer(offer).sku


def bought(world: World, offer: str = "windows-US", *, customer: str = "coho", by: str = "alice") -> Subscription:
    """A line of a customer, ordered now, in a transaction of its own; no key is taken."""
    with transaction():
        return make_subscription(world.customer(customer), world.offer(offer), by=world.actor(by))


def pool_of(sku: Sku, version: str) -> KeyPool:
    """The pool of a version."""
    return session.query(KeyPool).filter_by(sku_id=sku.id, version=version).one()
