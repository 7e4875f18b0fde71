"""An installation in which nobody is leads every address to its first setup, until somebody is."""

from __future__ import annotations

from typing import Any

from flask import Flask, redirect, request, url_for

from csp_web.domain.upkeep import first_setup
from csp_web.web import htmx

# What works before there is a person: the setup itself, what its pages load, probes, the language switch.
OPEN = ("setup.", "assets.", "probes.")
OPEN_ENDPOINTS = {"accounts.language"}


class Door:
    """Whether the first setup is open. Once it is shut it stays shut: a process asks no more."""

    def __init__(self) -> None:
        self._may_be_open = bool(first_setup.code())

    @property
    def is_open(self) -> bool:
        """Ask the database, as long as the answer can change."""
        if self._may_be_open and not first_setup.is_open():
            self._may_be_open = False
        return self._may_be_open


def init_first_setup(app: Flask) -> None:
    """Stand before the gate, which would send everybody to sign in. Without a setup code nothing is put there."""
    door = app.extensions["first_setup"] = Door()
    if not door.is_open:
        return

    @app.before_request
    def _lead_to_setup() -> Any:
        endpoint = request.endpoint or ""
        if endpoint.startswith(OPEN) or endpoint in OPEN_ENDPOINTS or not door.is_open:
            return None
        address = url_for("setup.code")
        return htmx.go_to(address) if htmx.wants_fragment() else redirect(address, 303)
