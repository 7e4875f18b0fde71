"""Routes of finding one's way: the search of every page, what was seen recently, the keyboard shortcuts."""

from __future__ import annotations

from flask import Blueprint

from csp_web.web import recently
from csp_web.web.places import public_link
from csp_web.web.shortcuts import shortcuts_on

blueprint = Blueprint("search", __name__)
blueprint.after_app_request(recently.note)
blueprint.add_app_template_global(shortcuts_on)
blueprint.add_app_template_global(public_link)

from csp_web.blueprints.search import everything, shortcuts, words  # noqa: E402, F401 -- they use the blueprint
