"""Attachments are downloaded, never shown: whatever is in them stays inert (D13, T11)."""

from __future__ import annotations

from functools import partial

from flask import Response, request

from csp_web.blueprints.tickets import blueprint
from csp_web.domain.support import attachments
from csp_web.errors import Refused
from csp_web.i18n import gettext as _
from csp_web.models import Ticket, TicketFile
from csp_web.web.gate import needs
from csp_web.web.ranges import FileChanged, file_response


@blueprint.get("/tickets/<string:ticket>/files/<int:ticket_file>")
@needs("tickets.see", "support.work")
def download(ticket: Ticket, ticket_file: TicketFile) -> Response:
    """One file under its own name; strangers and readers of an internal note's file get 404 before this runs."""
    del ticket  # it led here; the gate has checked that the file is one of its own
    attachments.refuse_blocked(ticket_file)
    store = attachments.store()
    try:
        return file_response(
            path=store.path(ticket_file.storage_key) or partial(store.open, ticket_file.storage_key),
            size=ticket_file.size,
            etag=ticket_file.sha256,
            last_modified=ticket_file.added_at,
            download_name=ticket_file.original_name,
            content_type="application/octet-stream",
            environ=request.environ,
        )
    except FileChanged as error:
        raise Refused(
            _("This file is damaged on the server."), advice=_("Ask for it again, and tell your administrator.")
        ) from error
