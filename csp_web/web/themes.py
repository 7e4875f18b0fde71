"""The theme of the pages: what the browser chose, written into the page by the server, so that nothing flashes (B13).

The choice belongs to the screen, not to the person: it lies in a cookie that the page's script writes too.
"""

from __future__ import annotations

from flask import Flask, current_app, request
from markupsafe import Markup
from werkzeug.wrappers import Response

COOKIE = "theme"
A_YEAR = 365 * 24 * 3600
# What the root element says; the system's choice says nothing.
ATTRIBUTES = {
    "system": Markup(""),
    "light": Markup(' data-bs-theme="light"'),
    "dark": Markup(' data-bs-theme="dark"'),
    "contrast": Markup(' data-contrast="more"'),
}


def init_themes(app: Flask) -> None:
    """Give templates ``theme()`` and ``theme_attribute()``."""
    app.jinja_env.globals.update(theme=theme, theme_attribute=theme_attribute)


def theme() -> str:
    """The theme that this browser chose: system, light, dark or contrast."""
    chosen = request.cookies.get(COOKIE, "system")
    return chosen if chosen in ATTRIBUTES else "system"


def theme_attribute() -> Markup:
    """The attribute of the root element for it, with the space before."""
    return ATTRIBUTES[theme()]


def keep(response: Response, chosen: str) -> None:
    """Have the browser keep a choice for a year; what is no theme changes nothing."""
    if chosen in ATTRIBUTES:
        https = current_app.extensions["settings"].https
        response.set_cookie(COOKIE, chosen, max_age=A_YEAR, secure=https, httponly=False, samesite="Lax")
