"""The theme switch: in the dark, in high contrast, with or without scripts, and nothing flashes (B13)."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

ROOT_ELEMENT = re.compile(r"<html[^>]*>")


def _root(client: FlaskClient, address: str = "/account") -> str:
    found = ROOT_ELEMENT.search(client.get(address).text)
    assert found is not None
    return found[0]


def _choose(client: FlaskClient, theme: str, *, back: str = "/account") -> tuple[int, str]:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    assert token is not None
    answer = client.post("/account/theme", data={"csrf_token": token[1], "theme": theme, "next": back})
    return answer.status_code, answer.location


@pytest.mark.parametrize(
    ("theme", "attribute"),
    [("light", 'data-bs-theme="light"'), ("dark", 'data-bs-theme="dark"'), ("contrast", 'data-contrast="more"')],
)
def test_b13_a_theme_is_chosen_without_scripts(app: Flask, world: World, theme: str, attribute: str) -> None:
    client = world.sign_in(app, "alice")
    assert _root(client) == '<html lang="en">'

    assert _choose(client, theme, back="/customers?q=x") == (303, "/customers?q=x")
    assert _root(client) == f'<html lang="en" {attribute}>'
    pressed = re.findall(r'value="(\w+)" data-theme-choice="\w+" aria-pressed="true"', client.get("/account").text)
    assert pressed == [theme]

    _choose(client, "system")
    assert _root(client) == '<html lang="en">'


def test_pages_before_the_sign_in_wear_it_too(app: Flask, world: World) -> None:
    client = world.sign_in(app, "alice")
    _choose(client, "dark")
    with client.session_transaction() as cookie:
        cookie.pop("_user_id")
    assert 'data-bs-theme="dark"' in _root(client, "/sign-in")


@pytest.mark.parametrize("nonsense", ["", "pink", '"><script>', "x" * 5000])
def test_what_is_no_theme_changes_nothing(app: Flask, world: World, nonsense: str) -> None:
    client = world.sign_in(app, "alice")
    _choose(client, "dark")
    assert _choose(client, nonsense, back="https://elsewhere.example/") == (303, "/")
    assert 'data-bs-theme="dark"' in _root(client)

    client.set_cookie("theme", nonsense[:200])
    assert _root(client) == '<html lang="en">'
