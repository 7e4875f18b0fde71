"""Pictures of every page in every theme, width and language. ``make screenshots``.

Starts a server with a fresh demo world, signs in as one person of each role and follows links: every kind of page is
photographed as the first role that reaches it, the pages that look different for every role as each of them, and after
them what no link leads to: menus, forms that come back, a key that was just shown, paper. In ``test-results/pictures/``
there is a folder per language, theme and width, an ``index.html`` of thumbnails, and contact sheets.

    scripts/screenshots.py --only software --themes dark --widths 360 --languages ru
"""

from __future__ import annotations

import argparse
import os
import re
import sqlite3
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.picture_scenes import SCENES
from scripts.picture_sheets import make_sheets
from tests.support.browser import CHROMIUM_ARGUMENTS, find_chromium
from tests.support.live import LiveServer

TARGET = Path("test-results/pictures")
MOST_PAGES = 80
TALLEST = 3200
HEIGHTS = {360: 780, 768: 1024}
ROLES = (
    "admin agent",
    "operator admin",
    "support agent",
    "sales agent",
    "helpdesk agent",
    "billing admin",
    "auditor",
)
FOR_EVERY_ROLE = {"dashboard", "customers-ID", "customers-ID-software", "orders-ID", "tickets-ID"}
# The theme that a person chose, and what the system prefers.
THEMES = {"light": ("light", "light"), "dark": ("dark", "dark"), "contrast": ("contrast", "light")}
THEMES["contrast-dark"] = ("contrast", "dark")
ID = re.compile(r"/(?:[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+|[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]{7,})(?=/|$)")
LEFT_OUT = re.compile(r"/(?:sign-out|static)\b|/file$|\.(?:csv|pdf|txt|xlsx|zip)$")


@dataclass(frozen=True)
class Place:
    """A page to photograph: as whom, where, and what to call it."""

    role: str
    name: str
    address: str


def kind_of(url: str) -> str:
    """The address with its ids taken out: what two customers' pages have in common."""
    parts = urlsplit(url)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    return ID.sub("/ID", parts.path) + ("?" + "&".join(names) if names else "")


def name_of(url: str) -> str:
    """A kind of page as the name of a file."""
    return re.sub(r"[/?&]+", "-", kind_of(url).strip("/")) or "dashboard"


def sign_in(page: Page, user: dict[str, Any]) -> None:
    """Sign in as a demo user."""
    page.goto("/sign-in")
    page.locator("input[type=email], input[name=email]").first.fill(user["email"])
    page.locator("input[type=password]").first.fill(user["password"])
    page.locator("form:has(input[type=password]) button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def walk(page: Page, url: str, role: str) -> tuple[list[Place], int]:
    """Follow links breadth first, one page per kind. Returns the places and how many answered with an error."""
    waiting, seen = deque([f"{url}/", f"{url}/styleguide"]), {"/", "/styleguide"}
    places: list[Place] = []
    failed = 0
    while waiting and len(places) < MOST_PAGES:
        address = waiting.popleft()
        try:
            answer = page.goto(address)
        except PlaywrightError as error:
            if "Download is starting" not in error.message:
                raise
            continue
        places.append(Place(role, name_of(address), address))
        if answer is None or answer.status >= 400:
            print(f"{role}: {address} answered {answer.status if answer else 'nothing'}")
            failed += 1
        for link in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)"):
            target = link.partition("#")[0]
            known = not target.startswith(f"{url}/") or kind_of(target) in seen
            if not known and not LEFT_OUT.search(urlsplit(target).path):
                seen.add(kind_of(target))
                waiting.append(target)
    return places, failed


def to_photograph(found: list[Place], only: re.Pattern[str]) -> list[Place]:
    """Each kind of page once, and those that are different for every role as each of them."""
    seen: set[str] = set()
    wanted = []
    for place in found:
        if only.search(place.name) and (place.name not in seen or place.name in FOR_EVERY_ROLE):
            wanted.append(place)
        seen.add(place.name)
    return wanted


def shoot(page: Page, file: Path) -> None:
    """The whole page, cut where a list goes on for ever. What is as wide as a screen and wider is told."""
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight, innerWidth]")
    if size[0] > size[2]:
        print(f"{file}: {size[0]} pixels wide on a screen of {size[2]}")
    clip = {"x": 0, "y": 0, "width": max(size[0], size[2]), "height": min(size[1], TALLEST)}
    page.screenshot(path=file, full_page=True, clip=clip, type="jpeg", quality=82)  # type: ignore[arg-type]


