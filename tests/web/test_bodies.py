"""Requests that are too large for their page: refused in a sentence, and forms with files are all known (D13, S-11)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from csp_web.config import ROOT
from csp_web.web.bodies import ROOM, TAKE_FILES, body_limit
from tests.world import World

if TYPE_CHECKING:
    from flask import Flask

pytestmark = pytest.mark.one_database  # nothing is written

MIB = 1024 * 1024
ORDINARY, FILES = 4 * MIB + ROOM, 102 * MIB
SMALL = {"admin.go_on"}  # a file's first bytes only
FORM_WITH_FILES = re.compile(r"form_tag\(url_for\('([^']+)'[^)]*\), multipart=True")


def cookies_of(app: Flask, world: World, name: str) -> str:
    cookie = world.sign_in(app, name).get_cookie("csp_session")
    assert cookie is not None
    return f"other=1; csp_session={cookie.value}"


def test_every_form_with_files_is_among_those_that_take_them(app: Flask) -> None:
    texts = [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    found = {name for text in texts for name in FORM_WITH_FILES.findall(text)}
    assert len(found) >= 5
    assert found - SMALL <= TAKE_FILES <= set(app.view_functions)


@pytest.mark.parametrize(
    ("method", "path", "signed_in", "stranger"),
    [
        ("POST", "/tickets/new", FILES, ORDINARY),
        ("POST", "/tickets/123/replies", FILES, ORDINARY),
        ("POST", "/admin/files/new", FILES, ORDINARY),
        ("PATCH", "/admin/files/uploads/7", FILES, ORDINARY),
        ("GET", "/tickets/new", ORDINARY, ORDINARY),
        ("POST", "/customers/new", ORDINARY, ORDINARY),
        ("POST", "/sign-in", ORDINARY, ORDINARY),
        ("POST", "/d/some-token", ORDINARY, ORDINARY),
        ("POST", "/nowhere/\xd1\x84\xff", ORDINARY, ORDINARY),
        ("PUT", "//", ORDINARY, ORDINARY),
    ],
)
def test_only_people_who_are_signed_in_send_files(
    app: Flask, world: World, method: str, path: str, signed_in: int, stranger: int
) -> None:
    assert body_limit(app, method, path, cookies_of(app, world, "alice")) == signed_in
    for cookies in ("", "csp_session=made.up.by-somebody", "csp_session=; csp_session", "\xff=\xfe"):
        assert body_limit(app, method, path, cookies) == stranger


def test_s11_a_form_that_is_too_large_is_refused_in_a_sentence(app: Flask, world: World) -> None:
    answer = world.sign_in(app, "alice").post("/customers/new", data={"company_name": "x" * (5 * MIB)})
    assert answer.status_code == 413
    assert "What you sent is larger than this page takes." in answer.text
