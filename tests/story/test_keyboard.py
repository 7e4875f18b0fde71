"""The whole story by keyboard alone (WCAG 2.1.1, 2.1.2, 2.4.3, 2.4.7, 2.4.11): Tab, Enter, Space, arrows and typing."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.story.test_browser import KEY, PRODUCT, VERSION
from tests.support.keyboard import Keyboard
from tests.support.live import LiveServer

pytestmark = pytest.mark.browser


def test_b13_the_whole_story_by_keyboard_alone(
    new_browser: Callable[..., BrowserContext], live_server: LiveServer, tmp_path: Path
) -> None:
    """R14-R17 order, R18-R29 hand over, R30-R43 cancel, and no mouse."""
    expect.set_options(timeout=20_000)  # a page may be slow; nothing here is about speed
    agent = sign_in(Keyboard(new_browser().new_page()), live_server, "admin agent")
    order(agent)
    key, link = hand_over(agent, live_server)
    download(Keyboard(new_browser().new_page()), link)
    number = ask_to_cancel(agent, tmp_path)
    approve(sign_in(Keyboard(new_browser().new_page()), live_server, "support agent"), number)
    agent.page.reload()
    expect(agent.page.get_by_text("$3,234.00").first).to_be_visible()
    assert key not in agent.page.content()


def sign_in(keys: Keyboard, server: LiveServer, role: str) -> Keyboard:
    """The first field has the focus already."""
    user = server.user(role)
    keys.page.goto("/sign-in")
    expect(keys.page.get_by_label("E-mail", exact=True)).to_be_focused()
    keys.type("E-mail", user["email"])
    keys.type("Password", user["password"])
    keys.page.keyboard.press("Enter")
    expect(keys.page).not_to_have_url(re.compile("sign-in"))
    return keys


def order(agent: Keyboard) -> None:
    """Add a customer, add products, order."""
    agent.follow("Skip to content")
    agent.page.keyboard.press("Shift+Tab")
    agent.page.goto("/")
    agent.follow("Customers")
    agent.follow("Add customer")
    agent.type("Company name", f"Wingtip {uuid.uuid4().hex[:8]}")
    agent.type("Domain", f"{uuid.uuid4().hex[:12]}.example")
    agent.to(agent.page.get_by_label("Country", exact=True))
    agent.page.keyboard.type("United States")
    agent.button("Save")
    agent.follow("Add products")
    agent.type("Product, SKU or ID", PRODUCT)
    agent.page.keyboard.press("Enter")
    expect(agent.page).to_have_url(re.compile(r"q=Windows"))
    agent.type("Quantity", "3")
    agent.button("Add to cart", "Space")
    expect(agent.page).to_have_url(re.compile("#offer-"))
    agent.page.wait_for_load_state()  # until then the browser itself may scroll back to the offer
    agent.to(agent.page.get_by_role("link", name="Review order").first, key="Shift+Tab")
    agent.page.keyboard.press("Enter")
    agent.button("Place order")
    expect(agent.page).to_have_url(re.compile("/orders/"))


def hand_over(agent: Keyboard, server: LiveServer) -> tuple[str, str]:
    """Open the line, choose, get keys and downloads, show the key; returns the key and the link's address."""
    agent.press(agent.page.locator(".actions").get_by_role("link", name="Software", exact=True))
    agent.follow(PRODUCT)
    agent.choose("Version", VERSION)
    agent.choose("Language", "English (en-US)")
    agent.choose("File type/OS", "64 Bit, ISO")
    agent.button("Submit")
    agent.button("Get keys and downloads")
    expect(agent.page.get_by_role("button", name="Copy link").first).to_be_visible()
    link = re.search(r"http://[^\s\"<]+/d/[\w-]+", agent.page.content())
    assert link
    agent.button("Show key")
    shown, password = agent.page.get_by_text(KEY).first, agent.page.get_by_label("Password", exact=True)
    expect(shown.or_(password).first).to_be_visible()
    if password.is_visible():
        agent.type("Password", server.user("admin agent")["password"])
        agent.page.keyboard.press("Enter")
    expect(shown).to_be_visible()
    return shown.inner_text(), link.group()


def download(stranger: Keyboard, link: str) -> None:
    """Somebody without an account presses Download."""
    stranger.page.goto(link)
    stranger.to(stranger.page.get_by_role("button", name="Download", exact=True))
    with stranger.page.expect_download() as begun:
        stranger.page.keyboard.press("Enter")
    assert begun.value.path().stat().st_size > 0


def ask_to_cancel(agent: Keyboard, folder: Path) -> str:
    """Cancel leads to the form with everything known filled in; returns the request's number."""
    letter = folder / "letter.txt"
    letter.write_text("Please cancel it.")
    agent.follow("Cancel")
    expect(agent.page.get_by_role("heading", level=1)).to_contain_text("Report a problem with")
    agent.to(agent.page.get_by_label("Impact"))
    agent.page.keyboard.type("Minimal")
    agent.to(agent.page.get_by_label("Refund reason"))
    agent.page.keyboard.type("Ordered by mistake")
    agent.attach("Add files", str(letter))
    agent.button("Submit")
    expect(agent.page).to_have_url(re.compile(r"/tickets/6\d{14}"))
    return agent.page.url.rpartition("/")[2][:15]


def approve(support: Keyboard, number: str) -> None:
    """The operator's support agent finds the request in the queue and approves it; what cannot be undone asks first."""
    support.follow("Support requests")
    support.press(support.page.get_by_role("row").filter(has_text=number).get_by_role("link").first)
    expect(support.page).to_have_url(re.compile(number))
    support.button("Approve cancellation")
    dialog = support.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    support.press(dialog.get_by_role("button", name="Approve cancellation"))
    expect(support.page.get_by_text("Closed").first).to_be_visible()
