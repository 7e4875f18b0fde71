"""What both sides write on a support request, and who works on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request, url_for

from csp_web.blueprints.tickets import blueprint, uploads
from csp_web.blueprints.tickets.detail import show
from csp_web.db import transaction
from csp_web.domain.support import tickets
from csp_web.errors import Invalid
from csp_web.forms.tickets import NoteForm
from csp_web.i18n import gettext as _
from csp_web.models import Ticket, TicketNote
from csp_web.web.gate import current_actor, needs


@blueprint.post("/tickets/<string:ticket>/replies")
@needs("tickets.open", "support.work")
def reply(ticket: Ticket) -> Any:
    """**Reply** to the other side."""
    return _write(ticket, "answer", NoteForm(prefix="reply-"), tickets.reply)


@blueprint.post("/tickets/<string:ticket>/internal-notes")
@needs("support.work")
def internal_note(ticket: Ticket) -> Any:
    """**Internal note**: for the support desk only."""
    return _write(ticket, "internal", NoteForm(prefix="note-"), tickets.internal_note)


def _write(ticket: Ticket, name: str, form: NoteForm, verb: Callable[..., TicketNote]) -> Any:
    actor = current_actor()
    fits = form.validate()
    forms: dict[str, Any] = {name: form}
    if not uploads.take(form, actor, ticket) or not fits:
        return show(ticket, **forms), 422
    try:
        with transaction():
            note = verb(ticket, form.text.data or "", by=actor, token=form.form_token.data or "")
            place = f"note-{note.id}"
    except Invalid as error:
        form.take(error.problems)
        return show(ticket, **forms), 422
    return redirect(url_for(".detail", ticket=ticket.number, _anchor=place), 303)


@blueprint.post("/tickets/<string:ticket>/assignment")
@needs("support.work")
def assign(ticket: Ticket) -> Any:
    """**Assign** to a support agent, or back to the queue."""
    text = request.form.get("assigned_to", "")
    user_id = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    with transaction():
        tickets.assign(ticket, user_id, by=current_actor())
    return redirect(url_for(".detail", ticket=ticket.number), 303)


@blueprint.post("/tickets/<string:ticket>/closing")
@needs("support.work")
def close(ticket: Ticket) -> Any:
    """**Close**; a reply opens it again."""
    with transaction():
        tickets.close(ticket, by=current_actor())
    flash(_("The request is closed."), "success")
    return redirect(url_for(".detail", ticket=ticket.number), 303)
