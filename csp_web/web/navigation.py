"""The main navigation: what a person's roles open, and nothing that would be refused."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import request, url_for

from csp_web.domain.actors import Actor
from csp_web.domain.permissions import PERMISSIONS
from csp_web.i18n import N_, language
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
    here = request.path
    places = _opened_to(actor.roles, language(), request.root_path)
    return [(address, label, _is_in(here, address)) for address, label in places]


@lru_cache(maxsize=256)
def _opened_to(roles: frozenset[Any], _language: str, _root_path: str) -> list[tuple[str, str]]:
    """Address and label of what these roles open: the same on every page of everybody who has them."""
    return [
        (url_for(endpoint), _(label))
        for endpoint, label, permission in ITEMS
        if not permission or not roles.isdisjoint(PERMISSIONS[permission])
    ]


def _is_in(here: str, address: str) -> bool:
    return here == address or (address != "/" and here.startswith(f"{address}/"))
