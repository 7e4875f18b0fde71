"""The keyboard shortcuts: a sheet that tells them, and the switch that turns them off (WCAG 2.1.4)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from csp_web.blueprints.search import blueprint
from csp_web.i18n import gettext as _
from csp_web.web import htmx, shortcuts
from csp_web.web.gate import current_actor, signed_in
from csp_web.web.navigation import jumps
from csp_web.web.places import safe_next


@blueprint.get("/shortcuts")
@signed_in
def sheet() -> str:
    """The sheet: a page, or the inside of a dialog. It tells only keys that lead somewhere for this person."""
    template = "search/_shortcuts.html" if htmx.wants_fragment() else "search/shortcuts.html"
    return render_template(template, jumps=jumps(current_actor()), keys=_keys())


def _keys() -> list[tuple[str, str]]:
    """What is written on the keys, and what they do (static/js/app/shortcuts.js, search.js)."""
    return [
        ("/", _("Search")),
        ("Ctrl K", _("Search, from everywhere")),
        ("Esc", _("Leave the search, back to where you were")),
        ("j", _("Next row of a list")),
        ("k", _("Previous row of a list")),
        ("o", _("Open the row")),
        ("n", _("New: add or report what the list shows")),
        ("?", _("This sheet")),
    ]


@blueprint.post("/shortcuts")
@signed_in
def switch() -> Any:
    """Switch the shortcuts on or off in this browser."""
    on = request.form.get("shortcuts") == "on"
    flash(_("Keyboard shortcuts are on.") if on else _("Keyboard shortcuts are off."), "success")
    answer = redirect(safe_next(request.form.get("next") or url_for(".sheet")), 303)
    shortcuts.keep(answer, on=on)
    return answer
