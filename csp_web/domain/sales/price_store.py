"""Writes what a price sheet changes, in bulk: 100,000 prices are a few statements with many rows each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import bindparam, insert, select, text, update

from csp_web.db import on_sqlite, session
from csp_web.domain.sales.price_plan import Plan, PriceState, Series, SkuName, family_of
from csp_web.domain.sales.price_sheet import PriceRow
from csp_web.models import Offer, Product, ProductType, Sku

ROWS_AT_ONCE = 5000
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Item = TypeVar("Item")
Progress = Callable[[int], None]


def lock_catalogue() -> None:
    """Let one import run at a time; readers go on reading. On SQLite there is one writer anyway."""
    if not on_sqlite():
        session.execute(text("LOCK TABLE offers IN SHARE ROW EXCLUSIVE MODE"))


def store(plan: Plan, progress: Progress | None = None) -> None:
    """Carry out a plan inside the caller's transaction. ``progress`` is told how many prices were written."""
    _write(insert(Product), (_new_product(row, plan) for row in plan.new_products.values()))
    products: dict[str, int] = {
        row.product_id: row.id for row in session.execute(select(Product.product_id, Product.id))
    }
    _write(insert(Sku), (_new_sku(row, products[row.product_id]) for row in plan.new_skus.values()))
    _update_texts(plan, products)
    skus = {
        SkuName(product, sku): key
        for product, sku, key in session.execute(select(Product.product_id, Sku.sku_id, Sku.id).join(Sku.product))
    }
    _write(_CHANGE_PRICE, (_changed(price) for price in plan.changed_prices), progress)
    before = len(plan.changed_prices)
    _write(insert(Offer), (_new_offer(name, price, skus) for name, price in plan.new_prices), progress, before)
    session.expire_all()


def availability_id(name: Series, price: PriceState) -> str:
    """The public id of a price: 12 capital letters and digits, the same on every installation."""
    content = "\0".join([*map(str, name), price.valid_from.isoformat()])
    number = int.from_bytes(hashlib.sha256(content.encode()).digest()[:10], "big")
    return "".join(_DIGITS[number // 36**place % 36] for place in range(12))


def _write(statement: Any, rows: Iterable[dict[str, Any]], progress: Progress | None = None, written: int = 0) -> None:
    connection = session.connection()
    for batch in _batches(rows, ROWS_AT_ONCE):
        connection.execute(statement, batch)
        written += len(batch)
        if progress is not None:
            progress(written)


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _new_product(row: PriceRow, plan: Plan) -> dict[str, Any]:
    family, kind = family_of(row)
    software = kind is ProductType.SOFTWARE_SUBSCRIPTION
    access_licence = row.product_id in plan.access_licences_only
    return {
        "product_id": row.product_id,
        "title": row.product_title,
        "publisher": row.publisher,
        "family": family,
        "product_type": kind,
        "own_version": row.own_version,
        "is_cal": access_licence,
        "has_keys": software,
        "has_files": software and not access_licence,
    }


def _new_sku(row: PriceRow, product: int) -> dict[str, Any]:
    return {
        "product_id": product,
        "sku_id": row.sku_id,
        "title": row.sku_title,
        "description": row.description,
        "unit": row.unit,
        "arm_sku_name": row.arm_sku_name,
        "region": row.region,
    }


def _update_texts(plan: Plan, products: dict[str, int]) -> None:
    _write(
        update(Product).where(Product.product_id == bindparam("name")).values(
            title=bindparam("new_title"), publisher=bindparam("new_publisher")
        ),
        (
            {"name": name, "new_title": row.product_title, "new_publisher": row.publisher}
            for name, row in plan.product_texts.items()
        ),
    )  # fmt: skip
    _write(
        update(Sku).where(Sku.product_id == bindparam("product"), Sku.sku_id == bindparam("name")).values(
            title=bindparam("new_title"), description=bindparam("new_description"), unit=bindparam("new_unit")
        ),
        (
            {
                "product": products[name.product_id],
                "name": name.sku_id,
                "new_title": row.sku_title,
                "new_description": row.description,
                "new_unit": row.unit,
            }
            for name, row in plan.sku_texts.items()
        ),
    )  # fmt: skip


_CHANGE_PRICE = (
    update(Offer)
    .where(Offer.id == bindparam("price"))
    .values(
        unit_price=bindparam("new_unit_price"),
        erp_price=bindparam("new_erp_price"),
        tier_max=bindparam("new_tier_max"),
        valid_to=bindparam("new_valid_to"),
    )
)


def _changed(price: PriceState) -> dict[str, Any]:
    return {
        "price": price.id,
        "new_unit_price": price.unit_price,
        "new_erp_price": price.erp_price,
        "new_tier_max": price.tier_max,
        "new_valid_to": price.valid_to,
    }


def _new_offer(name: Series, price: PriceState, skus: dict[SkuName, int]) -> dict[str, Any]:
    return {
        "availability_id": availability_id(name, price),
        "sku_id": skus[SkuName(name.product_id, name.sku_id)],
        "term": name.term,
        "billing_plan": name.billing_plan,
        "market": name.market,
        "currency": name.currency,
        "segment": name.segment,
        "tier_min": name.tier_min,
        "tier_max": price.tier_max,
        "unit_price": price.unit_price,
        "erp_price": price.erp_price,
        "valid_from": price.valid_from,
        "valid_to": price.valid_to,
    }
