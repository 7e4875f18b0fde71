"""Prices from the sheet, a suite, and a stock of keys of which one pool is empty and one is low."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random

from sqlalchemy import select

from csp_web.db import session
from csp_web.domain.access.actors import Actor
from csp_web.domain.sales.price_import import import_price_sheet
from csp_web.domain.stock.key_import import import_keys
from csp_web.domain.stock.key_sheet import KeyRow, read_key_sheet
from csp_web.models import Offer, Product, Sku, SkuInclusion

DATA = Path(__file__).parent.parent / "data" / "demo"
EMPTY = ("DG7GMGF08SY7", "0047", "SQL Server 2025")  # who orders this waits
LOW = ("DG7GMGF0XDZ2", "0043", "SQL Server 2022")
KEYS_PER_POOL = 24
KEY_LETTERS = "BCDFGHJKMPQRTVWXY2346789"

SUITE, SERVER_IN_SUITE = ("DG7GMGF0M5FM", "0049"), ("DG7GMGF07GY9", "0045")

# What is bought in this story: the product by preference, and the one that had a price already before 2026.
GOODS = {
    "windows datacenter": (("DG7GMGF06GW3", "001F"), ("DG7GMGF0LJRR", "0007")),
    "windows standard": (("DG7GMGF0CV6R", "0019"), ("DG7GMGF0QLYC", "0001")),
    "windows standard, 3 years": (("DG7GMGF0CV6R", "001A"), ("DG7GMGF0QLYC", "0002")),
    "windows 2022 datacenter": (("DG7GMGF0WCRF", "0013"), ("DG7GMGF0LJRR", "0007")),
    "windows 2019 standard": (("DG7GMGF0QLYC", "0001"),),
    "access": (("DG7GMGF095L8", "0035"), ("DG7GMGF0Y8V8", "0025")),
    "remote access": (("DG7GMGF034BT", "0037"), ("DG7GMGF0LWRX", "0027")),
    "sql standard": (SERVER_IN_SUITE, ("DG7GMGF07G69", "003D")),
    "sql 2022 enterprise": (("DG7GMGF0XDZ2", "0043"), ("DG7GMGF0MQ57", "003F")),
    "sql enterprise": (("DG7GMGF08SY7", "0047"), ("DG7GMGF0MQ57", "003F")),
    "sql 2019 standard": (("DG7GMGF07G69", "003D"),),
    "sql suite": (SUITE, ("DG7GMGF07G69", "003D")),
    "reservation": (("DZH318Z0VN9V", "000B"),),
    "reservation, Japan": (("DZH318Z07DWW", "0009"),),
}


def add_prices(by: Actor) -> None:
    """Import the price sheet, and say what the suite carries."""
    with (DATA / "price-sheet.csv").open("rb") as stream:
        report = import_price_sheet(stream, "price-sheet.csv", by=by)
    if not report.ok:
        raise ValueError(f"price-sheet.csv: {report.errors[0]}")
    session.add(SkuInclusion(sku_id=_sku(*SUITE).id, included_sku_id=_sku(*SERVER_IN_SUITE).id))
    session.flush()


def add_keys(luck: Random, by: Actor) -> None:
    """Import the sheet's keys and as many made-up ones as a pool is to have."""
    report = import_keys(_keys(luck), by=by)
    if report.errors:
        raise ValueError(f"keys.csv: {report.errors[0]}")


def _keys(luck: Random) -> Iterator[KeyRow]:
    counts: dict[tuple[str, str, str], int] = {}
    with (DATA / "keys.csv").open("rb") as stream:
        for row in read_key_sheet(stream):
            if not isinstance(row, KeyRow):
                raise ValueError(f"keys.csv: {row}")
            pool = (row.product_id, row.sku_id, row.version)
            if pool != EMPTY:
                counts[pool] = counts.get(pool, 0) + 1
                yield row
    for number, (pool, count) in enumerate(counts.items()):
        for extra in range(0 if pool == LOW else KEYS_PER_POOL - count):
            yield KeyRow(number * KEYS_PER_POOL + extra, *pool, key=made_up_key(luck))


def made_up_key(luck: Random) -> str:
    """25 characters in five groups that are nobody's key."""
    letters = "".join(luck.choices(KEY_LETTERS, k=25))
    return "-".join(letters[place : place + 5] for place in range(0, 25, 5))


def offer(goods: str, market: str, at: datetime) -> Offer:
    """The price of something in a market at an instant: of the first product that has one."""
    for product_id, sku_id in GOODS[goods]:
        prices = select(Offer).filter_by(sku_id=_sku(product_id, sku_id).id, market=market, segment="Commercial")
        for price in session.scalars(prices.order_by(Offer.id)):
            if price.is_valid(at):
                return price
    raise LookupError(f"no price of {goods} in {market} at {at}")


def _sku(product_id: str, sku_id: str) -> Sku:
    return session.scalars(
        select(Sku).join(Sku.product).where(Product.product_id == product_id, Sku.sku_id == sku_id)
    ).one()
