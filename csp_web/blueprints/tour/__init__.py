"""Routes of the tour through the real pages, and of the first steps on the dashboard."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("tour", __name__)

from csp_web.blueprints.tour import pages, start  # noqa: E402, F401 -- they use the blueprint
