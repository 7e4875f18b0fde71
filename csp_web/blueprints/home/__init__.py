"""Routes of the start page."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("home", __name__)

from csp_web.blueprints.home import counters, dashboard  # noqa: E402, F401 -- they use the blueprint
