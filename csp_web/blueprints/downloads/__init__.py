"""Routes of the area: downloads."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("downloads", __name__)
