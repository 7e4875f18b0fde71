"""S-10: links for other people are made from CSP_WEB_PUBLIC_URL, whatever Host, X-Forwarded-Host or Forwarded say."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient

from csp_web.app import create_app
from csp_web.db import now
from csp_web.domain import outbox
from csp_web.serving import TrustedProxies
from tests.support.files import add_option
from tests.support.people import PASSWORD, with_password
from tests.support.plain import PlainBrowser
from tests.support.stock import bought
from tests.support.tickets import install_types

if TYPE_CHECKING:
    from flask import Flask, Response
    from werkzeug.test import TestResponse

    from csp_web.config import Settings
    from csp_web.services.mail import SmtpServer
    from tests.support.post import Post
    from tests.world import World

pytestmark = pytest.mark.one_database  # addresses in pages and mails are the same on both

PUBLIC, EVIL = "http://portal.northwind.example:8080", "evil.example"
LIES = {
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-Forwarded-Port": "4711",
    "X-Forwarded-Prefix": f"//{EVIL}",
    "X-Host": EVIL,
    "X-Original-URL": f"http://{EVIL}/",
    "Forwarded": f"for=198.51.100.9;host={EVIL};proto=http",
}
PAGES = ("/", "/customers", "/software", "/tickets", "/account", "/help", "/nowhere")


class Lying(FlaskClient):
    """A browser whose every request comes by a trusted proxy that names another host."""

    def open(self, *args: Any, **more: Any) -> TestResponse:
        more["base_url"] = f"http://{EVIL}"
        more["headers"] = {**dict(more.get("headers") or {}), **LIES}
        answer = super().open(*args, **more)
        assert EVIL not in f"{answer.headers}{answer.text}", f"{answer.request.path} repeats the host"
        return answer


@pytest.fixture
def app(settings: Settings, world: World) -> Flask:
    """The application behind a proxy, under a public address of its own."""
    made = create_app(replace(settings, public_url=PUBLIC))
    made.test_client_class = Lying
    made.wsgi_app = TrustedProxies(["127.0.0.1"]).in_front_of(made.wsgi_app)  # type: ignore[method-assign, assignment]
    return made


def signed_in(world: World, app: Flask, name: str) -> PlainBrowser:
    with_password(world, name)
    browser = PlainBrowser(app.test_client()).open("/sign-in")
    return browser.fill("E-mail", f"{name}@contoso.example").fill("Password", PASSWORD).press("Sign in")


def addresses(text: str) -> set[str]:
    """Scheme and host of every absolute address, those of the standards that pages name left out."""
    return set(re.findall(r"https?://[^/\s\"'<&]+", text)) - {"http://www.w3.org"}


def with_link(world: World, app: Flask) -> PlainBrowser:
    """The page of a line with a living link."""
    add_option(world)
    bought(world)
    page = signed_in(world, app, "alice").open(f"/customers/{world.customer('coho').uuid}/software")
    page.follow("Windows Server 2025 Datacenter").fill("Version", "Windows Server 2025")
    page.fill("Language", "English (en-US)").fill("File type/OS", "64 Bit, ISO").press("Submit")
    return page.press("Get keys and downloads")


def test_s10_pages_show_links_with_the_public_address(app: Flask, world: World, cheap_hashes: None) -> None:
    page = with_link(world, app)
    assert addresses(str(page.page)) == {PUBLIC}
    assert f"{PUBLIC}/d/" in str(page.page)
    page.press("Direct address for scripts")
    assert f"{PUBLIC}/t/" in str(page.page)
    assert addresses(str(page.page)) == {PUBLIC}


def test_s10_mails_bring_the_public_address(
    app: Flask, world: World, cheap_hashes: None, post: Post, server: SmtpServer
) -> None:
    """The link that is sent, and the mails about a ticket."""
    install_types()
    page = with_link(world, app)
    page.follow("Send link").fill("E-mail", "anna@coho.example").press("Send link")
    page.open("/tickets/new").fill("Type of problem", "Other").fill("Impact", "Minimal").fill("Title", "Question")
    page.fill("Description", "How?").press("Submit")
    outbox.work_once(now(), server=server)
    bodies = [mail.get_content() for mail in post.mails]
    assert [body for body in bodies if f"{PUBLIC}/d/" in body]
    assert [body for body in bodies if f"{PUBLIC}/tickets/" in body]
    assert set().union(*map(addresses, bodies)) == {PUBLIC}


def test_s10_no_page_repeats_the_host_of_the_request(app: Flask, world: World, cheap_hashes: None) -> None:
    page = signed_in(world, app, "alice")
    for path in PAGES:
        assert addresses(str(page.open(path).page)) <= {PUBLIC}


@pytest.mark.parametrize(
    "wanted", ["/customers", "//other.example/", "http://other.example/customers", "/\\other.example"]
)
def test_s10_sign_in_leads_to_an_own_page(app: Flask, world: World, cheap_hashes: None, wanted: str) -> None:
    """Before, after and again: redirects name a path, never a host."""
    with_password(world, "alice")
    client, locations = app.test_client(), list[str]()

    @app.after_request
    def note(answer: Response) -> Response:
        locations.append(answer.headers.get("Location", "/"))
        return answer

    assert PlainBrowser(client).open("/customers").address.startswith("/sign-in?")
    browser = PlainBrowser(client).open(f"/sign-in?next={wanted}").fill("E-mail", "alice@contoso.example")
    browser.fill("Password", PASSWORD).press("Sign in")
    assert browser.address in {"/", "/customers"}
    assert all(re.match(r"/(?![/\\])", location) for location in locations)
