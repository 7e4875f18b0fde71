"""Addresses: where to go next without leaving the site, and how the site is called from outside (S-10)."""

from __future__ import annotations

import re
from urllib.parse import unquote

from flask import current_app, url_for

_SAFE = re.compile(r"/(?![/\\])[^\x00-\x1f\x7f\\]*")


def safe_next(target: str | None) -> str:
    """An address of this site to go on to, or "/" when the one given could lead elsewhere."""
    if not target or len(target) > 2000:
        return "/"
    for text in (target, unquote(target)):
        if not _SAFE.fullmatch(text):
            return "/"
    return target


def public_link(endpoint: str, **values: object) -> str:
    """A link for other people: built from the configured public address, whatever Host the request named."""
    base: str = current_app.extensions["settings"].public_url
    return base + url_for(endpoint, **values)  # type: ignore[arg-type]
