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
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def init_headers(app: Flask, settings: Settings) -> None:
    """Number every request and put the headers on every answer, errors and downloads included."""

    @app.before_request
    def _number() -> None:
        g.request_id = secrets.token_hex(8)

    @app.after_request
    def _add(response: Response) -> Response:
        headers = response.headers
        for name, value in FIXED.items():
            headers[name] = value
        headers.setdefault("Content-Security-Policy", CSP)
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cache-Control", "no-store")
        headers["X-Request-Id"] = g.get("request_id", "")
        if settings.https:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.headers.get("HX-Request") or "text/html" in (response.content_type or ""):
            response.vary.add("HX-Request")
        return response
