"""The gate: who may come in, to what, decided for every endpoint before its code runs (D14, S-1, S-2).

The order is fixed: a session that ended is sent to sign in; a row of the address that the person cannot see is not
found (404); then the permission is asked (403, audited); then the form's token is checked. An endpoint that declares
nothing keeps the application from starting.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import Any, TypeVar

import flask_login
from flask import Flask, Response, current_app, g, redirect, request, url_for
from flask import session as cookie
from flask_wtf.csrf import CSRFProtect, generate_csrf
from itsdangerous import URLSafeTimedSerializer

from csp_web import db, i18n
from csp_web.config import Settings
from csp_web.domain.access import sessions
from csp_web.domain.access.actors import Actor, refusal, require
from csp_web.domain.access.permissions import PERMISSIONS
from csp_web.errors import DomainError, Forbidden
from csp_web.i18n import gettext as _
from csp_web.web import htmx, kept, loaders
from csp_web.web.places import safe_next

View = TypeVar("View", bound=Callable[..., Any])
PUBLIC, SIGNED_IN = "public", "signed in"

csrf = CSRFProtect()
login = flask_login.LoginManager()


class SignedIn(flask_login.UserMixin):
    """What Flask-Login keeps: the session's token as its id, never the user's. (Flask-Login is a fixed part of the design.)"""

    def __init__(self, token: str, actor: Actor) -> None:
        self.token = token
        self.actor = actor

    def get_id(self) -> str:
        return self.token


def public(view: View) -> View:
    """Declare that everybody may come in."""
    view._permission = PUBLIC  # type: ignore[attr-defined]
    return view


def public_button(view: View) -> View:
    """Declare a public page whose button works without a cookie (R29); a foreign site's form is refused all the same."""
    view._permission = PUBLIC  # type: ignore[attr-defined]
    view._no_token = True  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Declare that every signed-in person may come in."""
    view._permission = SIGNED_IN  # type: ignore[attr-defined]
    return view


def unasked(view: View) -> View:
    """Declare that pages ask by themselves, nobody being there perhaps: that does not keep a visit alive (D14)."""
    view._unasked = True  # type: ignore[attr-defined]
    return view


def needs(*permissions: str) -> Callable[[View], View]:
    """Declare the permission that an endpoint needs; with several, any one of them opens it."""

    def mark(view: View) -> View:
        for permission in permissions:
            if permission not in PERMISSIONS:
                raise ValueError(f"{permission!r} is not a permission")
        view._permission = permissions  # type: ignore[attr-defined]
        return view

    return mark


def current_actor() -> Actor:
    """The person who acts; only behind a gate that lets nobody else in."""
    actor: Actor = g.actor
    return actor


def actor_or_none() -> Actor | None:
    """The person who acts, or None on a public page."""
    return g.get("actor")


def why_not(permission: str) -> str:
    """For templates: why the person who acts has not got a permission, and who has (B6); empty when it is there."""
    actor = actor_or_none()
    return refusal(actor, permission) if actor else ""


def init_gate(app: Flask) -> None:
    """Put the gate before every request."""
    csrf.init_app(app)
    app.jinja_env.globals["csrf_token"] = csrf_token
    app.jinja_env.globals["why_not"] = why_not
    app.context_processor(lambda: {"csrf_token": csrf_token})  # after the one of Flask-WTF, so that it counts
    login.init_app(app, add_context_processor=False)  # the page of an error asks nobody who is signed in
    login.session_protection = None
    login.user_loader(_load)
    app.before_request(_pass)


def csrf_token() -> str:
    """The token of this visit's forms. A page has several, and visits have many pages: it is signed once."""
    secret = cookie.get("csrf_token")
    return _signed(current_app.secret_key, secret) if isinstance(secret, str) else generate_csrf()


@lru_cache(maxsize=4096)
def _signed(key: str, secret: str) -> str:
    """As Flask-WTF signs it, which is the one that checks it."""
    return URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(secret)


def check_declared(app: Flask) -> None:
    """Refuse to start when an endpoint declares no permission (S-2)."""
    missing = sorted(name for name, view in app.view_functions.items() if getattr(view, "_permission", None) is None)
    if missing:
        raise RuntimeError(f"endpoints without a declared permission: {', '.join(missing)}")


def _load(token: str) -> SignedIn | None:
    settings: Settings = current_app.extensions["settings"]
    found = sessions.actor_for(
        token,
        idle=timedelta(minutes=settings.session_idle_minutes),
        address=request.remote_addr or "",
        request_id=g.request_id,
    )
    if found is None:
        return None
    actor, due = found
    if due and not getattr(current_app.view_functions.get(request.endpoint or ""), "_unasked", False):
        _note_seen(token)
    return SignedIn(token, actor)


def _note_seen(token: str) -> None:
    """Note that a session is in use. Where nothing can be written just now, pages can be read all the same (F4, F5)."""
    with suppress(DomainError), db.transaction():
        sessions.seen(token)


def _pass() -> Any:
    if request.endpoint is None:
        return None
    view: Any = current_app.view_functions[request.endpoint]
    permission = view._permission
    _refuse_foreign_forms()
    if permission == PUBLIC:
        if request.method in {"POST", "PUT", "PATCH", "DELETE"} and not getattr(view, "_no_token", False):
            csrf.protect()
        return None
    actor = visitor()
    if actor is None:
        return _to_sign_in()
    g.actor = actor
    i18n.set_place(actor.language, actor.time_zone)
    loaders.load(actor)
    if permission != SIGNED_IN:
        _require_any(actor, permission)
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        csrf.protect()
    kept.bring_back(actor)
    return None


def visitor() -> Actor | None:
    """The signed-in person, on public pages too; None when nobody is."""
    if "_user_id" not in cookie:
        return None
    user = flask_login.current_user
    return user.actor if user.is_authenticated else None


def _require_any(actor: Actor, permissions: tuple[str, ...]) -> None:
    if not any(actor.may(permission) for permission in permissions):
        require(actor, permissions[0])


def _refuse_foreign_forms() -> None:
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden(_("This form was sent from another site. Nothing was done."))


def _to_sign_in() -> Response:
    """Send to sign in and back; what was typed into a form is kept for the same person."""
    if htmx.wants_fragment():  # what was typed stays in the page
        return htmx.refusal("errors/_signed_out.html", 401, sign_in_url=url_for("accounts.sign_in"))
    where = kept.form_page()
    token = cookie.get("_user_id")
    kept_as = kept.keep(token, where) if token and request.method == "POST" else None
    address = url_for("accounts.sign_in", next=safe_next(where), kept=kept_as)
    return redirect(address, 303)  # type: ignore[return-value]
