"""Routes of the area: software."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("software", __name__)
