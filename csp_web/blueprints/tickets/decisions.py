"""Support decides about a cancellation: **Approve cancellation** or **Decline** (D5, B1)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from csp_web.blueprints.tickets import blueprint
from csp_web.blueprints.tickets.detail import show
from csp_web.db import transaction
from csp_web.domain.support.cancellations import approve as approve_cancellation
from csp_web.domain.support.cancellations import cancellation_of
from csp_web.domain.support.cancellations import decline as decline_cancellation
from csp_web.errors import NotFound
from csp_web.forms.tickets import DecisionForm, RefusalForm
from csp_web.i18n import gettext as _
from csp_web.models import Cancellation, Ticket
from csp_web.web.gate import current_actor, needs


@blueprint.post("/tickets/<string:ticket>/cancellation/approval")
@needs("support.work")
def approve(ticket: Ticket) -> Any:
    """Everything at once, or nothing."""
    cancellation, form = _cancellation(ticket), DecisionForm(prefix="approve-")
    if not form.validate():
        return show(ticket, approval=form), 422
    with transaction():
        approve_cancellation(cancellation, by=current_actor(), note=(form.note.data or "").strip())
    flash(_("The cancellation was approved and carried out."), "success")
    return redirect(url_for(".detail", ticket=ticket.number), 303)


@blueprint.post("/tickets/<string:ticket>/cancellation/refusal")
@needs("support.work")
def decline(ticket: Ticket) -> Any:
    """Nothing changes but the request; the partner is told why."""
    cancellation, form = _cancellation(ticket), RefusalForm(prefix="decline-")
    if not form.validate():
        return show(ticket, refusal=form), 422
    with transaction():
        reason = (form.reason.data or "").strip()
        decline_cancellation(cancellation, by=current_actor(), reason=reason, close=bool(form.close.data))
    flash(_("The cancellation was declined."), "success")
    return redirect(url_for(".detail", ticket=ticket.number), 303)


def _cancellation(ticket: Ticket) -> Cancellation:
    found = cancellation_of(ticket)
    if found is None:
        raise NotFound
    return found
