"""Which language and clock a request speaks: the person's own, else the chosen one, else the browser's."""

from __future__ import annotations

from flask import Flask, g, request
from flask import session as cookie

from csp_web import i18n
from csp_web.config import Settings


def init_languages(app: Flask, settings: Settings) -> None:
    """Choose the language before anything is said; the gate changes it to the person's once it knows who it is."""

    @app.before_request
    def _choose() -> None:
        g.settings = settings
        chosen = cookie.get("language") or request.accept_languages.best_match(settings.languages)
        i18n.set_place(chosen if chosen in settings.languages else settings.languages[0])
