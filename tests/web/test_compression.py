"""Pages go out compressed where the browser takes it, and nothing that is a file, a stream or a part of one."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from csp_web.web.compression import LEAST, LONGEST_NAME, init_compression, packed, takes_gzip
from tests.world import World

TEXT = "Fifty rows. " * 500
WANTED = {"Accept-Encoding": "gzip, deflate, br, zstd"}


@pytest.fixture(scope="module")
def plain_site() -> FlaskClient:
    """Nothing but the compression: it needs no database."""
    site = Flask("compression_only", static_folder=None)
    init_compression(site)
    site.add_url_rule("/page", "page", lambda: TEXT, methods=["GET", "POST"])
    site.add_url_rule("/short", "short", lambda: "x" * (LEAST - 1))
    site.add_url_rule("/json", "json", lambda: {"rows": [TEXT]})
    site.add_url_rule("/refused", "refused", lambda: (TEXT, 422))
    site.add_url_rule("/picture", "picture", lambda: Response(TEXT, mimetype="image/png"))
    site.add_url_rule("/stream", "stream", _stream)
    site.add_url_rule("/sheet", "sheet", _sheet)
    site.add_url_rule("/part", "part", _part)
    site.add_url_rule("/encoded", "encoded", _encoded)
    site.add_url_rule("/tagged", "tagged", _tagged)
    return site.test_client()


def _stream() -> Response:
    def lines() -> Iterator[str]:
        yield TEXT

    return Response(lines())


def _sheet() -> Response:
    return Response(TEXT, mimetype="text/csv", headers={"Content-Disposition": "attachment; filename=prices.csv"})


def _part() -> Response:
    return Response(TEXT, 206, headers={"Content-Range": "bytes 0-5999/9000"}, mimetype="text/plain")


def _encoded() -> Response:
    return Response(TEXT, headers={"Content-Encoding": "br"}, mimetype="text/plain")


def _tagged() -> Response:
    answer = Response(TEXT, headers={"Vary": "HX-Request"}, mimetype="text/html")
    answer.set_etag("first")
    made: Response = answer.make_conditional(request)  # type: ignore[assignment]
    return made


@pytest.mark.parametrize("path", ["/page", "/json", "/refused"])
def test_a_text_is_compressed_for_who_takes_it(plain_site: FlaskClient, path: str) -> None:
    small, whole = plain_site.get(path, headers=WANTED), plain_site.get(path)

    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.data) == whole.data
    assert int(small.headers["Content-Length"]) == len(small.data) < len(whole.data) / 4
    assert "Content-Encoding" not in whole.headers
    assert small.headers["Vary"] == whole.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["/short", "/picture", "/stream", "/sheet", "/part", "/encoded"])
def test_what_is_short_or_a_file_or_a_stream_or_encoded_stays_as_it_is(plain_site: FlaskClient, path: str) -> None:
    asked, unasked = plain_site.get(path, headers=WANTED), plain_site.get(path)
    assert asked.data == unasked.data
    assert asked.headers.get("Content-Encoding") == unasked.headers.get("Content-Encoding") != "gzip"


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("br;q=1.0, gzip;q=0.5", True),
        ("*", True),
        ("", False),
        ("br", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("*;q=0", False),
        ("gzip;q=0.2, identity;q=0.8", False),
        ("gzip;q=nonsense", False),
    ],
)
def test_the_browser_says_whether_it_takes_gzip(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes


def test_head_tells_what_get_sends_and_sends_nothing(plain_site: FlaskClient) -> None:
    answer = plain_site.head("/page", headers=WANTED)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) < len(TEXT) / 4
    assert answer.data == b""


def test_a_tag_is_weak_once_the_bytes_are_others_and_still_spares_the_body(plain_site: FlaskClient) -> None:
    first = plain_site.get("/tagged", headers=WANTED)
    assert first.headers["ETag"] == 'W/"first"'
    assert first.headers["Vary"] == "HX-Request, Accept-Encoding"
    again = plain_site.get("/tagged", headers={**WANTED, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Vary"] == first.headers["Vary"]
    assert plain_site.get("/tagged").headers["ETag"] == '"first"'


def test_the_length_of_an_answer_does_not_tell_what_is_in_it() -> None:
    """Against BREACH: the length varies by more than one letter that was guessed right would save."""
    bodies = [packed(TEXT.encode()) for _turn in range(200)]
    lengths = {len(body) for body in bodies}
    assert {gzip.decompress(body) for body in bodies} == {TEXT.encode()}
    assert len(lengths) > 20
    assert max(lengths) - min(lengths) < LONGEST_NAME


def test_pages_of_the_application_are_compressed(app: Flask, world: World) -> None:
    browser = world.sign_in(app, "alice")
    for headers in ({}, {"HX-Request": "true"}):
        answer = browser.get("/customers", headers={**WANTED, **headers})
        assert answer.headers.get("Content-Encoding") == ("gzip" if len(_text(answer)) >= LEAST else None)
        assert "Coho" in _text(answer)
        assert {"HX-Request", "Accept-Encoding"} <= {name.strip() for name in answer.headers["Vary"].split(",")}


def _text(answer: TestResponse) -> str:
    body = answer.data
    return (gzip.decompress(body) if answer.headers.get("Content-Encoding") else body).decode()
