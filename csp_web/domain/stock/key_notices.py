"""Mails about the stock of keys: to the operator that it runs low or a line waits, to the partner that keys came (D12, B3)."""

from __future__ import annotations

from sqlalchemy import func, select

from csp_web.db import session
from csp_web.domain.outbox import queue_mail
from csp_web.domain.upkeep.configured import settings
from csp_web.i18n import gettext as _
from csp_web.i18n import use_place
from csp_web.models import KeyPool, KeyState, KeyWait, Partner, ProductKey, Role, Subscription, User, UserRole


def tell_if_low(pool: KeyPool, *, took: int) -> None:
    """Tell the operator once, when the free keys of a pool fall to its limit."""
    some = select(ProductKey.id).filter_by(pool_id=pool.id, state=KeyState.FREE).limit(pool.low_at + 1)
    free = session.scalar(select(func.count()).select_from(some.subquery())) or 0
    if free <= pool.low_at < free + took:
        for person in _operators():
            with use_place(person.language, person.time_zone):
                _send(person, _low_subject(pool), _low_body(pool, free))


def tell_of_wait(pool: KeyPool, subscription: Subscription) -> None:
    """Tell the operator that a line waits; once per pool, until nobody waits for it any more."""
    some = select(KeyWait.id).filter_by(pool_id=pool.id, ended_at=None).limit(2)
    if len(session.scalars(some).all()) > 1:
        return
    for person in _operators():
        with use_place(person.language, person.time_zone):
            _send(person, _wait_subject(pool), _wait_body(pool, subscription))


def tell_of_keys(subscription: Subscription) -> None:
    """Tell the partner's admin agents that a line that waited has its keys now; never the key itself (B4)."""
    for person in _admin_agents(subscription.partner_id):
        with use_place(person.language, person.time_zone):
            queue_mail(
                recipient=person.email,
                subject=_("Keys are ready: %(product)s", product=subscription.product_title),
                body=_keys_body(subscription),
                partner_id=subscription.partner_id,
                customer_id=subscription.customer_id,
            )


def _keys_body(subscription: Subscription) -> str:
    customer = subscription.customer
    return _(
        "%(product)s for %(customer)s (order %(order)s) waited for keys and has them now:\n%(address)s",
        product=subscription.product_title,
        customer=customer.company_name,
        order=subscription.order.order_id,
        address=f"{settings().public_url}/customers/{customer.uuid}/software?open={subscription.uuid}",
    )


def _admin_agents(partner: int) -> list[User]:
    chosen = (
        select(User)
        .join(UserRole, UserRole.user_id == User.id)
        .where(User.partner_id == partner, UserRole.role == Role.ADMIN_AGENT, User.disabled_at.is_(None))
        .order_by(User.id)
    )
    return list(session.scalars(chosen))


def _operators() -> list[User]:
    chosen = (
        select(User)
        .join(Partner)
        .join(UserRole, UserRole.user_id == User.id)
        .where(Partner.is_operator, UserRole.role == Role.OPERATOR_ADMIN, User.disabled_at.is_(None))
        .order_by(User.id)
    )
    return list(session.scalars(chosen))


def _send(person: User, subject: str, body: str) -> None:
    queue_mail(recipient=person.email, subject=subject, body=body, partner_id=person.partner_id)


def _names(pool: KeyPool) -> dict[str, str]:
    sku = pool.sku
    return {
        "product": sku.product.title,
        "sku": f"{sku.product.product_id}:{sku.sku_id}",
        "version": pool.version,
    }


def _low_subject(pool: KeyPool) -> str:
    return _("Few keys left: %(product)s, %(version)s", **_names(pool))


def _low_body(pool: KeyPool, free: int) -> str:
    return _(
        "Free keys of %(product)s (%(sku)s), %(version)s: %(free)s. Import more before customers have to wait.",
        free=free,
        **_names(pool),
    )


def _wait_subject(pool: KeyPool) -> str:
    return _("No key left: %(product)s, %(version)s", **_names(pool))


def _wait_body(pool: KeyPool, subscription: Subscription) -> str:
    return _(
        "There is no free key of %(product)s (%(sku)s), %(version)s. Order %(order)s waits for one. "
        "Keys that you import go to the lines that wait, oldest first.",
        order=subscription.order.order_id,
        **_names(pool),
    )
