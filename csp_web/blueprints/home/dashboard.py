"""The start page: what waits for this person, with a link to each thing."""

from __future__ import annotations

from typing import Any

from flask import current_app, render_template, url_for

from csp_web.blueprints.home import blueprint
from csp_web.blueprints.home.pictures import pictures, stock
from csp_web.db import now
from csp_web.domain.audit_words import operation_name, reason
from csp_web.domain.figures import dashboard as lists
from csp_web.domain.figures import dashboard_sales, dashboard_tickets, dashboard_watch
from csp_web.domain.figures.dashboard_sales import Clock
from csp_web.domain.figures.dashboard_spans import Book
from csp_web.i18n import gettext as _
from csp_web.models import Impact, Role, TicketStatus
from csp_web.web.charts import meter
from csp_web.web.gate import current_actor, signed_in

STATUS_KINDS = {TicketStatus.OPEN: "info", TicketStatus.ATTENTION_NEEDED: "warn", TicketStatus.CLOSED: "neutral"}


@blueprint.get("/", endpoint="dashboard")
@signed_in
def show() -> str:
    """The dashboard."""
    actor, at = current_actor(), now()
    clock = Clock(actor, at, current_app.extensions.setdefault(Book.__name__, Book()))
    operator = actor.may("operator.manage")
    pools = dashboard_watch.pools() if operator else None
    return render_template(
        "home/dashboard.html",
        found=lists.dashboard(actor, at),
        panels=[*pictures(clock), *([stock(pools)] if pools else [])],
        pools=pools,
        low_pools=[pool for pool in pools or () if pool.free <= pool.low_at],
        full=meter,
        holdings=dashboard_watch.holdings() if operator else None,
        refusals=dashboard_watch.refusals(actor) if Role.AUDITOR in actor.roles else None,
        due=dashboard_tickets.answers_due(actor) if Role.HELPDESK_AGENT in actor.roles else None,
        to_decide=dashboard_tickets.to_decide() if actor.sees_all_partners else None,
        prospects=dashboard_sales.customers_without_orders(actor) if Role.SALES_AGENT in actor.roles else None,
        operation_name=operation_name,
        reason=reason,
        at=at,
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
