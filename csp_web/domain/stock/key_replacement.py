"""A wrong key gets another in its place: the old one is struck out, stays in the history and never goes back (B3)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from csp_web.db import for_update, now, session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.stock import vault
from csp_web.domain.stock.key_stock import Need, assign, take_all
from csp_web.domain.support.cancellation_window import requested_in
from csp_web.errors import Invalid, Refused
from csp_web.i18n import format_datetime
from csp_web.i18n import gettext as _
from csp_web.identifiers import clean_text
from csp_web.models import KeyAssignment, KeyState, Subscription
from csp_web.said import joined, stored

MOST_GENERATIONS: Final = 5  # of one version; then it is not the keys that are wrong
LONGEST_REASON: Final = 500


def replacement_problems(assignment: KeyAssignment, subscription: Subscription, at: datetime) -> list[str]:
    """Why a key cannot be replaced, if so (B6)."""
    if assignment.revoked_at is not None:
        return [_("This key was revoked on %(at)s.", at=format_datetime(assignment.revoked_at))]
    if number := requested_in(subscription):
        return [_("Its cancellation was requested in ticket %(number)s.", number=number)]
    if at >= subscription.ends_at:
        return [_("The term of this subscription ended on %(at)s.", at=format_datetime(subscription.ends_at))]
    if assignment.generation >= MOST_GENERATIONS:
        return [_("This key was replaced %(count)s times. Open a support request.", count=MOST_GENERATIONS - 1)]
    return []


def replace_key(assignment: KeyAssignment, *, by: Actor, reason: str) -> KeyAssignment:
    """Give a line another key of the same version; the wrong one goes to quarantine. Returns the new hand-out.

    Raises:
        Forbidden: only an admin agent (R19). Invalid: no reason was given.
        Refused: it was revoked or replaced before, its line ends, or no other key is in stock: then it keeps this one.
    """
    require(by, "keys.handle")
    reason = _tidy(reason)
    subscription = for_update(Subscription, assignment.subscription_id)
    assignment = for_update(KeyAssignment, assignment.id)
    if problems := replacement_problems(assignment, subscription, now()):
        raise Refused(joined(problems))
    need = Need(assignment.entitlement, assignment.version)
    taken = take_all([need])
    if taken is None:
        raise Refused(
            _("There is no other key of this version in stock. The line keeps the one that it has."),
            advice=_("Tell the operator in a support request."),
        )
    _strike_out(assignment, by, reason)
    made = assign(subscription, taken, by=by)[0]
    audit.record(
        "replace_key",
        by=by,
        resource=("subscription", subscription.uuid),
        customer=subscription.customer,
        product=assignment.entitlement.product.title,
        version=assignment.version,
        key=vault.masked(assignment.product_key.last_five),
        reason=reason,
    )
    return made


def _tidy(reason: str) -> str:
    tidy = " ".join(clean_text(reason).split())
    if not tidy:
        raise Invalid({"reason": _("Say what is wrong with the key.")})
    if len(tidy) > LONGEST_REASON:
        raise Invalid({"reason": _("At most %(count)s characters.", count=LONGEST_REASON)})
    return tidy


def _strike_out(assignment: KeyAssignment, by: Actor, reason: str) -> None:
    assignment.revoked_at, assignment.revoked_by_id, assignment.revoked_reason = now(), by.id, stored(reason)
    assignment.product_key.state = KeyState.QUARANTINED
    session.flush()
