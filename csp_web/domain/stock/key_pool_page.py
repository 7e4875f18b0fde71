"""One pool of keys as the operator sees it: counts, who waits, what lies in quarantine and why; never a key (B3, D12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import aliased

from csp_web.db import read, scalar_or_404, session
from csp_web.domain.paging import Listing
from csp_web.domain.stock.vault import masked
from csp_web.models import KeyAssignment, KeyPool, KeyState, KeyWait, Order, Partner, ProductKey, Subscription, User
from csp_web.said import again

SHOWN_WAITS: Final = 100


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A key in quarantine: since when, by whom and why; ``handed_out``: somebody had it, so it never comes back."""

    number: int
    masked: str
    since: datetime | None
    by: str
    reason: str
    handed_out: bool


@dataclass(frozen=True, slots=True)
class PoolPage:
    """Everything that the page of a pool shows."""

    pool: KeyPool
    counts: dict[KeyState, int]
    waiting: Sequence[Row[*tuple[Any, ...]]]  # partner, order, since: the oldest first
    waiting_in_all: int
    quarantined: Sequence[Quarantined]
    previous: str | None
    next: str | None

    @property
    def low(self) -> bool:
        """Whether so few are free that the operator was told."""
        return self.counts[KeyState.FREE] <= self.pool.low_at


_key, _assignment = ProductKey.__table__.c, KeyAssignment.__table__.c
_put_by, _revoked_by = aliased(User), aliased(User)
_QUARANTINED = Listing(
    select(
        _key.id,
        _key.last_five,
        _assignment.id.label("assignment"),
        func.coalesce(_assignment.revoked_at, _key.quarantined_at).label("since"),
        func.coalesce(_revoked_by.name, _put_by.name, "").label("by"),
        func.coalesce(_assignment.revoked_reason, _key.quarantine_reason, "").label("reason"),
    )
    .join_from(ProductKey.__table__, KeyAssignment.__table__, _assignment.product_key_id == _key.id, isouter=True)
    .outerjoin(_revoked_by, _revoked_by.id == _assignment.revoked_by_id)
    .outerjoin(_put_by, _put_by.id == _key.quarantined_by_id)
    .where(_key.pool_id == bindparam("pool"), _key.state == KeyState.QUARANTINED),
    (_key.id,),
    descending=True,
)


def find_pool(number: int) -> KeyPool:
    """A pool by its number. Raises NotFound."""
    pool: KeyPool = scalar_or_404(select(KeyPool).filter_by(id=number))
    return pool


def pool_page(pool: KeyPool, *, cursor: str | None = None) -> PoolPage:
    """A pool with a page of its quarantine, newest first."""
    counted = select(ProductKey.state, func.count()).where(ProductKey.pool_id == pool.id).group_by(ProductKey.state)
    counts = dict.fromkeys(KeyState, 0) | {row[0]: row[1] for row in session.execute(counted)}
    open_waits = select(Partner.name, Order.order_id, KeyWait.since).where(
        KeyWait.pool_id == pool.id, KeyWait.ended_at.is_(None)
    )
    open_waits = (
        open_waits.join_from(KeyWait, Subscription, Subscription.id == KeyWait.subscription_id)
        .join(Order, Order.id == Subscription.order_id)
        .join(Partner, Partner.id == Subscription.partner_id)
    )
    waiting = session.execute(open_waits.order_by(KeyWait.since, KeyWait.id).limit(SHOWN_WAITS)).all()
    in_all = select(func.count()).where(KeyWait.pool_id == pool.id, KeyWait.ended_at.is_(None))
    page = _QUARANTINED.page(cursor, pool=pool.id)
    rows = [
        Quarantined(row.id, masked(row.last_five), row.since, row.by, again(row.reason), row.assignment is not None)
        for row in page.rows
    ]
    return PoolPage(pool, counts, waiting, read(in_all).scalar_one(), rows, page.previous, page.next)


def find_key(pool: KeyPool, number: int) -> ProductKey:
    """A key of a pool. Raises NotFound."""
    key: ProductKey = scalar_or_404(select(ProductKey).filter_by(id=number, pool_id=pool.id))
    return key
