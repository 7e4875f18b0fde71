"""A small application under the real server, run as a program: ``served_app.py '{"processes": 2, …}'``.

Its first line of output is the port, once it answers.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from werkzeug.exceptions import RequestEntityTooLarge

from csp_web.serving import Limits, TrustedProxies, serve

ARGUMENTS: dict[str, Any] = json.loads(sys.argv[1])
PARENT = os.getpid()


def build() -> Callable[..., Iterable[bytes]]:
    """The factory; it fails while the file that ``broken`` names exists."""
    if Path(ARGUMENTS.get("broken", "/nowhere")).exists():
        raise ValueError("the settings are wrong")
    built_in = os.getpid()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        name = environ["PATH_INFO"].strip("/")
        query = {key: values[0] for key, values in parse_qs(environ["QUERY_STRING"]).items()}
        if name == "file":
            start_response("200 OK", [("Content-Length", query["size"])])
            with Path(query["path"]).open("wb") as file:
                file.truncate(int(query["size"]))
            return environ["wsgi.file_wrapper"](Path(query["path"]).open("rb"), 65536)
        try:
            body = ANSWERS[name](environ, query, built_in)
        except RequestEntityTooLarge:
            start_response("413 Too Large", [("Content-Type", "text/plain"), ("Content-Length", "9")])
            return [b"too large"]
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(body).encode()]

    if "body_limit" in ARGUMENTS:
        app.body_limit = lambda *_head: ARGUMENTS["body_limit"]  # type: ignore[attr-defined]
    return app


def who(_environ: dict[str, Any], _query: dict[str, str], built_in: int) -> dict[str, int]:
    return {"pid": os.getpid(), "built_in": built_in, "parent": PARENT}


def sleep(_environ: dict[str, Any], query: dict[str, str], _built_in: int) -> str:
    Path(query["started"]).touch()
    time.sleep(float(query["seconds"]))
    return "slept"


def read(environ: dict[str, Any], _query: dict[str, str], _built_in: int) -> int:
    return len(environ["wsgi.input"].read())


def client(environ: dict[str, Any], _query: dict[str, str], _built_in: int) -> dict[str, str]:
    return {"address": environ["REMOTE_ADDR"], "scheme": environ["wsgi.url_scheme"]}


ANSWERS = {"who": who, "sleep": sleep, "read": read, "client": client}


def jobs(stop: threading.Event) -> None:
    """Write down which process does the jobs, and how they ended."""
    diary = Path(ARGUMENTS["diary"])
    with diary.open("a") as page:
        page.write(f"{os.getpid()}\n")
    stop.wait()
    with diary.open("a") as page:
        page.write("asked to stop\n")


def say_port(_host: str, port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def main() -> int:
    if ARGUMENTS.get("without_fork"):
        del os.fork
    return serve(
        build,
        host=ARGUMENTS.get("host", "127.0.0.1"),
        port=ARGUMENTS.get("port", 0),
        processes=ARGUMENTS.get("processes", 2),
        threads=1,
        on_ready=say_port,
        background=jobs if "diary" in ARGUMENTS else None,
        limits=Limits(**ARGUMENTS.get("limits", {})),
        proxies=TrustedProxies(["127.0.0.1"]) if ARGUMENTS.get("behind_proxy") else None,
        grace=ARGUMENTS.get("grace", 10.0),
    )


if __name__ == "__main__":
    sys.exit(main())
