"""Flask, with three things made once instead of for every request (``docs/decisions/0008-fast-templates.md``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from csp_web.web.templates import Environment


class SignedCookies(SecureCookieSessionInterface):
    """Flask's signed cookies. What signs them is made anew only when the key changes."""

    _made: tuple[Any, URLSafeTimedSerializer | None] = (None, None)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """What signs and checks the cookie."""
        keys = (app.secret_key, app.config["SECRET_KEY_FALLBACKS"])
        if self._made[0] != keys:
            self._made = (keys, super().get_signing_serializer(app))
        return self._made[1]


class Application(Flask):
    """The class of the application."""

    jinja_environment = Environment
    session_interface = SignedCookies()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Functions as they are: Flask looks nine times per request whether one is a coroutine, and none is."""
        return func
