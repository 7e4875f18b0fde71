"""Static files under names that hold a hash of their content, served from memory.

Everything is read, joined and compressed once when the application is built: an answer costs a dictionary look-up,
browsers keep a file for a year, and a new release is a new name. Bootstrap and htmx come from the installed wheels.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from flask import Flask, Response, abort, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from csp_web.web.bootstrap import Words, trimmed
from csp_web.web.gate import public

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_STYLESHEET = "css/site.css"
# Order of the cascade; the sheets declare the same order in tokens.css.
_SHEETS = (
    "tokens",
    "base",
    "layout",
    "components",
    "buttons",
    "messages",
    "forms",
    "tables",
    "search",
    "living",
    "guide",
    "charts",
    "timeline",
    "jobs",
    "print",
)
_SCRIPT = "js/app.js"
# Names are shared inside one function: what starts last stands last.
_PARTS = (
    "base", "theme", "copy", "secrets", "time_left", "forms", "toasts",
    "dialogs", "htmx", "pieces", "upload", "counters", "search", "shortcuts", "start",
)  # fmt: skip
_COMMENT = re.compile(r"/\*(?!!).*?\*/", re.DOTALL)
_LINE_COMMENT = re.compile(r"^\s*//.*\n", re.MULTILINE)
_INDENT = re.compile(r"\n\s*")
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file as it goes over the wire; ``gzipped`` is None where compression would not make it smaller."""

    path: str
    body: bytes
    gzipped: bytes | None
    content_type: str
    digest: str

    @property
    def url(self) -> str:
        return f"/static/{self.digest}/{self.path}"


def init_assets(app: Flask, static_dir: Path) -> None:
    """Build all assets and register ``assets.file``, ``assets.favicon`` and the template global ``asset_url``.

    The application must be made with ``static_folder=None``: Flask's own route would answer under the same address.
    """
    assets = {asset.path: asset for asset in _built(static_dir)}

    @public
    def file(digest: str, path: str) -> BaseResponse:
        asset = assets.get(path)
        if asset is None or asset.digest != digest:
            abort(404)
        return _answer(asset)

    @public
    def favicon() -> BaseResponse:
        answer = redirect(assets["favicon.svg"].url)
        answer.headers["Cache-Control"] = "public, max-age=86400"
        return answer

    app.extensions["assets"] = assets
    app.add_url_rule("/static/<digest>/<path:path>", "assets.file", file)
    app.add_url_rule("/favicon.ico", "assets.favicon", favicon)
    app.jinja_env.globals["asset_url"] = lambda path: assets[path].url
    _announce_the_sheet(app, assets[_STYLESHEET].url)


def _announce_the_sheet(app: Flask, address: str) -> None:
    """Name the style sheet in the head of every page's answer: it is asked for before the page has been read."""
    announced = f"<{address}>; rel=preload; as=style"

    @app.after_request
    def _announce(response: Response) -> Response:
        headers = response.headers
        if "HX-Request" not in request.headers and headers.get("Content-Type", "").startswith("text/html"):
            headers.add("Link", announced)
        return response


def _answer(asset: Asset) -> BaseResponse:
    body, tag = asset.body, asset.digest
    response = Response(content_type=asset.content_type)
    if asset.gzipped is not None:
        response.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"] > 0:
            body, tag = asset.gzipped, f"{asset.digest}-gzip"
            response.content_encoding = "gzip"
    response.set_data(body)
    response.set_etag(tag)
    response.headers["Cache-Control"] = _FOR_EVER
    return response.make_conditional(request)


@lru_cache
def _built(static_dir: Path) -> tuple[Asset, ...]:
    """Built once per process: files do not change under a running server."""
    return tuple(_build(static_dir))


def _build(static_dir: Path) -> Iterator[Asset]:
    yield _asset(_STYLESHEET, _stylesheet(static_dir / "css").encode())
    yield _asset(_SCRIPT, _script(static_dir / "js" / "app").encode())
    yield _asset("js/htmx.js", _from_wheel("django_htmx", "static/django_htmx/htmx-2.min.js"))
    for file in sorted(static_dir.rglob("*")):
        if file.suffix in _TYPES and file.suffix != ".css" and file.parent.name != "app":
            yield _asset(file.relative_to(static_dir).as_posix(), file.read_bytes())


def _asset(path: str, body: bytes) -> Asset:
    packed = gzip.compress(body, compresslevel=9, mtime=0)
    return Asset(
        path=path,
        body=body,
        gzipped=packed if len(packed) < len(body) else None,
        content_type=_TYPES[PurePosixPath(path).suffix],
        digest=hashlib.sha256(body).hexdigest()[:16],
    )


def _stylesheet(css_dir: Path) -> str:
    """One sheet of all layers: our files in order, then Bootstrap inside the layer that every other one overrides."""
    own = (_compact((css_dir / f"{name}.css").read_text(encoding="utf-8")) for name in _SHEETS)
    bootstrap = _from_wheel("flask_bootstrap", "static/bootstrap5/css/bootstrap.min.css").decode()
    return "".join(own) + f"@layer bootstrap{{{trimmed(bootstrap, _words(css_dir.parents[1]))}}}"


def _words(root: Path) -> Words:
    """What pages are made of may name a class: templates, scripts, and the Python that writes markup."""
    made_of = ((root / "templates", "*.html"), (root / "static", "*.js"), (root / "csp_web" / "blueprints", "*.py"))
    return Words.of(file.read_text(encoding="utf-8") for folder, name in made_of for file in folder.rglob(name))


def _script(parts_dir: Path) -> str:
    """One script of all parts, which see each other's names and leave none on the page."""
    parts = (_LINE_COMMENT.sub("", (parts_dir / f"{name}.js").read_text(encoding="utf-8")) for name in _PARTS)
    return '(() => {\n"use strict";\n' + "".join(_INDENT.sub("\n", part) for part in parts) + "})();\n"


def _compact(css: str) -> str:
    return _INDENT.sub("\n", _COMMENT.sub("", css)).strip()


def _from_wheel(package: str, file: str) -> bytes:
    """Bytes of a file of an installed package, which is located without being imported (django_htmx wants Django)."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"Python package {package} is not installed")
    return (Path(spec.submodule_search_locations[0]) / file).read_bytes()
