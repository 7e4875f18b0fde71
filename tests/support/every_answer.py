"""A browser that keeps every answer, and one that follows every kind of link it sees."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

_LINK = re.compile(r'<a\b[^>]*\bhref="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """What came back, headers and all."""

    method: str
    path: str
    query: str
    status: int
    content: bytes

    @property
    def name(self) -> str:
        """How it is called when something is found in it."""
        return f"{self.method} {self.path} ({self.status})"


def keep_answers(app: Flask) -> list[Answer]:
    """From now on every answer to the browsers of an application is in this list."""
    kept: list[Answer] = []

    class Keeping(FlaskClient):
        def open(self, *args: Any, **more: Any) -> TestResponse:
            answer = super().open(*args, **more)
            request = answer.request
            content = str(answer.headers).encode() + answer.get_data()
            kept.append(
                Answer(request.method, request.path, request.query_string.decode(), answer.status_code, content)
            )
            return answer

    app.test_client_class = Keeping
    return kept


def walk(app: Flask, client: FlaskClient, start: str = "/", *, of_each: int = 1) -> int:
    """Open pages from one to the next, at most so many of each endpoint; returns how many were opened."""
    ahead, seen, opened = [start], {start}, Counter[str]()
    while ahead:
        address = ahead.pop(0)
        endpoint = _endpoint(app, address)
        if not endpoint or endpoint.startswith("assets.") or opened[endpoint] >= of_each:
            continue
        opened[endpoint] += 1
        answer = client.get(address)
        if answer.mimetype == "text/html":
            found = [link for link in _links(answer.text, address) if link not in seen]
            seen.update(found)
            ahead.extend(found)
    return opened.total()


def _endpoint(app: Flask, address: str) -> str:
    try:
        return app.url_map.bind("localhost").match(urlsplit(address).path)[0]
    except HTTPException:
        return ""


def _links(page: str, address: str) -> list[str]:
    links = [urljoin(address, html.unescape(link)) for link in _LINK.findall(page)]
    own = [urlsplit(link) for link in links]
    return [
        each._replace(scheme="", netloc="", fragment="").geturl() for each in own if each.netloc in {"", "localhost"}
    ]
