"""Routes of the start page."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("home", __name__)

from csp_web.blueprints.home import dashboard  # noqa: E402, F401 -- it uses the blueprint
