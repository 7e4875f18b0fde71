"""Numbers beside the main navigation, and the token of a visit that began anew: asked for by pages, not by people."""

from __future__ import annotations

from flask import Response, jsonify, request, url_for

from csp_web.blueprints.home import blueprint
from csp_web.domain.figures.counters import Counted, count_waiting
from csp_web.i18n import language, ngettext
from csp_web.web.gate import csrf_token, current_actor, signed_in, unasked


@blueprint.get("/counters")
@signed_in
@unasked
def counters() -> Response:
    """What waits, by the address of the place that shows it; 204 when nothing changed since ``?seen=``."""
    found = count_waiting(current_actor())
    tag = f"{language()}-{found.tickets}-{found.low}-{found.waiting}"
    if request.args.get("seen") == tag:
        return Response(status=204)
    return jsonify(tag=tag, numbers=_numbers(found))


def _numbers(found: Counted) -> dict[str, tuple[int, str]]:
    requests = ngettext("%(num)s support request waits", "%(num)s support requests wait", found.tickets)
    low = ngettext("%(num)s stock of keys is low", "%(num)s stocks of keys are low", found.low)
    lines = ngettext("%(num)s line waits for a key", "%(num)s lines wait for a key", found.waiting)
    numbers = {
        url_for("tickets.index"): (found.tickets, requests),
        url_for("admin.index"): (found.low or found.waiting, f"{low}; {lines}"),
    }
    return {address: pair for address, pair in numbers.items() if pair[0]}


@blueprint.get("/token")
@signed_in
@unasked
def token() -> Response:
    """The token for the forms of a page that was opened during an earlier visit; other sites cannot read it."""
    return Response(status=200, headers={"X-CSRFToken": csrf_token()})
