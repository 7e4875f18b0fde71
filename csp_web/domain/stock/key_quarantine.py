"""Keys out of stock for a while, or for ever: quarantine, deliberate release, and when stock is called low (B3, D12).

A key belongs to one subscription ever: one that was handed out never comes back, whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from csp_web.db import for_update, now, session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.stock import vault
from csp_web.domain.stock.key_notices import tell_if_low
from csp_web.domain.stock.key_stock import fill_waiting
from csp_web.errors import Invalid, Refused
from csp_web.i18n import gettext as _
from csp_web.identifiers import clean_text
from csp_web.models import KeyAssignment, KeyPool, KeyState, ProductKey
from csp_web.said import stored

LONGEST_REASON: Final = 500
LARGEST_THRESHOLD: Final = 1_000_000


def quarantine(pool: KeyPool, endings: Sequence[str], *, by: Actor, reason: str) -> int:
    """Take free keys out of stock, named by their last five characters. Returns how many; all of them or none.

    Of a key that was typed whole the last five count: no sentence repeats more of it (D11).

    Raises:
        Forbidden: only an operator admin. Invalid: no reason; or an ending that no free key of the pool has, or several.
    """
    require(by, "operator.manage")
    reason = _tidy(reason)
    wanted = list(dict.fromkeys(ending.strip().upper()[-5:] for ending in endings if ending.strip()))
    if not wanted:
        raise Invalid({"endings": _("Type the last five characters of each key.")})
    keys = _free(pool, wanted)
    for_update(KeyPool, pool.id)  # keys first, like whoever takes one: else each would wait for what the other has
    for key in keys:
        key.state, key.quarantined_at, key.quarantined_by_id, key.quarantine_reason = (
            KeyState.QUARANTINED,
            now(),
            by.id,
            stored(reason),
        )
    _record("quarantine_keys", pool, by, [key.last_five for key in keys], reason)
    session.flush()
    tell_if_low(pool, took=len(keys))  # hand-outs below the limit tell nobody any more
    return len(keys)


def _free(pool: KeyPool, endings: Sequence[str]) -> list[ProductKey]:
    chosen = select(ProductKey).where(
        ProductKey.pool_id == pool.id, ProductKey.state == KeyState.FREE, ProductKey.last_five.in_(endings)
    )
    found: dict[str, list[ProductKey]] = {}
    for key in session.scalars(chosen.order_by(ProductKey.id).with_for_update(key_share=True)):
        found.setdefault(key.last_five, []).append(key)
    unclear = [ending for ending in endings if len(found.get(ending, ())) != 1]
    if unclear:
        sentence = _("Not exactly one free key of this pool ends in: %(endings)s.", endings=", ".join(unclear[:20]))
        raise Invalid({"endings": sentence})
    return [found[ending][0] for ending in endings]


def release_problem(key: ProductKey) -> str:
    """Why a key cannot go back to stock from quarantine; empty when it can (B6)."""
    if key.state is not KeyState.QUARANTINED:
        return _("This key is not in quarantine any more.")
    if session.scalar(select(KeyAssignment.id).filter_by(product_key_id=key.id)) is not None:
        return _("It was handed out before. A key belongs to one subscription ever.")
    return ""


def release(key: ProductKey, *, by: Actor, reason: str) -> int:
    """Put a quarantined key that nobody ever had back into stock. Returns how many waiting lines got theirs.

    Raises:
        Forbidden: only an operator admin. Invalid: no reason was given.
        Refused: it was handed out before, or is not in quarantine any more.
    """
    require(by, "operator.manage")
    reason = _tidy(reason)
    pool = for_update(KeyPool, key.pool_id)
    key = for_update(ProductKey, key.id)
    if problem := release_problem(key):
        raise Refused(problem, rule="B3")
    key.state, key.quarantined_at, key.quarantined_by_id, key.quarantine_reason = KeyState.FREE, None, None, None
    _record("release_key", pool, by, [key.last_five], reason)
    session.flush()
    return fill_waiting(pool, by=by)


def set_threshold(pool: KeyPool, free: int, *, by: Actor) -> None:
    """Say at how many free keys a pool is low: then the operator is told.

    Raises:
        Forbidden: only an operator admin. Invalid: not a number from 0 to 1,000,000.
    """
    require(by, "operator.manage")
    if not 0 <= free <= LARGEST_THRESHOLD:
        raise Invalid({"low_at": _("A whole number from 0 to %(most)s.", most=LARGEST_THRESHOLD)})
    pool = for_update(KeyPool, pool.id)
    old, pool.low_at = pool.low_at, free
    if old != free:
        audit.record(
            "set_low_stock", by=by, resource=("key_stock", ""), pools=[_name(pool)], old=str(old), new=str(free)
        )


def _tidy(reason: str) -> str:
    tidy = " ".join(clean_text(reason).split())
    if not tidy:
        raise Invalid({"reason": _("Say why: it is written into the activity log.")})
    if len(tidy) > LONGEST_REASON:
        raise Invalid({"reason": _("At most %(count)s characters.", count=LONGEST_REASON)})
    return tidy


def _record(operation: str, pool: KeyPool, by: Actor, endings: Sequence[str], reason: str) -> None:
    audit.record(
        operation,
        by=by,
        resource=("key_stock", ""),
        pools=[_name(pool)],
        key=", ".join(vault.masked(ending) for ending in endings[:20]),
        keys=len(endings),
        reason=reason,
    )


def _name(pool: KeyPool) -> str:
    return f"{pool.sku.product.product_id}:{pool.sku.sku_id} {pool.version}"
