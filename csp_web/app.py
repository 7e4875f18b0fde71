"""Puts the application together, in this order, and does nothing else."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request, url_for

from csp_web import db
from csp_web.blueprints import register_blueprints
from csp_web.config import Settings, load
from csp_web.domain.upkeep import installation
from csp_web.logs import configure_logs
from csp_web.web.application import Application
from csp_web.web.assets import init_assets
from csp_web.web.compression import init_compression
from csp_web.web.errors import init_errors
from csp_web.web.filters import init_filters
from csp_web.web.first_setup import init_first_setup
from csp_web.web.gate import actor_or_none, check_declared, init_gate
from csp_web.web.headers import init_headers
from csp_web.web.htmx import init_htmx
from csp_web.web.languages import init_languages
from csp_web.web.navigation import items
from csp_web.web.themes import init_themes
from csp_web.web.work import init_work


def create_app(settings: Settings | None = None) -> Flask:
    """The application for these settings, or for those of the environment.

    Raises:
        SettingsError: a setting is bad or unknown.
        RuntimeError: an endpoint declares no permission.
    """
    configure_logs()
    settings = settings or load()
    app = Application("csp_web", root_path=str(settings.root), static_folder=None, template_folder="templates")
    _configure(app, settings)
    db.configure(settings.database_url)
    installation.configure(settings)
    init_compression(app)
    init_headers(app, settings)
    init_languages(app, settings)
    init_first_setup(app)
    init_gate(app)
    init_filters(app)
    init_htmx(app)
    init_themes(app)
    init_work(app)
    init_assets(app, settings.root / "static")
    register_blueprints(app)
    init_errors(app)
    app.context_processor(_page)
    app.teardown_appcontext(_end_session)
    check_declared(app)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.extensions["settings"] = settings
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="__Host-csp_session" if settings.https else "csp_session",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        MAX_CONTENT_LENGTH=settings.max_ticket_mb * 1024 * 1024 + 2 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        MAX_FORM_PARTS=500,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def _page() -> dict[str, Any]:
    settings: Settings = g.settings
    actor = actor_or_none()
    return {
        "site_name": settings.site_name,
        "actor": actor,
        "nav_items": items(actor) if actor and not request.headers.get("HX-Request") else [],
        "counters_url": url_for("home.counters") if actor else None,
        "search_url": url_for("search.everything") if actor else None,
        "search_text": request.args.get("q", "") if request.endpoint == "search.everything" else "",
    }


def _end_session(_error: BaseException | None) -> None:
    db.session.remove()
