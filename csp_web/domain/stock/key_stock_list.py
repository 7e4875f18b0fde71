"""The stock of keys as the operator sees it: counts per pool, never a key (D12, B3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select

from csp_web.db import session
from csp_web.domain.paging import PAGE_SIZE
from csp_web.identifiers import fold
from csp_web.models import KeyPool, KeyState, KeyWait, Product, ProductKey, Sku


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One pool. ``low``: so few are free that the operator was told; ``waiting``: lines without a key."""

    number: int
    product: str
    sku: str
    version: str
    free: int
    handed_out: int
    quarantined: int
    waiting: int
    low: bool


@dataclass(frozen=True, slots=True)
class PoolPage:
    """Some pools, and the numbers of the pages around them; None where there is none."""

    rows: Sequence[PoolRow]
    previous: int | None
    next: int | None


def stock_page(text: str = "", *, only_low: bool = False, number: int = 1) -> PoolPage:
    """A page of the pools that a part of product, SKU or version names; ``only_low``: low ones and those lines wait for.

    A catalogue has some hundred pools, so they are counted whole and cut here.
    """
    wanted = fold(text)
    found = [
        row
        for row in stock_list()
        if wanted in fold(f"{row.product} {row.sku} {row.version}") and (not only_low or row.low or row.waiting)
    ]
    last = max(1, -(-len(found) // PAGE_SIZE))
    number = min(max(number, 1), last)
    rows = found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return PoolPage(rows, number - 1 if number > 1 else None, number + 1 if number < last else None)


def stock_list() -> Sequence[PoolRow]:
    """All pools by product and version, those where lines wait first. Three statements, whatever the stock."""
    counted = select(ProductKey.pool_id, *(_count(state) for state in KeyState)).group_by(ProductKey.pool_id)
    counts: dict[int, list[int]] = {row[0]: list(row[1:]) for row in session.execute(counted)}
    open_waits = select(KeyWait.pool_id, func.count()).where(KeyWait.ended_at.is_(None)).group_by(KeyWait.pool_id)
    waiting = {pool: number for pool, number in session.execute(open_waits)}  # noqa: C416 -- rows, not pairs
    pools = session.execute(
        select(KeyPool.id, KeyPool.version, KeyPool.low_at, Product.title, Product.product_id, Sku.sku_id)
        .join(Sku, Sku.id == KeyPool.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .order_by(Product.title, Sku.sku_id, KeyPool.version)
    )
    rows = []
    for pool, version, low_at, title, product, sku in pools:
        free, handed_out, quarantined = counts.get(pool, [0, 0, 0])
        rows.append(
            PoolRow(
                number=pool,
                product=title,
                sku=f"{product}:{sku}",
                version=version,
                free=free,
                handed_out=handed_out,
                quarantined=quarantined,
                waiting=waiting.get(pool, 0),
                low=free <= low_at,
            )
        )
    return sorted(rows, key=lambda row: (not row.waiting, not row.low))


def _count(state: KeyState) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((ProductKey.state == state, 1), else_=0)), 0)
