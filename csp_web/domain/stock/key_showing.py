"""Showing a key is an act: by a person who just proved to be it, so many a day, in the log before the answer (B4, D11)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from csp_web.db import for_update, now, session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.access.confirming import require_confirmed
from csp_web.domain.daily_limits import begins_anew, count_one
from csp_web.domain.stock import vault
from csp_web.domain.support.cancellation_window import requested_in
from csp_web.domain.upkeep.configured import settings
from csp_web.errors import Invalid, Refused
from csp_web.i18n import format_datetime, ngettext
from csp_web.i18n import gettext as _
from csp_web.identifiers import clean_text
from csp_web.models import KeyAssignment, KeyShowings, Subscription
from csp_web.said import again

LONGEST_REASON: Final = 200


def show_key(assignment: KeyAssignment, *, by: Actor, reason: str = "") -> vault.ClearKey:
    """Show a key to a person (D11). The log says so in the same transaction: commit it before the key is rendered.

    Raises:
        Forbidden: only an admin agent sees keys (R19).
        NotConfirmed: the person's password was not typed within the last minutes.
        Refused: the key was revoked; the sentence says when and why. Or its line is to be cancelled under terms by which
            no key may have been seen. Or the person showed as many as may be shown in a day.
        Invalid: the reason is too long.
        VaultClosed: the key cannot be read with the secret that the server has.
    """
    require(by, "keys.handle")
    require_confirmed(by)
    reason = _tidy(reason)
    subscription = for_update(Subscription, assignment.subscription_id)
    assignment = for_update(KeyAssignment, assignment.id)
    _refuse(assignment, subscription)
    _count(by)
    row = assignment.product_key
    clear = vault.unseal(vault.Sealed(row.ciphertext, row.key_id), sku=row.sku_id)
    if assignment.first_shown_at is None:
        assignment.first_shown_at, assignment.first_shown_by_id = now(), by.id
    audit.record(
        "show_key",
        by=by,
        resource=("subscription", subscription.uuid),
        customer=subscription.customer,
        product=assignment.entitlement.product.title,
        version=assignment.version,
        key=vault.masked(row.last_five),
        reason=reason or None,
    )
    session.flush()
    return clear


def _tidy(reason: str) -> str:
    tidy = " ".join(clean_text(reason).split())
    if len(tidy) > LONGEST_REASON:
        raise Invalid({"reason": _("At most %(count)s characters.", count=LONGEST_REASON)})
    return tidy


def _refuse(assignment: KeyAssignment, subscription: Subscription) -> None:
    if assignment.revoked_at is not None:
        at, why = format_datetime(assignment.revoked_at), again(assignment.revoked_reason)
        raise Refused(_("This key was revoked on %(at)s: %(reason)s", at=at, reason=why), rule="R30")
    if subscription.policy_terms.get("requires_key_unseen") and (ticket := requested_in(subscription)):
        raise Refused(_("Its cancellation was requested in ticket %(number)s.", number=ticket), rule="D8")


def _count(by: Actor) -> None:
    """Count one against the person's day (UTC), in one statement: many at once are counted too."""
    quota = settings().show_key_quota
    if not count_one(KeyShowings, by=by, limit=quota):
        raise Refused(_used_up(quota), advice=_("A colleague who may show keys can go on."), rule="B4")


def _used_up(quota: int) -> str:
    shown = ngettext("You have shown %(num)s key today.", "You have shown %(num)s keys today.", quota)
    again = _("More can be shown from %(at)s.", at=format_datetime(begins_anew()))
    return f"{shown} {again}"


def showings_left(by: Actor) -> int:
    """How many keys the person may still show today (UTC)."""
    shown = session.scalar(select(KeyShowings.count).filter_by(user_id=by.id, day=now().date())) or 0
    return max(0, settings().show_key_quota - shown)
