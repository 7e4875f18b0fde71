"""The language switch, which works on every page, signed in or not (B13)."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, request, url_for
from flask import session as cookie

from csp_web.blueprints.accounts import blueprint
from csp_web.db import transaction
from csp_web.domain.access import people
from csp_web.i18n import LANGUAGES
from csp_web.web.gate import actor_or_none, public, visitor
from csp_web.web.kept import form_page
from csp_web.web.places import same_page


@blueprint.post("/account/language")
@public
def language() -> Any:
    """Speak another language from now on and show the same page."""
    code = request.form.get("language", "")
    if code in g.settings.languages:
        cookie["language"] = code
        cookie["chose_language"] = True
        actor = visitor()
        if actor is not None and actor.language != code:
            with transaction():
                people.choose_language(actor.id, code)
    return redirect(same_page(), 303)


@blueprint.app_context_processor
def _frame() -> dict[str, Any]:
    """What the frame of every page shows of the person: languages, organisation."""
    codes = g.settings.languages if "settings" in g else ()
    actor = actor_or_none()
    address = url_for("accounts.language")
    return {
        "language_links": [(code, LANGUAGES[code], address) for code in codes] if len(codes) > 1 else [],
        "form_page": form_page,
        "organisation": actor.partner_name if actor else None,
    }
