"""Opens the places of tests/support/site.py in a real browser, signed in as the person who sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import PageComplaints
from tests.support.site import STRANGER, Place
from tests.support.site_names import names_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.live import LiveServer


@dataclass
class Site:
    """The demo world in a browser: one tab per role, signed in when it is first needed. Errors of a page are collected."""

    server: LiveServer
    browser: Browser
    names: dict[str, str]
    complaints: PageComplaints
    _tabs: dict[tuple[str, str], Page] = field(default_factory=dict)
    _spoken: dict[str, str] = field(default_factory=dict)

    def tab(self, role: str, language: str = "en") -> Page:
        """The tab of a role, whose pages speak a language from now on. Strangers have one per language."""
        key = (role, language if role == STRANGER else "")
        if key not in self._tabs:
            self._tabs[key] = self._new_tab(role, language)
        page = self._tabs[key]
        if role != STRANGER and self._spoken.get(role, "en") != language:
            self._speak(page, role, language)
        return page

    def open(self, place: Place, language: str = "en") -> Page:
        """Open a place and bring it into its state; fails when the answer is not the one that the list names."""
        page = self.tab(place.role, language)
        page.emulate_media(media="screen", reduced_motion="reduce")
        answer = page.goto(place.address.format(**self.names))
        assert answer is not None
        assert answer.status == place.status, f"{place.name}: {page.url} answered {answer.status}"
        assert page.locator("html").get_attribute("lang") == language, f"{place.name} does not speak {language}"
        for act in place.acts:
            act(page)
        if place.media == "print":
            page.emulate_media(media="print")
        return page

    def close(self) -> None:
        """Sign nobody out, but let everybody speak English again, as other tests expect."""
        for (role, _language), page in self._tabs.items():
            if self._spoken.get(role, "en") != "en":
                self._speak(page, role, "en")
            page.context.close()

    def _new_tab(self, role: str, language: str) -> Page:
        locale = {"en": "en-US", "ru": "ru-RU"}[language if role == STRANGER else "en"]
        page = self.browser.new_context(base_url=self.server.url, locale=locale).new_page()
        page.on("dialog", lambda dialog: dialog.accept())  # leaving with unsaved text asks
        self.complaints.watch(page)
        if role != STRANGER:
            user = self.server.user(role)
            page.goto("/sign-in")
            page.locator("#email").fill(user["email"])
            page.locator("#password").fill(user["password"])
            page.locator("form[action='/sign-in'] button[type=submit]").click()
            page.wait_for_url(lambda url: "/sign-in" not in url)
            page.evaluate("(password) => sessionStorage.setItem('password', password)", user["password"])
        return page

    def _speak(self, page: Page, role: str, language: str) -> None:
        page.goto("/account")
        token = page.locator("meta[name=csrf-token]").get_attribute("content") or ""
        sent = page.context.request.post(
            "/account/language", form={"csrf_token": token, "language": language, "next": "/account"}
        )
        assert sent.ok, sent.status
        self._spoken[role] = language


@pytest.fixture(scope="module")
def site(live_server: LiveServer, browser: Browser) -> Iterator[Site]:
    """Every page of the product on the live server; the module fails if one of them complained."""
    opened = Site(live_server, browser, names_of(live_server), PageComplaints(live_server.url))
    yield opened
    opened.close()
    assert opened.complaints.found == []
