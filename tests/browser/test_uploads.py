"""A large installer in a real browser: in pieces, with progress, over a cut, a reload and a closed browser (B5, R22)."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.story.test_browser import sign_in
from tests.support.live import LiveServer

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

pytestmark = pytest.mark.browser
PIECE = 8 * 1024 * 1024
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 12_000_000}  # bytes a second
GOING = re.compile(r"\d+\.\d of 29\.4 MB sent, \d+ seconds? left")
MINUTE = 60_000


@pytest.fixture
def installer(tmp_path: Path) -> Path:
    """Three pieces and a half."""
    file = tmp_path / "setup.iso"
    file.write_bytes(os.urandom(3 * PIECE + PIECE // 2))
    return file


def network(page: Page) -> CDPSession:
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    return wire


def begin(page: Page, installer: Path) -> str:
    """Fill the form in and press Save; the file's language is its own name in this test."""
    language = f"Testish {uuid.uuid4().hex[:8]}"
    page.goto("/admin/files/new")
    for name, text in (("version", "Windows Server 2025"), ("language", language), ("file_type", "64 Bit, ISO")):
        page.locator(f"#{name}").fill(text)
    page.locator("#file").set_input_files(installer)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(re.compile(r"/admin/files/uploads/\d+$"))
    return language


def choose_again(page: Page, file: Any) -> None:
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Resume", exact=True).click()


def test_b5_an_upload_goes_on_after_a_cut_and_in_another_browser(
    new_context: Callable[..., BrowserContext], live_server: LiveServer, installer: Path
) -> None:
    """Without the collector of complaints: the browser notes that it was offline."""
    open_browser = lambda: sign_in(  # noqa: E731
        new_context(base_url=live_server.url, locale="en-US").new_page(), live_server, "operator admin"
    )
    page = open_browser()
    wire = network(page)
    wire.send("Network.emulateNetworkConditions", SLOW)
    language = begin(page, installer)
    counted = page.locator("#upload .num")
    expect(counted).to_have_text(GOING)
    expect(page.locator("#go-on")).to_be_hidden()
    wire.send("Network.emulateNetworkConditions", {**SLOW, "offline": True})
    expect(counted).to_contain_text("The connection was cut")
    wire.send("Network.emulateNetworkConditions", SLOW)
    expect(counted).to_have_text(GOING, timeout=MINUTE)
    with page.expect_response(lambda answer: answer.request.method == "PATCH" and answer.status == 204):
        pass  # a piece is there
    page.context.close()

    page = open_browser()
    page.goto("/admin/files")
    line = page.locator("#unfinished tbody tr", has_text=language)
    expect(line).to_contain_text(re.compile(r"(8\.4|16\.8|25\.2) MB of 29\.4 MB"))
    line.get_by_role("link", name="Resume").click()
    choose_again(page, {"name": "setup.iso", "mimeType": "", "buffer": b"another file" * 100})
    expect(page.locator("[data-error-summary]")).to_contain_text("This is another file")
    choose_again(page, installer)
    expect(page).to_have_url(re.compile("/admin/files$"), timeout=MINUTE)
    expect(page.locator("#main")).to_contain_text("setup.iso is offered now.")
    expect(page.locator("#main")).to_contain_text(hashlib.sha256(installer.read_bytes()).hexdigest())
    expect(page.locator("#unfinished tbody tr", has_text=language)).to_have_count(0)


def test_two_tabs_make_one_right_file_and_cancel_leaves_nothing(
    new_context: Callable[..., BrowserContext], live_server: LiveServer, installer: Path
) -> None:
    context = new_context(base_url=live_server.url, locale="en-US")
    first = sign_in(context.new_page(), live_server, "operator admin")
    network(first).send("Network.emulateNetworkConditions", SLOW)
    begin(first, installer)
    second = context.new_page()
    second.goto(first.url)
    choose_again(second, installer)
    for page in (first, second):
        expect(page).to_have_url(re.compile("/admin/files$"), timeout=MINUTE)
    digest = hashlib.sha256(installer.read_bytes()).hexdigest()
    expect(second.locator("#main")).to_contain_text(digest)

    network(second).send("Network.emulateNetworkConditions", SLOW)
    language = begin(second, installer)
    expect(second.locator("#upload .num")).to_have_text(GOING)
    second.locator("#upload").get_by_role("button", name="Discard the upload").click()
    second.locator("#confirm").get_by_role("button", name="Discard the upload").click()
    expect(second.locator("#main")).to_contain_text("The upload of setup.iso is discarded.")
    expect(second.locator("#unfinished tbody tr", has_text=language)).to_have_count(0)
