"""Routes, one package per area, one module per resource. Blueprints do not import each other."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

AREAS = (
    "setup",
    "help",
    "tour",
    "home",
    "accounts",
    "customers",
    "orders",
    "software",
    "downloads",
    "tickets",
    "audit",
    "jobs",
    "admin",
    "search",
    "probes",
)


def register_blueprints(app: Flask) -> None:
    """Put every area's routes into the application; those for developers only where the settings say so."""
    for area in (*AREAS, *(("styleguide",) if app.extensions["settings"].style_guide else ())):
        app.register_blueprint(import_module(f"csp_web.blueprints.{area}").blueprint)
