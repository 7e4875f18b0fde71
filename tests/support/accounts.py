"""The forms of signing in and of accounts, filled in as a browser without JavaScript does it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from csp_web.db import session, transaction
from csp_web.domain.access import passwords
from csp_web.models import User
from tests.support.people import PASSWORD
from tests.world import World


@pytest.fixture
def bob(world: World, app: Flask) -> str:
    """Bob has a password; returns his address."""
    with transaction():
        session.get_one(User, world.people["bob"]).password_hash = passwords.hash_password(PASSWORD)
    return "bob@contoso.example"


def hidden(page: TestResponse, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page.text)
    assert found, f"no field {name}"
    return unescape(found[1])


def send(client: FlaskClient, address: str, *, page: str | None = None, **fields: Any) -> TestResponse:
    """Open the page with the form, fill it in, send it."""
    form = client.get(page or address)
    return client.post(address, data={"csrf_token": hidden(form, "csrf_token"), **fields})


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
    return send(client, "/sign-in", email=email, password=password, **more)
