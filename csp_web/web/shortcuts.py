"""Whether single keys do something in this browser (WCAG 2.1.4): on, unless they were switched off here.

The choice belongs to the browser, like the theme: who dictates to one machine may type on another.
"""

from __future__ import annotations

from flask import current_app, request
from werkzeug.wrappers import Response

COOKIE = "shortcuts"
A_YEAR = 365 * 24 * 3600


def shortcuts_on() -> bool:
    """Whether single keys work in this browser."""
    return request.cookies.get(COOKIE) != "off"


def keep(response: Response, *, on: bool) -> None:
    """Have the browser keep the choice for a year."""
    https = current_app.extensions["settings"].https
    response.set_cookie(COOKIE, "on" if on else "off", max_age=A_YEAR, secure=https, httponly=True, samesite="Lax")
