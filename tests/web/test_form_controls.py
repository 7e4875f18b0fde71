"""Every control has a name, its hint and error are tied to it, and browsers know what belongs into it (WCAG 1.3.1, 1.3.5, 3.3)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient

from tests.support import tickets
from tests.support.software_pages import token_of
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
# Jinja's own braces and quotes may stand inside a tag.
CONTROL = re.compile(r"<(?:input|select|textarea)\b((?:\{[{%].*?[}%]\}|[^>])*)>", re.DOTALL)
ID = re.compile(r'\sid="((?:\{\{.*?\}\}|[^"])*)"')


def _nameless(source: str) -> list[str]:
    """Controls written by hand that have neither a label nor a name of their own."""
    found = []
    for control in CONTROL.finditer(source):
        attributes, own_id = control[1], ID.search(control[1])
        named = "aria-label" in attributes or (own_id is not None and f'for="{own_id[1]}"' in source)
        if not named and not re.search(r'type="hidden"|\shidden\b', attributes):
            found.append(control[0])
    return found


def test_controls_written_by_hand_have_labels() -> None:
    assert _nameless('<input type="hidden" name="a"><input id="{{ x }}"><label for="{{ y }}">Y</label>') == [
        '<input id="{{ x }}">'
    ]
    offenders = {str(file.relative_to(TEMPLATES)): _nameless(file.read_text()) for file in TEMPLATES.rglob("*.html")}
    assert {name: controls for name, controls in offenders.items() if controls} == {}


OWN_DATA = [
    ("/account", {"name": "name", "phone": "tel"}),
    (
        "/account/password",
        {"old_password": "current-password", "new_password": "new-password", "again_password": "new-password"},
    ),
    ("/tickets/new", {"contact_name": "name", "contact_email": "email", "contact_phone": "tel"}),
    # Of somebody else: the browser must not fill in the reader's own.
    ("/customers/new", dict.fromkeys(("company_name", "line1", "city", "first_name", "email", "phone"), "off")),
    ("/users/new", {"name": "off", "email": "off"}),
]


@pytest.mark.parametrize(("address", "wanted"), OWN_DATA, ids=[address for address, _ in OWN_DATA])
def test_browsers_know_whose_data_a_field_wants(app: Flask, world: World, address: str, wanted: dict[str, str]) -> None:
    """WCAG 1.3.5: the reader's own data by their token; other people's never by the reader's."""
    tickets.install_types()
    soup = _soup(world.sign_in(app, "alice"), address)
    found = {name: soup.select_one(f"main [name={name}]") for name in wanted}
    assert {name: control and control["autocomplete"] for name, control in found.items()} == wanted


def test_the_sign_in_is_known_to_password_managers(client: FlaskClient) -> None:
    soup = _soup(client, "/sign-in")
    assert [tag["autocomplete"] for tag in soup.select("#email, #password")] == ["username", "current-password"]


@pytest.mark.parametrize("address", ["/customers/new", "/users/new", "/tickets/new", "/account/password"])
def test_what_is_wrong_is_tied_to_its_field_and_linked_from_the_summary(app: Flask, world: World, address: str) -> None:
    tickets.install_types()
    client = world.sign_in(app, "alice")
    answer = client.post(address, data=token_of(client, address))
    assert answer.status_code == 422
    soup = BeautifulSoup(answer.text, "html.parser")
    wrong = soup.select("main [aria-invalid=true]")
    assert wrong
    for control in wrong:
        group = control.find_parent("fieldset", id=True) if control.get("type") in {"radio", "checkbox"} else None
        assert _error_of(soup, group or control)
    for link in soup.select(".error-summary a"):
        assert soup.select_one(str(link["href"])) is not None, link


@pytest.mark.parametrize(
    "address", ["/customers", "/customers/new", "/users/new", "/tickets/new", "/audit", "/software", "/account"]
)
def test_what_a_control_refers_to_is_there(app: Flask, world: World, address: str) -> None:
    tickets.install_types()
    soup = _soup(world.sign_in(app, "alice"), address)
    ids = [str(tag["id"]) for tag in soup.select("[id]")]
    assert len(ids) == len(set(ids)), "an id stands twice"
    referred = " ".join(str(tag["aria-describedby"]) for tag in soup.select("[aria-describedby]")).split()
    assert set(referred) <= set(ids)
    assert {str(tag["for"]) for tag in soup.select("label[for]")} <= set(ids)


def _soup(client: FlaskClient, address: str) -> BeautifulSoup:
    return BeautifulSoup(client.get(address).text, "html.parser")


def _error_of(soup: BeautifulSoup, control: Tag) -> str:
    """The sentence of the error that a control is described by."""
    described = str(control.get("aria-describedby") or "").split()
    error = next((soup.find(id=name) for name in described if name.endswith("-error")), None)
    return error.get_text(strip=True) if isinstance(error, Tag) else ""
