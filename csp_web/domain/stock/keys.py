"""Keys of subscriptions: handed out exactly once, shown as an audited act, revoked into quarantine (R18, R30, D11, B3).

Which key: volume keys, one per subscription, entitlement and version; the quantity is the number of its activations.
That of the product's own version is taken with the order, that of an older version when it is first asked for; asked
again it is the same key.
"""

from __future__ import annotations

from sqlalchemy import select, update

from csp_web.db import for_update, now, session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.stock.key_import import KeyImport, import_keys
from csp_web.domain.stock.key_showing import show_key
from csp_web.domain.stock.key_stock import CANCELLED, Need, assign, fill_waiting, take_all, wait_for
from csp_web.errors import NotFound, Refused
from csp_web.i18n import format_datetime
from csp_web.i18n import gettext as _
from csp_web.models import (
    Entitlement,
    KeyAssignment,
    KeyState,
    KeyWait,
    Product,
    Subscription,
)
from csp_web.said import stored


def hand_out_own_version(subscription: Subscription, *, by: Actor) -> list[KeyAssignment]:
    """Take the keys of the product's own version, one per entitlement that has keys, when the order is placed.

    When one of them is not in stock none is taken, the line waits and the operator is told (D12). Called again it
    does nothing.
    """
    needs = [
        Need(entitlement, entitlement.product.own_version)
        for entitlement in _with_keys(subscription)
        if entitlement.product.own_version and _held(entitlement, entitlement.product.own_version) is None
    ]
    taken = take_all(needs)
    if taken is None:
        wait_for(subscription, needs, by=by)
        return []
    return assign(subscription, taken, by=by)


def _with_keys(subscription: Subscription) -> list[Entitlement]:
    chosen = select(Entitlement).join(Product).where(Entitlement.subscription_id == subscription.id, Product.has_keys)
    return list(session.scalars(chosen.order_by(Entitlement.id)))


def key_for_version(entitlement: Entitlement, version: str, *, by: Actor) -> KeyAssignment | KeyWait:
    """The key of a version: the one that the line has, else one from stock, else a place in the queue.

    Raises:
        Forbidden: only an admin agent gets keys (R19).
        Refused: the subscription was cancelled and its keys were revoked, or its term has ended and it has no such key.
    """
    require(by, "keys.handle")
    subscription = for_update(Subscription, entitlement.subscription_id)
    if subscription.is_cancelled:
        raise Refused(_("This subscription was cancelled. Its keys are revoked."), rule="R30")
    held = _held(entitlement, version)
    if held is not None:
        return held
    if now() >= subscription.ends_at:
        raise Refused(_("The term of this subscription ended on %(at)s.", at=format_datetime(subscription.ends_at)))
    need = Need(entitlement, version)
    taken = take_all([need])
    return assign(subscription, taken, by=by)[0] if taken else wait_for(subscription, [need], by=by)[0]


def _held(entitlement: Entitlement, version: str) -> KeyAssignment | KeyWait | None:
    """What a line has of a version already: a living key, or its place in the queue."""
    living = (
        select(KeyAssignment)
        .filter_by(entitlement_id=entitlement.id, version=version, revoked_at=None)
        .order_by(KeyAssignment.generation.desc())
        .limit(1)
    )
    waiting = select(KeyWait).filter_by(entitlement_id=entitlement.id, version=version, ended_at=None)
    return session.scalar(living) or session.scalar(waiting)


def find_assignment(subscription: Subscription, number: int) -> KeyAssignment:
    """A key of a subscription. Raises NotFound when it is another's."""
    found = session.scalar(select(KeyAssignment).filter_by(id=number, subscription_id=subscription.id))
    if found is None:
        raise NotFound
    return found


def find_entitlement(subscription: Subscription, number: int) -> Entitlement:
    """An entitlement of a subscription that has keys. Raises NotFound."""
    for entitlement in _with_keys(subscription):
        if entitlement.id == number:
            return entitlement
    raise NotFound


def revoke_keys(subscription: Subscription, *, by: Actor, reason: str) -> int:
    """Revoke every key of a subscription, of suites the included ones too, and end its waiting (R30, B1).

    The keys go to quarantine and never back to free by themselves. Returns how many were revoked; called again, 0.
    """
    for_update(Subscription, subscription.id)
    alive = select(KeyAssignment).filter_by(subscription_id=subscription.id, revoked_at=None)
    revoked = session.scalars(alive.order_by(KeyAssignment.id)).all()
    for assignment in revoked:
        assignment.revoked_at, assignment.revoked_by_id, assignment.revoked_reason = now(), by.id, stored(reason)
        assignment.product_key.state = KeyState.QUARANTINED
    waiting = (
        update(KeyWait)
        .where(KeyWait.subscription_id == subscription.id, KeyWait.ended_at.is_(None))
        .values(ended_at=now(), outcome=CANCELLED)
        .returning(KeyWait.id)
    )
    ended = session.scalars(waiting).all()
    if revoked or ended:
        _record_revocation(subscription, by, reason, len(revoked), len(ended))
    session.flush()
    return len(revoked)


def _record_revocation(subscription: Subscription, by: Actor, reason: str, keys: int, waits: int) -> None:
    audit.record(
        "revoke_keys",
        by=by,
        resource=("subscription", subscription.uuid),
        customer=subscription.customer,
        reason=reason,
        keys=keys,
        waits=waits,
    )


__all__ = [
    "KeyImport",
    "fill_waiting",
    "find_assignment",
    "find_entitlement",
    "hand_out_own_version",
    "import_keys",
    "key_for_version",
    "revoke_keys",
    "show_key",
]
