"""The start page: what waits for this person, with a link to each thing."""

from __future__ import annotations

from typing import Any

from flask import current_app, render_template, url_for

from csp_web.blueprints.home import blueprint
from csp_web.db import now
from csp_web.domain import dashboard as lists
from csp_web.i18n import gettext as _
from csp_web.models import Impact, TicketStatus
from csp_web.web.gate import current_actor, signed_in

STATUS_KINDS = {TicketStatus.OPEN: "info", TicketStatus.ATTENTION_NEEDED: "warn", TicketStatus.CLOSED: "neutral"}


@blueprint.get("/", endpoint="dashboard")
@signed_in
def show() -> str:
    """The dashboard."""
    actor = current_actor()
    return render_template(
        "home/dashboard.html",
        found=lists.dashboard(actor, now()),
        at=now(),
        link=_link,
        status_kinds=STATUS_KINDS,
        status_names={
            TicketStatus.OPEN: _("Open"),
            TicketStatus.ATTENTION_NEEDED: _("Attention needed"),
            TicketStatus.CLOSED: _("Closed"),
        },
        impact_names={
            Impact.CRITICAL: _("Critical"),
            Impact.MODERATE: _("Moderate"),
            Impact.MINIMAL: _("Minimal"),
        },
    )


def _link(endpoint: str, **values: Any) -> str | None:
    """The address of a page, or None where this installation has no such page."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None
