"""Security headers on every answer (trust: appendix E), and a number for every request."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g, request

from csp_web.config import Settings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
FIXED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
UNLESS_SET = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def init_headers(app: Flask, settings: Settings) -> None:
    """Number every request and put the headers on every answer, errors and downloads included."""

    @app.before_request
    def _number() -> None:
        g.request_id = secrets.token_hex(8)

    always = [*FIXED.items(), *([("Strict-Transport-Security", "max-age=31536000")] if settings.https else [])]

    @app.after_request
    def _add(response: Response) -> Response:
        headers = response.headers
        headers.extend(always)
        headers.extend([(name, value) for name, value in UNLESS_SET.items() if name not in headers])
        headers.add("X-Request-Id", g.get("request_id", ""))
        if "HX-Request" in request.headers or "text/html" in headers.get("Content-Type", ""):
            _vary(response)
        return response


def _vary(response: Response) -> None:
    """Tell caches that the same address has a page and a fragment."""
    if "Vary" in response.headers:
        response.vary.add("HX-Request")
    else:
        response.headers.add("Vary", "HX-Request")
