"""The whole story in a real Chromium: what a person sees and clicks, from Add customer to the revoked key."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.live import LiveServer

pytestmark = pytest.mark.browser

PRODUCT, VERSION = "Windows Server 2025 Datacenter", "Windows Server 2025"
KEY = re.compile(r"\b(?:[A-Z0-9]{5}-){4}[A-Z0-9]{5}\b")


def sign_in(page: Page, server: LiveServer, role: str) -> Page:
    """Sign a demo user of a role in."""
    user = server.user(role)
    page.goto("/sign-in")
    page.get_by_label("E-mail", exact=True).fill(user["email"])
    page.get_by_label("Password", exact=True).fill(user["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).not_to_have_url(re.compile("sign-in"))
    return page


def test_r14_to_r43_the_whole_story_in_a_browser(
    new_browser: Callable[..., BrowserContext], live_server: LiveServer, tmp_path: Path
) -> None:
    """R14-R17 order, R18-R29 hand over, R30-R43 cancel."""
    agent = sign_in(new_browser().new_page(), live_server, "admin agent")
    software = order(agent)
    key, link = hand_over(agent, software)
    stranger = new_browser().new_page()
    download(stranger, link)
    number = ask_to_cancel(agent, software, tmp_path)
    support = sign_in(new_browser().new_page(), live_server, "support agent")
    approve(support, number)
    assert stranger.goto(link).status == 410  # type: ignore[union-attr]
    agent.goto(software)
    expect(agent.get_by_text("Cancelled").first).to_be_visible()
    agent.get_by_role("link", name=PRODUCT, exact=True).click()
    expect(agent.get_by_text("Revoked").first).to_be_visible()
    expect(agent.get_by_role("button", name="Show key")).to_have_count(0)
    assert key not in agent.content()
    agent.goto(f"/tickets/{number}")
    expect(agent.get_by_text("$3,234.00").first).to_be_visible()


def order(agent: Page) -> str:
    """Add a customer, add products, order; returns the address of the customer's Software page."""
    agent.get_by_role("link", name="Customers", exact=True).first.click()
    agent.get_by_role("link", name="Add customer").first.click()
    agent.get_by_label("Company name").fill(f"Wingtip {uuid.uuid4().hex[:8]}")
    agent.get_by_label("Domain", exact=True).fill(f"{uuid.uuid4().hex[:12]}.example")
    agent.get_by_label("Country", exact=True).select_option("US")
    agent.get_by_role("button", name="Save").click()
    home = agent.url
    agent.get_by_role("link", name="Add products").first.click()
    agent.goto(f"{home}/products?q={PRODUCT.replace(' ', '+')}")
    agent.get_by_label("Quantity").first.fill("3")
    agent.get_by_role("button", name="Add to cart").first.click()
    agent.get_by_role("link", name="Review order").first.click()
    expect(agent.get_by_text(PRODUCT).first).to_be_visible()
    agent.get_by_role("button", name="Place order").dblclick()  # one order, however often it is pressed
    expect(agent).to_have_url(re.compile("/orders/"))
    agent.goto(f"{home}/orders")
    expect(agent.get_by_role("heading", name="Order history")).to_be_visible()
    expect(agent.locator("tbody tr")).to_have_count(1)
    return f"{home}/software"


def hand_over(agent: Page, software: str) -> tuple[str, str]:
    """Open the line, choose, get keys and downloads, show the key; returns the key and the link's address."""
    agent.goto(software)
    agent.get_by_role("link", name=PRODUCT, exact=True).click()
    agent.get_by_label("Version", exact=True).select_option(VERSION)
    agent.get_by_label("Language", exact=True).select_option("English (en-US)")
    agent.get_by_label("File type/OS", exact=True).select_option("64 Bit, ISO")
    agent.get_by_role("button", name="Submit", exact=True).click()
    agent.get_by_role("button", name="Get keys and downloads").first.click()
    expect(agent.get_by_role("button", name="Copy link").first).to_be_visible()
    link = re.search(r"http://[^\s\"<]+/d/[\w-]+", agent.content())
    assert link
    assert not KEY.search(agent.content())
    agent.get_by_role("button", name="Show key").first.click()
    expect(agent.get_by_text(KEY).first).to_be_visible()
    key = KEY.search(agent.get_by_text(KEY).first.inner_text())
    assert key
    return key.group(), link.group()


def download(stranger: Page, link: str) -> None:
    """Somebody without an account presses Download; what arrives is the file whose SHA-256 the page shows (R29)."""
    stranger.goto(link)
    shown = re.search(r"\b[0-9a-f]{64}\b", stranger.content())
    assert shown
    with stranger.expect_download() as begun:
        stranger.get_by_role("button", name="Download").click()
    assert hashlib.sha256(begun.value.path().read_bytes()).hexdigest() == shown.group()


def ask_to_cancel(agent: Page, software: str, folder: Path) -> str:
    """Cancel leads to the form with everything known filled in (R37-R43); returns the request's number."""
    letter = folder / "письмо клиента.txt"
    letter.write_text("Please cancel it.")
    agent.goto(software)
    agent.get_by_role("link", name="Cancel", exact=True).first.click()
    expect(agent.get_by_role("heading", level=1)).to_contain_text("Report a problem with")
    expect(agent.get_by_label("Amount requested")).to_have_value(re.compile("3,?234.00"))
    agent.get_by_label("Impact").select_option("minimal")
    agent.get_by_label("Refund reason").fill("Ordered by mistake")
    agent.get_by_label("Add files").set_input_files(letter)
    agent.get_by_role("button", name="Submit", exact=True).click()
    expect(agent.get_by_text("письмо клиента.txt").first).to_be_visible()
    found = re.search(r"/tickets/(6\d{14})", agent.url)
    assert found, agent.url
    return found.group(1)


def approve(support: Page, number: str) -> None:
    """The operator's support agent finds the request in the queue and approves it (D5)."""
    support.get_by_role("link", name="Support requests").first.click()
    row = support.get_by_role("row").filter(has_text=number)
    row.get_by_role("link").first.click()
    expect(support).to_have_url(re.compile(number))
    support.get_by_role("button", name="Approve cancellation").click()
    support.get_by_role("dialog").get_by_role("button", name="Approve cancellation").click()
    expect(support.locator("#page-title")).to_contain_text("Closed")
