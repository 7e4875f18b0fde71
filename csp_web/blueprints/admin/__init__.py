"""Routes of the operator: catalogue, stock, files, markets, policies, partners, people, mails."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from flask import Blueprint

blueprint = Blueprint("admin", __name__)

SECTIONS = ("index", "catalogue", "keys", "files", "markets", "policies", "partners", "users", "outbox")

for _section in SECTIONS:
    if find_spec(f"{__name__}.{_section}") is not None:
        import_module(f"{__name__}.{_section}")
