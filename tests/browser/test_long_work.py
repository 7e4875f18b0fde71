"""Long work in a real browser: the bar moves, it goes on when the page is left, Cancel leaves nothing (B5, B14)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.story.test_browser import sign_in
from tests.support.jobs import customer_rows
from tests.support.live import LiveServer

pytestmark = pytest.mark.browser
ENDED = "#job.stack"
MINUTE = 60_000


def file(name: str, content: bytes) -> Any:
    """A file to choose."""
    return {"name": name, "mimeType": "text/csv", "buffer": content}


def test_an_import_goes_on_when_its_page_is_left_and_is_cancelled_without_a_trace(
    new_browser: Callable[..., BrowserContext], live_server: LiveServer
) -> None:
    page = sign_in(new_browser().new_page(), live_server, "admin agent")
    page.goto("/customers/import")
    page.locator("#sheet").set_input_files(file("customers.csv", customer_rows(20_000)))
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page).to_have_url(re.compile("/jobs/"))
    address, counted = page.url, page.locator("#job-counted")
    expect(counted).to_have_text(re.compile(r"of 20,00\d rows"))
    before = counted.inner_text()
    expect(counted).not_to_have_text(before)
    page.goto("/customers")
    page.locator("#work").click()
    expect(page).to_have_url(address)
    page.locator("#job-cancel").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.locator(ENDED)).to_contain_text("Cancelled. Nothing was changed.", timeout=MINUTE)
    expect(page.locator("#job-counted")).to_have_count(0)
    page.goto("/customers?q=Importers")
    expect(page.locator("#customer-list")).to_contain_text("No customer found")
    expect(page.locator("#work")).to_have_count(0)


def test_a_large_file_shows_how_far_it_is_sent_and_can_be_cancelled(
    new_context: Callable[..., BrowserContext], live_server: LiveServer
) -> None:
    """Without the collector of complaints: htmx writes into the console that the person cancelled."""
    page = sign_in(new_context(base_url=live_server.url, locale="en-US").new_page(), live_server, "operator admin")
    page.goto("/admin/catalogue")
    page.locator("input[type=file]").set_input_files(file("prices.csv", b"no sheet\n" * 900_000))
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_000_000}
    network.send("Network.emulateNetworkConditions", slow)
    page.get_by_role("button", name="Check only").click()
    sending = page.locator("[data-uploading]")
    expect(sending).to_contain_text(re.compile(r"\d\.\d of 8\.\d MB sent, \d+ seconds? left"))
    sending.get_by_role("button", name="Cancel").click()
    expect(sending).to_have_count(0)
    assert page.locator("input[type=file]").evaluate("(input) => input.files.length") == 1
