"""The main navigation: what a person's roles open, and nothing that would be refused."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from flask import request, url_for

from csp_web.domain.access.actors import Actor
from csp_web.domain.access.permissions import PERMISSIONS
from csp_web.i18n import N_, language
from csp_web.i18n import gettext as _

# Endpoint, label, permission, and the key that leads there after g.
ITEMS = (
    ("home.dashboard", N_("Dashboard"), "", "d"),
    ("customers.index", N_("Customers"), "customers.see", "c"),
    ("software.everything", N_("Software"), "software.see", "s"),
    ("tickets.index", N_("Support requests"), "tickets.see", "t"),
    ("audit.index", N_("Activity log"), "audit.see", "l"),
    ("accounts.users", N_("Users"), "users.manage", "u"),
    ("admin.index", N_("Administration"), "operator.manage", "a"),
)
# Pages that belong to a place though their address begins otherwise.
_BELONGING = {"/customers": ("/orders/",)}


class Place(NamedTuple):
    """An entry of the navigation. ``here``: "page" for the page itself, "true" for pages below it, else empty."""

    address: str
    label: str
    here: str
    key: str


def items(actor: Actor) -> list[Place]:
    """What the navigation shows to a person on the page of this request."""
    here = request.path
    places = _opened_to(actor.roles, language(), request.root_path)
    return [Place(address, label, _mark(here, address), key) for address, label, key in places]


def jumps(actor: Actor) -> list[tuple[str, str]]:
    """The keys that lead somewhere after g, each with the name of the place."""
    return [(key, label) for _address, label, key in _opened_to(actor.roles, language(), request.root_path)]


@lru_cache(maxsize=256)
def _opened_to(roles: frozenset[Any], _language: str, _root_path: str) -> list[tuple[str, str, str]]:
    """What these roles open: the same on every page of everybody who has them."""
    return [
        (url_for(endpoint), _(label), key)
        for endpoint, label, permission, key in ITEMS
        if not permission or not roles.isdisjoint(PERMISSIONS[permission])
    ]


def _mark(here: str, address: str) -> str:
    if here == address:
        return "page"
    below = (*_BELONGING.get(address, ()), f"{address}/")
    return "true" if address != "/" and here.startswith(below) else ""
