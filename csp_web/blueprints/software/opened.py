"""One line opened: what htmx puts under its row. Without scripts the address leads to the page itself."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, render_template, request, url_for

from csp_web.blueprints.software import blueprint
from csp_web.blueprints.software.page import picked_now, show_software
from csp_web.domain.delivery.checksums import sums_of_line
from csp_web.models import Customer, Subscription
from csp_web.web import htmx
from csp_web.web.gate import needs

CHOSEN = ("version", "language", "file_type", "fitting")


@blueprint.get("/customers/<uuid:customer>/software/<uuid:subscription>")
@needs("software.see")
def opened(customer: Customer, subscription: Subscription) -> Any:
    """The opened line, with **Select product** (R21, R22) and, after **Submit**, the matching products (R23)."""
    if htmx.wants_fragment() and request.args.get("close"):
        return render_template("software/_closed.html", opened=subscription)
    if htmx.wants_fragment():
        return show_software(customer, subscription, picked=picked_now())
    asked: dict[str, Any] = {name: request.args[name] for name in CHOSEN if name in request.args}
    return redirect(
        url_for(".index", customer=customer.uuid, open=subscription.uuid, **asked, _anchor=f"line-{subscription.id}"),
        303,
    )


@blueprint.get("/customers/<uuid:customer>/software/<uuid:subscription>/SHA256SUMS")
@needs("software.see")
def checksums(customer: Customer, subscription: Subscription) -> Response:
    """The SHA-256 of every file that the line may download, for ``sha256sum -c`` (R23)."""
    del customer
    return Response(sums_of_line(subscription), content_type="text/plain; charset=utf-8")