class Studio:
    """A browser, a server, and who is signed in."""

    def __init__(self, browser: Browser, server: LiveServer, only: re.Pattern[str]) -> None:
        self.browser, self.server, self.only = browser, server, only
        self.states: dict[str, Any] = {}
        self.places: list[Place] = []
        self.failed = 0

    def prepare(self, roles: list[str]) -> None:
        """Sign everybody in and find the pages."""
        for role in roles:
            context = self.browser.new_context(base_url=self.server.url)
            page = context.new_page()
            sign_in(page, self.server.user(role))
            found, failed = walk(page, self.server.url, role)
            self.places += found
            self.failed += failed
            self.states[role] = context.storage_state()
            context.close()
        self.places = to_photograph(self.places, self.only)

    @contextmanager
    def visit(self, role: str, language: str, theme: str, width: int) -> Iterator[BrowserContext]:
        """A browser of a person, with a screen and a theme; a stranger's for the role ""."""
        chosen, system = THEMES[theme]
        context = self.browser.new_context(
            base_url=self.server.url,
            locale=language,
            viewport={"width": width, "height": HEIGHTS.get(width, 900)},
            color_scheme=system,  # type: ignore[arg-type]
            reduced_motion="reduce",
            storage_state=self.states.get(role),
        )
        context.add_cookies([{"name": "theme", "value": chosen, "url": self.server.url}])
        yield context
        context.close()

    def photograph(self, language: str, theme: str, width: int) -> None:
        """All places and scenes in one language and theme on one screen."""
        folder = TARGET / f"{language}-{theme}-{width}"
        folder.mkdir(parents=True, exist_ok=True)
        for role in ["", *self.states]:
            with self.visit(role, language, theme, width) as context:
                page = context.new_page()
                for place in (place for place in self.places if place.role == role):
                    page.goto(place.address)
                    shoot(page, folder / f"{place.name}--{role.replace(' ', '-')}.jpg")
                for name, scene in SCENES.get(role, {}).items():
                    if self.only.search(name):
                        self._play(name, scene, page, folder)

    def _play(self, name: str, scene: Any, page: Page, folder: Path) -> None:
        """A scene that cannot be played any more is a fault of the scene or of the page: say which."""
        try:
            scene(page, folder / f"{name}.pdf")
            shoot(page, folder / f"{name}.jpg")
        except PlaywrightError as error:
            print(f"{folder.name}: scene {name}: {error.message.splitlines()[0]}")
            self.failed += 1


def set_language(server: LiveServer, language: str) -> None:
    """Have every demo user speak a language."""
    with closing(sqlite3.connect(server.folder / "data" / "csp-web.sqlite3")) as connection:
        connection.execute("UPDATE users SET language = ?", (language,))
        connection.commit()


def photograph_everything(server: LiveServer, options: argparse.Namespace) -> int:
    """Every combination that was asked for. Returns how many pages and scenes failed."""
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*CHROMIUM_ARGUMENTS, *as_root])
        studio = Studio(browser, server, re.compile(options.only))
        studio.prepare(options.roles)
        for language in options.languages:
            set_language(server, language)
            for theme, width in product(options.themes, options.widths):
                studio.photograph(language, theme, width)
        make_sheets(browser, TARGET)
        browser.close()
    return studio.failed


def _words(text: str) -> list[str]:
    return text.split(",")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="pages whose name this expression finds")
    parser.add_argument("--languages", type=_words, default=["en", "ru"], help="en,ru")
    parser.add_argument("--themes", type=_words, default=["light", "dark", "contrast"], help=",".join(THEMES))
    parser.add_argument(
        "--widths", type=lambda text: [int(width) for width in text.split(",")], default=[360, 768, 1440]
    )
    parser.add_argument("--roles", type=_words, default=list(ROLES), help="comma between them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder), settings={"CSP_WEB_STYLE_GUIDE": "1"})
        try:
            server.fill()
            server.start()
            failed = photograph_everything(server, options)
        finally:
            server.stop()
    print(f"Pictures are in {TARGET}/, index.html shows them; {failed} pages or scenes failed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
