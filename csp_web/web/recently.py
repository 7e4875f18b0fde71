"""Which customers, orders and requests a browser opened last: ids in a signed cookie, so that looking writes nothing.

The cookie names its person: for anybody else it is worth nothing. What it names is looked up through the person who
asks, whenever it is shown.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

from flask import Response, current_app, request
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import inspect

from csp_web.config import Settings
from csp_web.domain.finder import FoundKind
from csp_web.domain.recently_seen import Seen
from csp_web.web.gate import actor_or_none

KEPT = 8
THIRTY_DAYS = 30 * 24 * 3600
_NAMES = {"order": FoundKind.ORDER, "ticket": FoundKind.TICKET, "customer": FoundKind.CUSTOMER}


def recently_seen() -> list[Seen]:
    """What this person opened last in this browser, the latest first."""
    actor = actor_or_none()
    text = request.cookies.get(_cookie_name())
    if actor is None or not text:
        return []
    with suppress(BadData, TypeError, ValueError, KeyError):
        person, seen = _signer(str(current_app.secret_key)).loads(text)
        if person == actor.id:
            return [(_NAMES[name], int(number)) for name, number in seen][:KEPT]
    return []


def forget(response: Response) -> None:
    """Let the browser forget it: somebody else may sit there next."""
    https = _settings().https
    response.delete_cookie(_cookie_name(), secure=https, httponly=True, samesite="Lax")


def note(response: Response) -> Response:
    """Note what a page shows, after it was shown."""
    opened = _opened() if response.status_code == 200 and request.method == "GET" else None
    actor = actor_or_none()
    if opened is None or actor is None or "HX-Request" in request.headers:
        return response
    before = recently_seen()
    if before[:1] != [opened]:
        seen = [opened, *(each for each in before if each != opened)][:KEPT]
        text = _signer(str(current_app.secret_key)).dumps([actor.id, [[kind.value, number] for kind, number in seen]])
        response.set_cookie(
            _cookie_name(), text, max_age=THIRTY_DAYS, secure=_settings().https, httponly=True, samesite="Lax"
        )
    return response


def _opened() -> Seen | None:
    """The row that the address names: the id that it was loaded with, which costs no statement."""
    values = request.view_args or {}
    for name, kind in _NAMES.items():
        state = inspect(values.get(name), raiseerr=False) if name in values else None
        if state is not None and state.identity:
            return kind, state.identity[0]
    return None


def _cookie_name() -> str:
    return "__Host-csp_seen" if _settings().https else "csp_seen"


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


@lru_cache(maxsize=8)
def _signer(key: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="recently seen")
