"""Whether somebody else has written on a request while its page is open."""

from __future__ import annotations

from flask import Response, jsonify, request

from csp_web.blueprints.tickets import blueprint
from csp_web.domain.figures.counters import count_news
from csp_web.i18n import ngettext
from csp_web.models import Ticket
from csp_web.web.gate import current_actor, needs, unasked

LARGEST_ID = 2**63 - 1


@blueprint.get("/tickets/<string:ticket>/news")
@needs("tickets.see", "support.work")
@unasked
def news(ticket: Ticket) -> Response:
    """How many notes there are after the one that ``?after=`` names; 204 when there is none."""
    after = request.args.get("after", 0, type=int)
    number = count_news(ticket, current_actor(), after=max(0, min(after, LARGEST_ID)))
    if not number:
        return Response(status=204)
    return jsonify(text=ngettext("%(num)s new note: show", "%(num)s new notes: show", number))
