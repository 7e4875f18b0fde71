"""The search box of every page: as a page, and as a list of suggestions below the box."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from csp_web.blueprints.search import blueprint
from csp_web.blueprints.search.words import address_of, recent_things
from csp_web.domain.finder import find_everything, the_one
from csp_web.identifiers import Kind, looks_like
from csp_web.web import htmx
from csp_web.web.gate import current_actor, signed_in

LONGEST_SEARCH = 200
SUGGESTED, SUGGESTED_OF_A_KIND = 8, 4


@blueprint.get("/search")
@signed_in
def everything() -> Any:
    """Go to the one thing that was found, or list what was found (D10)."""
    text = _asked()
    groups = find_everything(current_actor(), text)
    one = the_one(groups)
    if one is not None:
        return redirect(address_of(one), 303)
    return render_template("search/everything.html", text=text, groups=groups, is_key=looks_like(text) is Kind.KEY)


@blueprint.get("/search/suggestions")
@signed_in
def suggestions() -> Any:
    """At most eight things below the search box; while it is empty, what was seen recently."""
    text = _asked()
    if not htmx.wants_fragment():
        return redirect(url_for(".everything", q=text or None), 303)
    if not text:
        return render_template("search/_suggestions.html", text="", things=recent_things())
    groups = find_everything(current_actor(), text, limit=SUGGESTED_OF_A_KIND)
    things = sorted((thing for group in groups for thing in group.things), key=lambda thing: not thing.exact)
    return render_template("search/_suggestions.html", text=text, things=things[:SUGGESTED])


def _asked() -> str:
    return request.args.get("q", "")[:LONGEST_SEARCH].strip()
