"""Files of a form: kept as soon as they arrive, so that an error elsewhere in the form loses none (D13)."""

from __future__ import annotations

from flask import g

from csp_web.db import now, transaction
from csp_web.domain.access.actors import Actor
from csp_web.domain.support import attachments
from csp_web.forms.tickets import FilesForm
from csp_web.models import PendingFile, Ticket


def limits() -> attachments.Limits:
    """What this installation takes."""
    return attachments.limits_of(g.settings)


def take(form: FilesForm, actor: Actor, ticket: Ticket | None = None) -> bool:
    """Keep what was chosen, forget what was ticked; False when a file was left out (the form says which and why)."""
    token = form.sent_token
    uploads = [(file.filename, file.stream) for file in form.uploads]
    if not token or not (uploads or form.dropped):
        return True
    if form.dropped:
        with transaction():
            attachments.drop(form.dropped, by=actor, token=token)
    taken, problems = attachments.receive(
        uploads,
        store=attachments.store(),
        limits=limits(),
        already=[file.size for file in kept(form, actor)],
        room=attachments.room_in(ticket, limits()),
    )
    if taken:
        with transaction():
            attachments.keep(taken, by=actor, token=token, at=now())
    form.files.errors = [*form.files.errors, *problems]
    return not problems


def kept(form: FilesForm, actor: Actor) -> list[PendingFile]:
    """The files that this form has kept so far."""
    return attachments.kept(by=actor, token=form.sent_token) if form.sent_token else []
