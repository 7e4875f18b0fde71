"""Routes of buying: the catalogue for a customer, the cart, orders, reservations (R14-R17)."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("orders", __name__)

from csp_web.blueprints.orders import cart, history, products  # noqa: E402, F401 -- they use the blueprint
