"""How much a request may bring: little, except where people who are signed in add files (D13, S-11).

The server asks as soon as it has read the head of a request, so that what is too large is not received; the application
asks again when it reads a form, whichever server runs it.
"""

from __future__ import annotations

from flask import Flask
from itsdangerous import BadSignature
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_cookie

# Endpoints that take files. Each of them looks at sizes itself, and says what is wrong beside the form.
TAKE_FILES = frozenset(
    {
        "admin.import_sheet",
        "admin.import_stock",
        "admin.new_file",
        "admin.take_piece",
        "customers.import_sheet",
        "tickets.create",
        "tickets.internal_note",
        "tickets.reply",
    }
)
ROOM = 256 * 1024  # bytes for the borders between the fields of a form


def largest_body(app: Flask, endpoint: str | None) -> int:
    """Bytes that the body of a request to an endpoint may have."""
    if endpoint in TAKE_FILES:
        return int(app.config["MAX_CONTENT_LENGTH"])
    return int(app.config["MAX_FORM_MEMORY_SIZE"]) + ROOM


def body_limit(app: Flask, method: str, path: str, cookies: str) -> int:
    """The same, by the head of a request: ``path`` and ``cookies`` as WSGI gives them. Files of strangers are not received.

    It is called in the server's I/O thread: no database, nothing slow.
    """
    try:
        endpoint, _values = app.url_map.bind("").match(path.encode("latin-1").decode("utf-8", "replace"), method)
    except HTTPException:  # no such page
        endpoint = ""
    files = endpoint in TAKE_FILES and _has_signed_in(app, cookies)
    return largest_body(app, endpoint if files else None)


def _has_signed_in(app: Flask, cookies: str) -> bool:
    """Whether the cookie is one that we gave to somebody who signed in; whether the visit goes on, the gate looks."""
    signer = getattr(app.session_interface, "get_signing_serializer", lambda _app: None)(app)
    try:
        given = parse_cookie(cookies).get(app.config["SESSION_COOKIE_NAME"], "")
        return signer is not None and "_user_id" in signer.loads(given)
    except (BadSignature, ValueError):  # not ours, or no text at all
        return False
