"""Cancellation policies: what a buyer may take back, until when, for how much (R32-R34, D1, D8).

A policy is data. The one in force at purchase is copied to the order line; nobody looks it up again afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from csp_web.db import for_update, session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.sales import in_force
from csp_web.errors import NotFound
from csp_web.i18n import format_money, ngettext
from csp_web.i18n import gettext as _
from csp_web.models import CancellationPolicy, ProductType
from csp_web.said import joined

SHIPPED = Path(__file__).parents[2] / "data" / "policies.json"
HOURS_IN_WORDS = 48  # shorter windows are said in hours


def policies_in_force(at: datetime) -> dict[ProductType, CancellationPolicy]:
    """The policy of every product type that has one at an instant."""
    found = session.scalars(select(CancellationPolicy).where(in_force.in_force(CancellationPolicy, at)))
    return {policy.product_type: policy for policy in found}


def cancel_until(terms: Mapping[str, Any], ordered_at: datetime) -> datetime | None:
    """The first instant at which a cancellation is refused (half open, D1): whole hours after the order's instant.

    None where no step has an end: then no window closes, and it is support that decides (reservations), or the line
    cannot be cancelled at all.
    """
    hours = [step["until_hours"] for step in terms.get("steps", [])]
    if not hours or None in hours:
        return None
    return ordered_at + timedelta(hours=max(hours))


def describe(terms: Mapping[str, Any]) -> str:
    """The terms in sentences, as a buyer reads them before and after ordering."""
    steps = terms.get("steps", [])
    if not steps:
        return _("This cannot be cancelled.")
    parts = [_step(step) for step in steps]
    fee = terms.get("fee_percent", 0)
    parts.append(_("A fee of %(percent)s %% is kept.", percent=fee) if fee else _("There is no fee."))
    if terms.get("requires_key_unseen"):
        parts.append(_("Only while no key has been shown."))
    if "cap" in terms:
        money = format_money(terms["cap"]["amount"], terms["cap"]["currency"])
        parts.append(_("At most %(money)s a year.", money=money))
    return joined(parts)


def _step(step: Mapping[str, Any]) -> str:
    if step["until_hours"] is None:
        return _("Can be ended at any time through a support request; the unused time is refunded.")
    window = window_in_words(step["until_hours"])
    if step["refund"] == "full":
        return _("Within %(window)s of the order: full refund.", window=window)
    if step["refund"] == "prorata":
        return _("Within %(window)s of the order: the unused time is refunded.", window=window)
    return _("Within %(window)s of the order: no refund.", window=window)


def window_in_words(hours: int) -> str:
    """A window of cancellation as people say it: "60 days", "24 hours"."""
    if hours >= HOURS_IN_WORDS and hours % 24 == 0:
        return ngettext("%(num)s day", "%(num)s days", hours // 24)
    return ngettext("%(num)s hour", "%(num)s hours", hours)


def cancellation_policies() -> Sequence[CancellationPolicy]:
    """All policies, by product type and age."""
    return session.scalars(
        select(CancellationPolicy).order_by(CancellationPolicy.product_type, CancellationPolicy.id)
    ).all()


def find_policy(number: int) -> CancellationPolicy:
    """A policy by its number.

    Raises:
        NotFound: there is none.
    """
    found = session.get(CancellationPolicy, number)
    if found is None:
        raise NotFound
    return found


def put_in_force(policy: CancellationPolicy, *, day: date, by: Actor) -> None:
    """Sell under this policy from a day on; the one of its product type that counted until then ends.

    A policy cannot just be ended: without one, nothing of its type could be sold.

    Raises:
        Invalid: the day is over.
        Refused: it is in force already.
    """
    require(by, "operator.manage")
    row, at = for_update(CancellationPolicy, policy.id), in_force.first_instant(day)
    others = session.scalars(select(CancellationPolicy).filter_by(product_type=row.product_type).with_for_update())
    in_force.begin(row, others.all(), at)
    audit.record(
        "put_policy_in_force", by=by, resource=("cancellation_policy", row.code), since=at, until=row.in_force_to
    )
    session.flush()


def install_policies() -> None:
    """Add the shipped policies that are missing: the seed's and that of reservations count, the later ones wait (D8)."""
    known = set(session.scalars(select(CancellationPolicy.code)))
    for entry in json.loads(SHIPPED.read_text(encoding="utf-8")):
        if entry["code"] not in known:
            since = entry["in_force_from"]
            session.add(
                CancellationPolicy(
                    code=entry["code"],
                    product_type=ProductType(entry["product_type"]),
                    terms=entry["terms"],
                    source=entry["source"],
                    in_force_from=datetime.fromisoformat(since) if since else None,
                )
            )
    session.flush()
