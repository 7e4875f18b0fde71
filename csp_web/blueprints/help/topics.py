"""Which topic of the guide belongs to the page that a person is on."""

from __future__ import annotations

from flask import request

from csp_web.blueprints.help import blueprint

# By endpoint, else by the blueprint before the dot.
TOPICS = {
    "home": "start",
    "search": "start",
    "accounts": "account",
    "accounts.users": "users",
    "accounts.new_user": "users",
    "accounts.user": "users",
    "customers": "customers",
    "orders": "order",
    "orders.history": "orders",
    "orders.detail": "orders",
    "orders.reservations": "orders",
    "software": "software",
    "tickets": "requests",
    "audit": "log",
    "admin": "operator",
    "setup": "operator",
    "admin.catalogue": "prices",
    "admin.keys": "stock",
    "admin.files": "installers",
    "admin.new_file": "installers",
    "admin.withdraw": "installers",
    "admin.key_pool": "stock",
    "jobs": "operator",
}


@blueprint.app_template_global("help_url")
def help_url() -> str:
    """Where **Help** leads from here."""
    endpoint = request.endpoint or ""
    topic = TOPICS.get(endpoint) or TOPICS.get(endpoint.partition(".")[0])
    return f"/help/{topic}" if topic else "/help"
