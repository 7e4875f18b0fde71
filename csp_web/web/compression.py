"""Pages go over the wire compressed (``docs/decisions/0014-compressed-pages.md``).

Static files are compressed once, by ``assets``; what is made for one request is compressed here, at a level that costs
a page of fifty rows a sixth of a millisecond. Files that people download, parts of files and streams go out as they are.
"""

from __future__ import annotations

import secrets
import zlib
from functools import lru_cache

from flask import Flask, Response, request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

TYPES = frozenset({"application/json", "text/csv", "text/html", "text/plain"})
LEAST = 1024  # bytes; what fits into one packet anyhow gains nothing
LEVEL, LEVEL_OF_A_PART = 3, 6  # parts are short, and come while somebody types
LONG, LEVEL_OF_LONG = 65_536, 9  # the whole guide on one page: seldom asked for, and a first load has its limit
LONGEST_NAME = 100
_GZIP, _HEADER = 31, 10  # window bits that make zlib write gzip; size of the header that it writes
_HAS_NAME = b"\x08"


def init_compression(app: Flask) -> None:
    """Compress answers. Called before all else that looks at answers: Flask asks whoever came first last."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if not _may_be_compressed(response):
        return response
    _vary(response)
    if not takes_gzip(request.headers.get("Accept-Encoding", "")):
        return response
    body = response.get_data()
    if len(body) >= LEAST:
        response.set_data(packed(body, _level(len(body))))
        response.headers["Content-Encoding"] = "gzip"
        _weaken_tag(response)
    return response


def _level(length: int) -> int:
    if "HX-Request" in request.headers:
        return LEVEL_OF_A_PART
    return LEVEL if length < LONG else LEVEL_OF_LONG


def _may_be_compressed(response: Response) -> bool:
    """Whether this is a text made for this request: no file, no part of one, no stream, nothing encoded."""
    headers = response.headers
    return (
        response.mimetype in TYPES
        and "Content-Encoding" not in headers
        and "Content-Disposition" not in headers
        and "Content-Range" not in headers
        and not response.is_streamed
        and not response.direct_passthrough
    )


def packed(body: bytes, level: int = LEVEL) -> bytes:
    """The body as gzip, with a file name of random length in its header.

    A page holds the token of its forms and may hold what somebody else typed into an address: whoever could see how
    long answers are would guess the one by the other (the attack is called BREACH). The name hides the length.
    """
    making = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    made = making.compress(body) + making.flush()
    name = b"a" * secrets.randbelow(LONGEST_NAME) + b"\0"
    return made[:3] + _HAS_NAME + made[4:_HEADER] + name + made[_HEADER:]


@lru_cache(maxsize=256)
def takes_gzip(accepted: str) -> bool:
    """Whether a browser that says this in Accept-Encoding wants gzip at least as much as the plain body."""
    ways = parse_accept_header(accepted, Accept)
    return ways["gzip"] > 0 and ways["gzip"] >= ways["identity"]


def _vary(response: Response) -> None:
    """Tell caches that the body depends on what the browser takes."""
    varies = response.headers.get("Vary", "")
    if "Accept-Encoding" not in varies:
        response.headers["Vary"] = f"{varies}, Accept-Encoding" if varies else "Accept-Encoding"


def _weaken_tag(response: Response) -> None:
    """The same page in other bytes: a browser that has it is still told so (weakly compared), a part of it is not sent."""
    tag, weak = response.get_etag()
    if tag is not None and not weak:
        response.set_etag(tag, weak=True)
