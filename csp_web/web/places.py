"""Addresses: where to go next without leaving the site, and how the site is called from outside (S-10)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from flask import current_app, request, url_for
from werkzeug.exceptions import HTTPException, MethodNotAllowed

_SAFE = re.compile(r"/(?![/\\])[^\x00-\x1f\x7f\\]*")


def safe_next(target: str | None) -> str:
    """An address of this site to go on to, or "/" when the one given could lead elsewhere."""
    if not target or len(target) > 2000:
        return "/"
    for text in (target, unquote(target)):
        if not _SAFE.fullmatch(text):
            return "/"
    return target


def came_from() -> str:
    """The page of this site that a request was sent from, as the browser's address line has it; empty if it is not told."""
    page = urlsplit(request.referrer or "")
    if page.netloc != request.host or not page.path:
        return ""
    return page.path + (f"?{page.query}" if page.query else "")


def same_page() -> str:
    """Where a switch of language or theme goes: the page on which it stood, with the filters that scripts put into its
    address (B13). The answer to a refused form may stand at an address that opens nothing: then the page of the form.
    """
    here = safe_next(came_from())
    address = here if came_from() and not _takes_forms_only(here) else safe_next(request.form.get("next"))
    if _takes_forms_only(address):
        address = next(page for page in _above(address) if _is_page(page))
    return address


def _above(address: str) -> Iterator[str]:
    path = urlsplit(address).path.rstrip("/")
    while path:
        path = path.rpartition("/")[0]
        yield path or "/"


def _takes_forms_only(address: str) -> bool:
    return _answer(address) is MethodNotAllowed


def _is_page(address: str) -> bool:
    return _answer(address) is None


def _answer(address: str) -> type[HTTPException] | None:
    """Which error there is at an address before anything is looked up; None where there is a page."""
    try:
        current_app.url_map.bind(request.host).match(urlsplit(address).path, method="GET")
    except HTTPException as error:
        return type(error)
    return None


def public_link(endpoint: str, **values: object) -> str:
    """A link for other people: built from the configured public address, whatever Host the request named."""
    base: str = current_app.extensions["settings"].public_url
    return base + url_for(endpoint, **values)  # type: ignore[arg-type]
