"""Which language and clock a request speaks: the person's own, else the chosen one, else the browser's."""

from __future__ import annotations

from functools import lru_cache

from flask import Flask, g, request
from flask import session as cookie
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from csp_web import i18n
from csp_web.config import Settings


def init_languages(app: Flask, settings: Settings) -> None:
    """Choose the language before anything is said; the gate changes it to the person's once it knows who it is."""

    @app.before_request
    def _choose() -> None:
        g.settings = settings
        chosen = cookie.get("language")
        if chosen not in settings.languages:
            chosen = _understood(request.headers.get("Accept-Language", ""), settings.languages)
        i18n.set_place(chosen)


@lru_cache(maxsize=256)
def _understood(header: str, languages: tuple[str, ...]) -> str:
    """The language that a browser asks for, of those that there are; browsers say the same again and again."""
    return parse_accept_header(header, LanguageAccept).best_match(languages) or languages[0]
