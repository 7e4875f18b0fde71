"""Routes of the user guide inside the product: it needs no other site and speaks the reader's language."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("help", __name__)

from csp_web.blueprints.help import pages, topics  # noqa: E402, F401 -- they use the blueprint
