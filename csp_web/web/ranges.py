"""Answers with the bytes of a file: whole or one range, resumable, counted, and without holding a thread.

What is answered to GET; HEAD gets the headers of the whole file and no body:

* 304 to If-None-Match or If-Modified-Since that still hold, 412 to If-Match or If-Unmodified-Since that no longer do;
* 206 with one range, when If-Range is absent or names this very file;
* 416 with ``Content-Range: bytes */size`` for a range that begins behind the end;
* 200 with the whole file otherwise: several ranges in one request (RFC 9110 allows that; download managers open one
  connection per range), a range that cannot be read, any range of an empty file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from flask import Response
from waitress.buffers import ReadOnlyFileBasedBuffer
from werkzeug.http import (
    is_resource_modified,
    parse_date,
    parse_etags,
    parse_if_range_header,
    parse_range_header,
    quote_etag,
)
from werkzeug.wsgi import FileWrapper

from csp_web.web.attachment_names import content_disposition
from csp_web.web.file_slice import BLOCK, FileChanged, FileSlice, OnEnd, Opener, PacedBuffer

__all__ = ["FileChanged", "Offload", "OnEnd", "Opener", "file_response"]

Environ = dict[str, Any]
Span = tuple[int, int]


@dataclass(frozen=True)
class Offload:
    """Leave the bytes to the web server in front: it answers ranges, but cannot say how much was sent.

    ``x-accel-redirect`` (nginx): ``prefix`` is the internal location that shows the folder ``root``; nginx sends its own
    ETag and drops our security headers, so its location must add them. ``x-sendfile`` (Apache, lighttpd): the path itself.
    """

    mode: Literal["x-accel-redirect", "x-sendfile"]
    root: Path
    prefix: str = ""

    def header(self, path: Path) -> tuple[str, str]:
        """The header that names the file. Raises ValueError when it lies outside ``root``."""
        inside = path.relative_to(self.root)
        if self.mode == "x-sendfile":
            return "X-Sendfile", str(path)
        return "X-Accel-Redirect", f"{self.prefix.rstrip('/')}/{quote(inside.as_posix())}"


def file_response(
    *,
    path: Path | Opener,
    size: int,
    etag: str,
    last_modified: datetime,
    download_name: str,
    content_type: str,
    environ: Environ,
    on_end: OnEnd | None = None,
    offload: Offload | None = None,
) -> Response:
    """Answer a GET or HEAD for a file of ``size`` bytes that never changes under its ``etag`` (unquoted, strong).

    ``on_end(bytes_sent)`` is called once for every answer that carries bytes of the file (200 and 206 to GET, not
    offloaded), when it is done or the client is gone. The number is what the socket took, at most 128 KiB and the
    network's own buffers more than what arrived. It is called in the server's I/O thread, or in any other: it must
    not block, must be thread-safe, and has no request; put the number in a queue and leave.

    A file that lies elsewhere is given as what opens it; it is read by the thread of the request, never by the I/O loop.

    Raises:
        FileChanged: the file is missing, or has not ``size`` bytes. Nothing was sent.
    """
    response = Response(direct_passthrough=True, content_type=content_type)
    _describe(response, etag, last_modified, download_name)
    if offload is not None and isinstance(path, Path):
        response.headers.set(*offload.header(path))
        return response
    response.accept_ranges = "bytes"
    refusal = _precondition(environ, etag, last_modified)
    if refusal is not None:
        return _without_body(response, refusal)
    span = _span(environ, size) if _range_applies(environ, etag, last_modified) else None
    if span is not None and span[0] >= size:
        response.headers["Content-Range"] = f"bytes */{size}"
        return _without_body(response, 416)
    return _with_body(response, path, size, span, environ, on_end)


def _describe(response: Response, etag: str, last_modified: datetime, download_name: str) -> None:
    response.set_etag(etag)
    response.last_modified = last_modified
    response.headers["Content-Disposition"] = content_disposition(download_name)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"


def _precondition(environ: Environ, etag: str, last_modified: datetime) -> int | None:
    """304 or 412 when a condition says so (RFC 9110, 13.2.2), before any range is looked at."""
    if "HTTP_IF_MATCH" in environ:
        tags = parse_etags(environ["HTTP_IF_MATCH"])
        if not (tags.star_tag or tags.is_strong(etag)):
            return 412
    else:
        unmodified_since = parse_date(environ.get("HTTP_IF_UNMODIFIED_SINCE"))
        if unmodified_since is not None and _whole(last_modified) > unmodified_since:
            return 412
    others = {name: value for name, value in environ.items() if name != "HTTP_IF_MATCH"}
    modified = is_resource_modified(others, quote_etag(etag), last_modified=_whole(last_modified))
    return None if modified else 304


def _range_applies(environ: Environ, etag: str, last_modified: datetime) -> bool:
    """If-Range needs the very same file: a weak tag or another date, even a later one, gets the whole."""
    if "HTTP_RANGE" not in environ or environ["REQUEST_METHOD"] != "GET":
        return False
    value = environ.get("HTTP_IF_RANGE")
    if value is None:
        return True
    condition = parse_if_range_header(value)
    if condition.date is not None:
        return condition.date == _whole(last_modified)
    return condition.etag == etag and not value.strip().startswith(("W/", "w/"))


def _whole(moment: datetime) -> datetime:
    """HTTP dates have no fractions of a second."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _span(environ: Environ, size: int) -> Span | None:
    """First byte and the one behind the last, as asked; None (the whole file) where no single range can be read."""
    asked = parse_range_header(environ["HTTP_RANGE"])
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1 or not size:
        return None
    start, stop = asked.ranges[0]
    if start < 0:  # the last so many bytes
        return max(0, size + start), size
    return start, min(size, stop or size)


def _without_body(response: Response, status: int) -> Response:
    response.status_code = status
    del response.headers["Content-Disposition"]
    return response


def _with_body(
    response: Response, path: Path | Opener, size: int, span: Span | None, environ: Environ, on_end: OnEnd | None
) -> Response:
    start, stop = span or (0, size)
    if span is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    response.content_length = stop - start
    if environ["REQUEST_METHOD"] == "GET":
        body = FileSlice(path, size=size, start=start, length=stop - start, on_end=on_end)
        wrapper: Any = _wrapper(environ) if isinstance(path, Path) else FileWrapper
        response.response = wrapper(body, BLOCK)
    return response


def _wrapper(environ: Environ) -> Any:
    """The server's own way to send a file; waitress's is paced. Middleware must pass it on untouched."""
    given = environ.get("wsgi.file_wrapper", FileWrapper)
    return PacedBuffer if given is ReadOnlyFileBasedBuffer else given
