"""The stock of keys: taking one exactly once, waiting where there is none, and filling who waits (D12, B3, R-4).

One statement takes a key. On SQLite the transaction has the writer's turn; on PostgreSQL rows that others are taking
are passed over, and each buyer starts at a random place of the pool, for the head of an index that many eat from is
slow. Only when nothing is found is the pool locked and looked through once more: an import holds that lock, so a line
never waits beside stock that came at the same moment. Nobody waits for a key that somebody else is taking: two who did
could wait for each other. If that other's order then fails, the key goes to the waiting line a minute later.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from csp_web.db import for_update, now, on_sqlite, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor
from csp_web.domain.long_work import periodic
from csp_web.domain.stock.key_notices import tell_if_low, tell_of_keys, tell_of_wait
from csp_web.models import Entitlement, KeyAssignment, KeyPool, KeyState, KeyWait, ProductKey, Subscription

FILLED, CANCELLED, ENDED = "filled", "cancelled", "ended"


@dataclass(frozen=True, slots=True)
class Need:
    """One key that a line needs: for which of its entitlements, in which version."""

    entitlement: Entitlement
    version: str


def pool_for(sku: int, version: str) -> KeyPool:
    """The pool of a SKU and version; an empty one is made when there is none yet."""
    insert = sqlite.insert if on_sqlite() else postgresql.insert
    session.execute(insert(KeyPool).values(sku_id=sku, version=version, low_at=2).on_conflict_do_nothing())
    return session.scalars(select(KeyPool).filter_by(sku_id=sku, version=version)).one()


def take_key(pool: KeyPool) -> int | None:
    """Take a free key out of a pool; its id, or None when there is none."""
    start = secrets.token_bytes(32)
    for place in (ProductKey.fingerprint >= start, ProductKey.fingerprint < start):
        if (taken := _take(pool.id, place)) is not None:
            return taken
    if on_sqlite():
        return None
    for_update(KeyPool, pool.id)
    return _take(pool.id, true())


def _take(pool: int, place: ColumnElement[bool]) -> int | None:
    chosen = select(ProductKey.id).where(ProductKey.pool_id == pool, ProductKey.state == KeyState.FREE, place)
    chosen = chosen.order_by(ProductKey.fingerprint).limit(1).with_for_update(skip_locked=True)
    statement = (
        update(ProductKey)
        # "=", never "IN": PostgreSQL may run the inner query of an IN once per row, and would take several keys.
        .where(ProductKey.id == chosen.scalar_subquery(), ProductKey.state == KeyState.FREE)
        .values(state=KeyState.HANDED_OUT)
        .returning(ProductKey.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(statement)


def _put_back(keys: Iterable[int]) -> None:
    """Free keys again that were taken a moment ago, in this same transaction: nobody has seen them gone."""
    statement = update(ProductKey).where(ProductKey.id.in_(list(keys))).values(state=KeyState.FREE)
    session.execute(statement.execution_options(synchronize_session=False))


def take_all(needs: Sequence[Need]) -> dict[Need, int] | None:
    """Take a key for every need, or none at all (D12)."""
    taken: dict[Need, int] = {}
    pools = {need: pool_for(need.entitlement.sku_id, need.version) for need in needs}
    for need in sorted(needs, key=lambda each: pools[each].id):  # one order for everybody: no deadlock over two pools
        key = take_key(pools[need])
        if key is None:
            _put_back(taken.values())
            return None
        taken[need] = key
    return taken


def assign(subscription: Subscription, taken: dict[Need, int], *, by: Actor | None) -> list[KeyAssignment]:
    """Write down who got which key."""
    made = []
    for need, key in taken.items():
        assignment = KeyAssignment(
            product_key_id=key,
            subscription_id=subscription.id,
            entitlement_id=need.entitlement.id,
            version=need.version,
            generation=_next_generation(need),
            assigned_by_id=by.id if by else None,
        )
        session.add(assignment)
        made.append(assignment)
        _record("hand_out_key", subscription, need, by)
    session.flush()
    pools = Counter(pool_for(need.entitlement.sku_id, need.version) for need in taken)
    for pool, took in pools.items():
        tell_if_low(pool, took=took)
    return made


def _next_generation(need: Need) -> int:
    highest = select(func.max(KeyAssignment.generation)).filter_by(
        entitlement_id=need.entitlement.id, version=need.version
    )
    return (session.scalar(highest) or 0) + 1


def wait_for(subscription: Subscription, needs: Sequence[Need], *, by: Actor | None) -> list[KeyWait]:
    """Let a line wait. Waits that begin at the same instant are one request: filled together or not at all."""
    since = now()
    waits = []
    for need in needs:
        pool = pool_for(need.entitlement.sku_id, need.version)
        waits.append(_wait(subscription, need, pool, since))
        _record("wait_for_key", subscription, need, by)
        tell_of_wait(pool, subscription)
    return waits


def _wait(subscription: Subscription, need: Need, pool: KeyPool, since: datetime) -> KeyWait:
    wait = session.scalar(select(KeyWait).filter_by(entitlement_id=need.entitlement.id, version=need.version))
    if wait is None:
        wait = KeyWait(
            pool_id=pool.id,
            subscription_id=subscription.id,
            entitlement_id=need.entitlement.id,
            version=need.version,
        )
        session.add(wait)
    wait.since, wait.ended_at, wait.outcome = since, None, None
    session.flush()
    return wait


def fill_waiting(pool: KeyPool, *, by: Actor | None) -> int:
    """Give keys to the lines that wait for a pool, oldest first; returns how many lines got theirs.

    A line that needs keys of several pools gets all of them or none; one that cannot be filled holds up nobody.
    """
    for_update(KeyPool, pool.id)
    filled = 0
    open_waits = select(KeyWait).filter_by(pool_id=pool.id, ended_at=None).order_by(KeyWait.since, KeyWait.id)
    for wait in session.scalars(open_waits).all():
        if not has_free_key(pool.id):
            break
        filled += _fill(wait, by=by)
    return filled


def _fill(wait: KeyWait, *, by: Actor | None) -> bool:
    subscription = for_update(Subscription, wait.subscription_id)
    waits = session.scalars(
        select(KeyWait).filter_by(subscription_id=subscription.id, since=wait.since, ended_at=None)
    ).all()
    if wait not in waits:
        return False
    if now() >= subscription.ends_at:
        for each in waits:
            each.ended_at, each.outcome = now(), ENDED
        session.flush()
        return False
    taken = take_all([Need(each.entitlement, each.version) for each in waits])
    if taken is None:
        return False
    for each in waits:
        each.ended_at, each.outcome = now(), FILLED
    assign(subscription, taken, by=by)
    tell_of_keys(subscription)
    return True


def fill_idle(_at: datetime) -> int:
    """The periodic job: give keys that lie free to lines that wait for them, in a transaction per pool."""
    free = select(ProductKey.id).where(ProductKey.pool_id == KeyWait.pool_id, ProductKey.state == KeyState.FREE)
    idle = select(KeyWait.pool_id).where(KeyWait.ended_at.is_(None), free.exists()).distinct()
    pools, filled = session.scalars(idle).all(), 0
    for pool in pools:
        with transaction():
            filled += fill_waiting(session.get_one(KeyPool, pool), by=None)
    return filled


periodic.register("give idle keys to waiting lines", every=timedelta(minutes=1), job=fill_idle)


def has_free_key(pool: int) -> bool:
    """Whether a pool has stock."""
    some = select(ProductKey.id).filter_by(pool_id=pool, state=KeyState.FREE).limit(1)
    return session.scalar(some) is not None


def _record(operation: str, subscription: Subscription, need: Need, by: Actor | None) -> None:
    audit.record(
        operation,
        by=by,
        resource=("subscription", subscription.uuid),
        customer=subscription.customer,
        product=need.entitlement.product.title,
        version=need.version,
    )
