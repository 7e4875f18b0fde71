"""The whole story over plain forms, links and redirects: no JavaScript, no htmx (R14-R43, B1, B13)."""

from __future__ import annotations

import re
import uuid

import pytest
from flask import Flask

from csp_web.app import create_app
from csp_web.config import load
from tests.support.live import LiveServer
from tests.support.plain import NotThere, PlainBrowser

PRODUCT, VERSION = "Windows Server 2025 Datacenter", "Windows Server 2025"
KEY = re.compile(r"\b(?:[A-Z0-9]{5}-){4}[A-Z0-9]{5}\b")
REFUND = "CSP Purchase/Refund on behalf of customers"


@pytest.fixture(scope="module")
def demo_app(live_server: LiveServer) -> Flask:
    """The application on the demo world of the live server."""
    return create_app(load(live_server.environment))


@pytest.fixture
def people(demo_app: Flask, live_server: LiveServer) -> dict[str, PlainBrowser]:
    """The browsers of those who act, signed in through the page."""
    return {role: _signed_in(demo_app, live_server, role) for role in ("admin agent", "sales agent", "support agent")}


def _signed_in(app: Flask, server: LiveServer, role: str) -> PlainBrowser:
    user = server.user(role)
    browser = PlainBrowser(app.test_client()).open("/sign-in")
    return browser.fill("E-mail", user["email"]).fill("Password", user["password"]).press("Sign in")


def test_r14_to_r43_the_whole_story_by_plain_forms(people: dict[str, PlainBrowser], demo_app: Flask) -> None:
    """R14-R17 order, R18-R29 hand over, R30-R43 cancel: each by the label that a person reads."""
    agent, support, stranger = people["admin agent"], people["support agent"], PlainBrowser(demo_app.test_client())
    software = _order(agent)
    key, link = _hand_over(agent, software)
    assert _download(stranger, link) > 0
    number = _ask_to_cancel(agent, software)
    _approve(support, number)
    _see_that_it_is_over(agent, stranger, software, link, key, number)


def _order(agent: PlainBrowser) -> str:
    name = f"Wingtip {uuid.uuid4().hex[:8]}"
    agent.open("/customers").follow("Add customer")
    agent.fill("Company name", name).fill("Domain", f"{uuid.uuid4().hex[:12]}.example").fill("Country", "United States")
    agent.press("Save")
    assert agent.heading == name
    home = agent.address
    agent.follow("Add products").fill("Product, SKU or ID", PRODUCT).press("Search")
    agent.fill("Quantity", "3").press("Add to cart")
    agent.follow("Review order")
    assert PRODUCT in agent.text
    agent.press("Place order")
    assert PRODUCT in agent.text
    agent.open(f"{home}/orders")
    assert agent.heading.startswith("Order history")
    return f"{home}/software"


def _hand_over(agent: PlainBrowser, software: str) -> tuple[str, str]:
    agent.open(software).follow(PRODUCT)
    agent.fill("Version", VERSION).fill("Language", "English (en-US)").fill("File type/OS", "64 Bit, ISO").press(
        "Submit"
    )
    agent.press("Get keys and downloads")
    assert "50 downloads left" in agent.text
    assert not KEY.search(agent.text), "a key is shown only by Show key"
    address = re.search(r"http://[^\s\"]+(/d/[\w-]+)", str(agent.page))
    assert address, "there is a link to copy"
    agent.press("Show key")
    shown = KEY.search(agent.text)
    assert shown, agent.text
    agent.open(software)
    assert shown.group() not in agent.text
    return shown.group(), address.group(1)


def _download(stranger: PlainBrowser, link: str) -> int:
    stranger.open(link).press("Download")
    assert stranger.answer is not None
    assert stranger.answer.status_code == 200
    assert "attachment" in stranger.answer.headers["Content-Disposition"]
    return len(stranger.answer.data)


def _ask_to_cancel(agent: PlainBrowser, software: str) -> str:
    agent.open(software).follow("Cancel")
    assert agent.heading.startswith("Report a problem with")
    assert "50" not in agent.heading
    agent.fill("Impact", "Minimal").fill("Refund reason", "Ordered by mistake")
    agent.fill("Add files", [("mail of the customer.txt", b"Please cancel it.")])
    agent.press("Submit")
    assert "mail of the customer.txt" in agent.text
    found = re.search(r"\b6\d{14}\b", agent.text)
    assert found, agent.text
    return found.group()


def _approve(support: PlainBrowser, number: str) -> None:
    support.open("/tickets")
    assert number in support.text
    support.open(f"/tickets/{number}").press("Approve cancellation")
    assert "Closed" in support.text


def _see_that_it_is_over(
    agent: PlainBrowser, stranger: PlainBrowser, software: str, link: str, key: str, number: str
) -> None:
    stranger.open(link)
    assert stranger.answer is not None
    assert stranger.answer.status_code == 410
    agent.open(software)
    assert "Cancelled" in agent.text
    assert "Revoked" in agent.text
    agent.follow(PRODUCT)
    assert key not in agent.text
    with pytest.raises(NotThere):
        agent.press("Show key")
    agent.open(f"/tickets/{number}")
    assert "$3,234.00" in agent.text, "the refund is told"


def test_r19_r31_a_sales_agent_orders_but_neither_gets_keys_nor_cancels(people: dict[str, PlainBrowser]) -> None:
    agent = people["sales agent"]
    software = _order(agent)
    agent.open(software)
    with pytest.raises(NotThere):
        agent.follow("Cancel")
    agent.follow(PRODUCT)
    assert "Admin agent" in agent.text, "the page says who may"
    with pytest.raises(NotThere):
        agent.press("Get keys and downloads")
