"""Routes of software: the lists, an opened line, keys, links (R20-R28)."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("software", __name__)

from csp_web.blueprints.software import exporting, keys, links, listing, opened, views  # noqa: E402, F401 -- they use the blueprint
