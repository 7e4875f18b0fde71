"""Routes of the first setup, open only while nobody is in the installation; and the test of the mail server."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("setup", __name__)

from csp_web.blueprints.setup import mail, steps  # noqa: E402, F401 -- they use the blueprint
