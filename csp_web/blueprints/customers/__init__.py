"""Routes of customers: the list, one customer, add and edit."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("customers", __name__)

from csp_web.blueprints.customers import detail, editing, importing, listing, timeline  # noqa: E402, F401 -- they use the blueprint
