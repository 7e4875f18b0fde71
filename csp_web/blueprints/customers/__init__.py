"""Routes of the area: customers."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("customers", __name__)
