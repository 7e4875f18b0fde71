"""The main navigation: what a person's roles open, and nothing that would be refused."""

from __future__ import annotations

from flask import current_app, request, url_for

from csp_web.domain.actors import Actor
from csp_web.i18n import N_
from csp_web.i18n import gettext as _

ITEMS = (
    ("home.dashboard", N_("Dashboard"), ""),
    ("customers.index", N_("Customers"), "customers.see"),
    ("software.everything", N_("Software"), "software.see"),
    ("tickets.index", N_("Support requests"), "tickets.see"),
    ("audit.index", N_("Activity log"), "audit.see"),
    ("accounts.users", N_("Users"), "users.manage"),
    ("admin.index", N_("Administration"), "operator.manage"),
)


def items(actor: Actor) -> list[tuple[str, str, bool]]:
    """Address, label and whether it is the place where the person is."""
    shown = [
        (url_for(endpoint), _(label))
        for endpoint, label, permission in ITEMS
        if endpoint in current_app.view_functions and (not permission or actor.may(permission))
    ]
    return [(address, label, _is_here(address)) for address, label in shown]


def _is_here(address: str) -> bool:
    return request.path == address or (address != "/" and request.path.startswith(f"{address}/"))
