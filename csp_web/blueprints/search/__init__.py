"""The search box of every page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from csp_web.domain.finder import Found, FoundKind, find_everything
from csp_web.web.gate import current_actor, signed_in

blueprint = Blueprint("search", __name__)
LONGEST_SEARCH = 200


@blueprint.get("/search")
@signed_in
def everything() -> Any:
    """Go to the one thing that was found, or list what was found."""
    text = request.args.get("q", "")[:LONGEST_SEARCH].strip()
    found = find_everything(current_actor(), text)
    if len(found) == 1:
        return redirect(address_of(found[0]), 303)
    return render_template("search/everything.html", text=text, found=found, address_of=address_of)


def address_of(thing: Found) -> str:
    """Where a found thing is."""
    if thing.kind is FoundKind.CUSTOMER:
        return url_for("customers.detail", customer=thing.key)
    if thing.kind is FoundKind.ORDER:
        return url_for("orders.detail", order=thing.key)
    if thing.kind is FoundKind.TICKET:
        return url_for("tickets.detail", ticket=thing.key)
    return url_for("software.index", customer=thing.customer, open=thing.key)
