"""Flask, without what it does anew for every request (``docs/decisions/0011-fast-pages.md``).

And with addresses whose questions hold no NUL: databases refuse it, and nobody who means something types it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, current_app
from flask import Request as FlaskRequest
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from werkzeug.datastructures import MultiDict
from werkzeug.utils import cached_property

from csp_web.web.bodies import body_limit, largest_body
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


class Request(FlaskRequest):
    """A request."""

    @property
    def max_content_length(self) -> int | None:
        """Bytes that its body may have: more where files are taken (``web.bodies``)."""
        chosen: int | None = self._max_content_length
        return largest_body(current_app, self.endpoint) if chosen is None else chosen

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """What the address asks, without NUL."""
        given: MultiDict[str, str] = super().args
        if b"%00" not in self.query_string:
            return given
        pairs = [(name, text.replace("\0", "")) for name, text in given.items(multi=True)]
        return self.parameter_storage_class(pairs)


class Application(Flask):
    """The class of the application."""

    request_class = Request
    jinja_environment = Environment
    session_interface = SignedCookies()

    def body_limit(self, method: str, path: str, cookies: str) -> int:
        """What the server asks before it receives a body (``web.bodies``)."""
        return body_limit(self, method, path, cookies)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Functions as they are: Flask looks nine times per request whether one is a coroutine, and none is."""
        return func

    def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        """Nothing, unless somebody asked for defaults in addresses: Flask would look for them ten times per page."""
        if self.url_default_functions:
            super().inject_url_defaults(endpoint, values)
