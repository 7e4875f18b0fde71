"""Routes of long work: what is under way, how far it is, cancel, what came of it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("jobs", __name__)

from csp_web.blueprints.jobs import pages  # noqa: E402, F401 -- it uses the blueprint
