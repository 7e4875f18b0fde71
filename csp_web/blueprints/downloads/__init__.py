"""Routes for strangers: the landing page of a link, its button, and the bytes (R25, R29, D2). No token is ever logged."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("downloads", __name__)

from csp_web.blueprints.downloads import bytes_of, landing  # noqa: E402, F401 -- they use the blueprint
