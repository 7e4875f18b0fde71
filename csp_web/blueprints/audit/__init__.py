"""Routes of the area: audit."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("audit", __name__)
