"""The theme switch, for browsers without scripts; with them the page's script keeps the same cookie (B13)."""

from __future__ import annotations

from typing import Any

from flask import redirect, request

from csp_web.blueprints.accounts import blueprint
from csp_web.web import themes
from csp_web.web.gate import public
from csp_web.web.places import same_page


@blueprint.post("/account/theme")
@public
def theme() -> Any:
    """Wear another theme from now on and show the same page."""
    answer = redirect(same_page(), 303)
    themes.keep(answer, request.form.get("theme", ""))
    return answer
