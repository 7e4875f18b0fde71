"""A real Chromium, driven by Playwright, that fails the test when a page complains."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

    from tests.support.live import LiveServer

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
# htmx notes every request that was overtaken, refused or lost; _check_answer knows which of them are mistakes.
NOTED = (
    "Failed to load resource",
    "htmx:afterRequest",
    "htmx:sendAbort",
    "htmx:sendError",
    "Response Status Error Code",
)
# A refusal (403, 409, 422, ...) is a page or a fragment; a style or script that is not found is a mistake.
PAGES = ("document", "fetch", "xhr")


def find_chromium() -> str:
    """Where Chromium is; CHROMIUM names another one."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        raise RuntimeError("No Chromium here: apt-get install chromium, or name one by CHROMIUM=/path/to/it")
    return found


def until(page: Page, expression: str, seconds: float = 10) -> None:
    """Wait for an expression to be true. Playwright's own wait evaluates in the page, which the product's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"in {seconds} s this did not come true: {expression}"
        page.wait_for_timeout(20)


class PageComplaints:
    """Collects what a page may never do: script errors, violated policies, failing or foreign requests."""

    def __init__(self, own_url: str) -> None:
        self.own_url = own_url
        self.found: list[str] = []

    def watch(self, page: Page) -> None:
        """Listen to a page from now on."""
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.found.append(f"script error: {error}"))
        page.on("request", self._check_address)
        page.on("response", self._check_answer)

    def _hear(self, message: ConsoleMessage) -> None:
        # Chromium reports every answer from 400 on; _check_answer knows which of them are meant.
        if message.type == "error" and not any(noted in message.text for noted in NOTED):
            self.found.append(f"console: {message.text}")

    def _check_address(self, request: Request) -> None:
        if not request.url.startswith((self.own_url, "data:", "blob:", "about:")):
            self.found.append(f"asks a foreign host: {request.url}")

    def _check_answer(self, answer: Response) -> None:
        expected_below = 500 if answer.request.resource_type in PAGES else 400
        if answer.status >= expected_below:
            self.found.append(f"{answer.status} from {answer.url}")


@pytest.fixture
def complaints(live_server: LiveServer) -> Iterator[PageComplaints]:
    """Fails the test in the end if a page complained."""
    collected = PageComplaints(live_server.url)
    yield collected
    assert collected.found == []


@pytest.fixture
def new_browser(
    live_server: LiveServer, complaints: PageComplaints, new_context: Callable[..., BrowserContext]
) -> Callable[..., BrowserContext]:
    """Opens one more browser with cookies of its own; takes the arguments of Playwright's ``new_context``."""

    def open_browser(**arguments: Any) -> BrowserContext:
        context = new_context(**{"base_url": live_server.url, "locale": "en-US", **arguments})
        context.on("page", complaints.watch)
        return context

    return open_browser


@pytest.fixture
def browser_page(new_browser: Callable[..., BrowserContext]) -> Page:
    """A page of a real Chromium in front of the live server."""
    return new_browser().new_page()
