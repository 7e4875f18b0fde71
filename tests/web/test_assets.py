"""Static files: names, answers, size of the first load, contrast of the colours, and markup that the policy allows."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from flask import Flask

from csp_web.web.assets import Asset, init_assets
from csp_web.web.bootstrap import Words, trimmed

ROOT = Path(__file__).resolve().parents[2]
FIRST_LOAD = ("css/site.css", "js/app.js", "js/htmx.js", "favicon.svg")


@pytest.fixture(scope="module")
def site() -> Flask:
    """Nothing but the assets: they need no database."""
    app = Flask("assets_only", static_folder=None)
    init_assets(app, ROOT / "static")
    return app


@pytest.fixture(scope="module")
def stylesheet(site: Flask) -> str:
    return _assets(site)["css/site.css"].body.decode()


def _assets(site: Flask) -> dict[str, Asset]:
    found: dict[str, Asset] = site.extensions["assets"]
    return found


def test_a_name_holds_the_hash_of_the_content(site: Flask) -> None:
    for asset in _assets(site).values():
        assert asset.url == f"/static/{hashlib.sha256(asset.body).hexdigest()[:16]}/{asset.path}"


@pytest.mark.parametrize("path", FIRST_LOAD)
def test_an_asset_is_kept_for_a_year_and_compressed_once(site: Flask, path: str) -> None:
    asset = _assets(site)[path]
    packed = site.test_client().get(asset.url, headers={"Accept-Encoding": "gzip, br"})
    plain = site.test_client().get(asset.url)

    assert (packed.status_code, packed.headers["Content-Encoding"]) == (200, "gzip")
    assert gzip.decompress(packed.data) == plain.data == asset.body
    assert "Content-Encoding" not in plain.headers
    for answer in (packed, plain):
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.content_type == asset.content_type
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_compression_that_is_refused_is_not_used(site: Flask) -> None:
    url = _assets(site)["js/app.js"].url
    answer = site.test_client().get(url, headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in answer.headers


def test_a_known_tag_is_answered_without_a_body(site: Flask) -> None:
    url = _assets(site)["css/site.css"].url
    first = site.test_client().get(url)
    again = site.test_client().get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_two_starts_build_the_same_bytes(site: Flask) -> None:
    other = Flask("assets_again", static_folder=None)
    init_assets(other, ROOT / "static")
    assert _assets(other) == _assets(site)


@pytest.mark.parametrize(
    "address",
    [
        "/static/0000000000000000/css/site.css",
        "/static/0000000000000000/no/such.css",
        "/static/css/site.css",
        "/static/x/../../pyproject.toml",
        "/static/x/%2e%2e/%2e%2e/pyproject.toml",
    ],
)
def test_what_is_not_an_asset_is_not_found(site: Flask, address: str) -> None:
    assert site.test_client().get(address).status_code == 404


def test_sheets_that_are_joined_are_not_served_alone(site: Flask) -> None:
    assert {path for path in _assets(site) if path.endswith(".css")} == {"css/site.css"}


def test_old_browsers_find_the_icon(site: Flask) -> None:
    answer = site.test_client().get("/favicon.ico")
    assert (answer.status_code, answer.location) == (302, _assets(site)["favicon.svg"].url)


def test_assets_are_open_to_everybody(site: Flask) -> None:
    for endpoint in ("assets.file", "assets.favicon"):
        assert getattr(site.view_functions[endpoint], "_permission", None) == "public"


def test_the_first_load_leaves_room_for_the_page(site: Flask) -> None:
    """60 KB in 6 requests for a whole first load; a list of 50 rows may take 16 KB of it."""
    sizes = [len(_assets(site)[path].gzipped or _assets(site)[path].body) for path in FIRST_LOAD]
    assert len(sizes) <= 4
    assert sum(sizes) <= 44 * 1024, dict(zip(FIRST_LOAD, sizes, strict=True))


# ---- Bootstrap, cut


@pytest.mark.parametrize(
    "used",
    [
        ".row{", ".btn{", ".btn-primary{", ".btn-secondary{", ".btn-link{", ".btn-sm", ".form-control{", ".form-select{",
        ".form-check-input{", ".table{", ".visually-hidden", ".nav-tabs", ".mb-0{", ".my-2{",
    ],
)  # fmt: skip
def test_parts_of_bootstrap_that_pages_use_are_kept(stylesheet: str, used: str) -> None:
    assert used in stylesheet


@pytest.mark.parametrize(
    "dropped",
    [
        ".carousel", ".accordion", ".tooltip", ".offcanvas", ".text-bg-", ".was-validated", "[data-bs-theme=dark]",
        ".col-xxl-9{", ".translate-middle{",
    ],
)  # fmt: skip
def test_parts_of_bootstrap_that_need_its_scripts_or_one_theme_are_gone(stylesheet: str, dropped: str) -> None:
    assert dropped not in stylesheet


def test_cutting_keeps_the_licence_and_whatever_it_does_not_know() -> None:
    css = '@charset "UTF-8";/*! Licence */.a,.carousel,.b:not(.x,.y){c:d}.tooltip{e:f}@media print{.modal{g:h}.i{j:k}}'
    assert (
        trimmed(css, Words.of(["a b i carousel tooltip modal"]))
        == "/*! Licence */.a,.b:not(.x,.y){c:d}@media print{.i{j:k}}"
    )


def test_a_media_query_that_is_emptied_goes_away() -> None:
    assert trimmed("@media print{.modal{a:b}}.c{d:e}", Words.of(["c"])) == ".c{d:e}"


def test_a_class_that_no_template_says_goes_away_and_what_a_template_completes_stays() -> None:
    words = Words.of(['<p class="row btn-{{ kind }}">'])
    css = ".row>.col{a:b}p:not(.col)>.row{c:d}.btn-primary{e:f}.row,.lg{g:h}p{i:j}"
    assert trimmed(css, words) == "p:not(.col)>.row{c:d}.btn-primary{e:f}.row{g:h}p{i:j}"


def test_bootstrap_lies_in_the_lowest_layer(stylesheet: str) -> None:
    """Our layers win without a fight of specificity; nothing stands outside a layer, for that would beat them all."""
    assert stylesheet.startswith("@layer bootstrap, tokens, base, layout, components, utilities, print;")
    outermost = re.sub(r"/\*.*?\*/", "", _without_blocks(stylesheet), flags=re.DOTALL)
    statements = [statement.strip() for statement in outermost.split(";") if statement.strip()]
    assert len(statements) > 8
    assert [statement for statement in statements if not statement.startswith("@layer ")] == []


def _without_blocks(css: str) -> str:
    """What stands outside all braces, each block replaced by a semicolon."""
    depth, outside = 0, []
    for character in css:
        depth += (character == "{") - (character == "}")
        if character == "}" and depth == 0:
            outside.append(";")
        elif depth == 0:
            outside.append(character)
    return "".join(outside)


# ---- Contrast (WCAG 2.2 AA), computed from the tokens for both themes

SURFACES = ("canvas", "surface", "hover")
PAIRS = [
    *((text, ground, 4.5) for text in ("text", "text-muted", "link", "danger-text", "ok-text") for ground in SURFACES),
    ("text", "sunken", 4.5),
    ("text-muted", "sunken", 4.5),
    ("link", "accent-soft", 4.5),
    ("text", "accent-soft", 4.5),
    *((f"{state}-text", f"{state}-soft", 4.5) for state in ("ok", "warn", "danger", "info")),
    *(("on-accent", ground, 4.5) for ground in ("accent", "accent-hover", "danger", "danger-hover")),
    *((part, ground, 3.0) for part in ("line-strong", "focus", "accent") for ground in ("canvas", "surface")),
    ("focus", "sunken", 3.0),
    ("focus", "accent-soft", 3.0),
]


def _colours(source: str) -> dict[str, tuple[str, str]]:
    pairs = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", source)
    return {name: (day, night) for name, day, night in pairs}


def _luminance(colour: str) -> float:
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_the_standard_says() -> None:
    assert round(_contrast("#000000", "#ffffff"), 2) == 21
    assert round(_contrast("#777777", "#ffffff"), 2) == 4.48


# What the theme of high contrast promises on top (WCAG 2.2 AAA): 7:1 for every text, 4.5:1 for every line that carries meaning.
MORE = [
    *((part, ground, 7.0 if least > 3 else 4.5) for part, ground, least in PAIRS),
    *((line, ground, 4.5) for line in ("line", "line-button") for ground in ("canvas", "surface")),
    *((f"{state}-line", f"{state}-soft", 4.5) for state in ("ok", "warn", "danger", "info")),
    *((f"{state}-text", ground, 7.0) for state in ("warn", "info") for ground in SURFACES),
]


def _weak(
    colours: dict[str, tuple[str, str]], pairs: list[tuple[str, str, float]], theme: int
) -> dict[tuple[str, str], float]:
    found = {(one, other): _contrast(colours[one][theme], colours[other][theme]) for one, other, _ in pairs}
    return {(one, other): round(found[one, other], 2) for one, other, least in pairs if found[one, other] < least}


def _blocks() -> tuple[str, str, str]:
    """The tokens as usual, where the system wants more contrast, and where the person chose it."""
    source = (ROOT / "static/css/tokens.css").read_text()
    usual, _, more = source.partition("@media (prefers-contrast: more)")
    wanted, _, chosen = more.partition(':root[data-contrast="more"]')
    return usual, wanted, chosen.partition("/* Bootstrap")[0]


@pytest.mark.parametrize("theme", [0, 1], ids=["day", "night"])
def test_every_text_and_control_has_contrast(theme: int) -> None:
    assert _weak(_colours(_blocks()[0]), PAIRS, theme) == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["day", "night"])
def test_high_contrast_has_seven_to_one(theme: int) -> None:
    usual, wanted, _ = _blocks()
    assert _weak(_colours(usual) | _colours(wanted), MORE, theme) == {}
    assert _weak(_colours(usual), MORE, theme) != {}, "the usual theme promises less"


def test_high_contrast_is_the_same_asked_for_by_the_system_or_chosen() -> None:
    _, wanted, chosen = _blocks()
    assert len(_colours(wanted)) > 25
    assert _colours(wanted) == _colours(chosen)


# ---- Markup that the Content-Security-Policy allows


@pytest.mark.parametrize(
    ("forbidden", "pattern"),
    [
        ("inline style", r"\sstyle=|<style"),
        ("inline script", r"<script(?![^>]*\ssrc=)"),
        ("inline event", r"\son[a-z]+="),
        ("hx-on or a filter of hx-trigger", r"hx-on|hx-trigger=\"[^\"]*\["),
        ("unescaped text", r"\|\s*safe\b"),
        ("foreign host", r"(?:src|href)=\"(?:https?:)?//"),
    ],
)
def test_no_template_breaks_the_policy(forbidden: str, pattern: str) -> None:
    templates = sorted((ROOT / "templates").rglob("*.html"))
    assert len(templates) > 20
    offenders = [str(file.relative_to(ROOT)) for file in templates if re.search(pattern, file.read_text())]
    assert offenders == [], forbidden


def test_the_template_rules_can_fail() -> None:
    assert re.search(r"<script(?![^>]*\ssrc=)", "<script>alert(1)</script>")
    assert not re.search(r"<script(?![^>]*\ssrc=)", '<script src="x" defer></script>')
    assert re.search(r"\son[a-z]+=", '<b onclick="x">')
