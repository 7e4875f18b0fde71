"""An application that serves one file, and what is known about that file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from csp_web.web.file_slice import FileSlice
from csp_web.web.ranges import file_response

PATIENCE = 20.0
MIB = 1024 * 1024
CONTENT = bytes(range(256)) * 4  # 1,024 bytes
ETAG = "f00d"
MODIFIED = datetime(2025, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
MODIFIED_HEADER = "Sat, 01 Mar 2025 12:00:00 GMT"
LATER = "Sun, 02 Mar 2025 12:00:00 GMT"
EARLIER = "Fri, 28 Feb 2025 12:00:00 GMT"


def application(path: Path, ended: Callable[[int], None], /, **changes: Any) -> Flask:
    """Serves one file at ``/file`` and a word at ``/word``."""
    app = Flask("files")
    app.testing = True

    @app.get("/file")
    def file() -> Response:
        described: dict[str, Any] = {
            "path": path,
            "size": path.stat().st_size,
            "etag": ETAG,
            "last_modified": MODIFIED,
            "download_name": "Setup.iso",
            "content_type": "application/octet-stream",
            "on_end": ended,
        }
        return file_response(environ=request.environ, **(described | changes))

    @app.get("/word")
    def word() -> str:
        return "word"

    return app


def slice_of(path: Path, **changes: Any) -> FileSlice:
    return FileSlice(path, **({"size": 1024, "start": 100, "length": 50} | changes))
