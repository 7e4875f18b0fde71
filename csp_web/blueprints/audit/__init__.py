"""Routes of the activity log."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("audit", __name__)

from csp_web.blueprints.audit import log  # noqa: E402, F401 -- it uses the blueprint
