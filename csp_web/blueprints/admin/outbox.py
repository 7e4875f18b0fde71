"""Mails that wait, were sent, or were given up; the last can be sent again."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.db import scalar_or_404, select, transaction
from csp_web.domain.outbox import TRIES, list_mails, retry
from csp_web.i18n import gettext as _
from csp_web.models import OutboxMessage, OutboxState
from csp_web.web.gate import current_actor, needs

KINDS = {OutboxState.WAITING: "info", OutboxState.SENT: "ok", OutboxState.FAILED: "danger"}


@blueprint.get("/admin/outbox")
@needs("operator.manage")
def outbox() -> str:
    """All mails, or those in one state, newest first."""
    chosen = request.args.get("state", "")
    state = OutboxState(chosen) if chosen in set(OutboxState) else None
    page = list_mails(state=state, cursor=request.args.get("page"))
    names = {OutboxState.WAITING: _("waiting"), OutboxState.SENT: _("sent"), OutboxState.FAILED: _("failed")}
    return render_template(
        "admin/outbox.html",
        page=page,
        state=state,
        tabs=[(_("All"), url_for(".outbox"), state is None)]
        + [(name.capitalize(), url_for(".outbox", state=each), each is state) for each, name in names.items()],
        names=names,
        kinds=KINDS,
        has_server=bool(g.settings.smtp_url),
        tries=TRIES,
        previous_url=page.previous and url_for(".outbox", state=state, page=page.previous),
        next_url=page.next and url_for(".outbox", state=state, page=page.next),
    )


@blueprint.post("/admin/outbox/<int:mail>/retry")
@needs("operator.manage")
def retry_mail(mail: int) -> Any:
    """Send a mail that was given up once more."""
    message = scalar_or_404(select(OutboxMessage).filter_by(id=mail))
    with transaction():
        retry(message, by=current_actor())
    flash(_("The mail goes out again."), "success")
    return redirect(url_for(".outbox"), 303)
