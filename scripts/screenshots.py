"""Pictures of every page that links lead to, for every demo role, in both languages. ``make screenshots``.

Starts a server with a fresh demo world, signs in as one person of each role, follows links, and keeps one picture per
kind of page in ``test-results/screenshots/<language>/<role>/``. ``--size 390x844`` looks as a phone does.
"""

from __future__ import annotations

import argparse
import os
import re
import sqlite3
import sys
import tempfile
from collections import deque
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.browser import CHROMIUM_ARGUMENTS, find_chromium
from tests.support.live import LiveServer

TARGET = Path("test-results/screenshots")
MOST_PAGES = 80
ID = re.compile(r"/(?:[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+|[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]{7,})(?=/|$)")
LEFT_OUT = re.compile(r"/(?:sign-out|static)\b|/file$|\.(?:csv|pdf|txt|xlsx)$")


def kind_of(url: str) -> str:
    """The address with its ids taken out: what two customers' pages have in common."""
    parts = urlsplit(url)
    names = sorted(pair.partition("=")[0] for pair in parts.query.split("&") if pair)
    return ID.sub("/ID", parts.path) + ("?" + "&".join(names) if names else "")


def sign_in(page: Page, user: dict[str, str]) -> None:
    """Sign in as a demo user."""
    page.goto("/sign-in")
    page.locator("input[type=email], input[name=email]").first.fill(user["email"])
    page.locator("input[type=password]").first.fill(user["password"])
    page.locator("form:has(input[type=password]) button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def walk(context: BrowserContext, url: str, folder: Path) -> int:
    """Follow links breadth first; one picture per kind of page. Returns how many pages failed."""
    page = context.new_page()
    waiting, seen, failed = deque([f"{url}/"]), {"/"}, 0
    while waiting and len(seen) <= MOST_PAGES:
        address = waiting.popleft()
        try:
            answer = page.goto(address)
        except PlaywrightError as error:
            if "Download is starting" not in error.message:
                raise
            continue
        name = re.sub(r"[/?&]+", "-", kind_of(address).strip("/")) or "dashboard"
        page.screenshot(path=folder / f"{name}.png", full_page=True)
        if answer is None or answer.status >= 400:
            print(f"{folder.name}: {address} answered {answer.status if answer else 'nothing'}")
            failed += 1
        for link in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)"):
            target = link.partition("#")[0]
            known = not target.startswith(f"{url}/") or kind_of(target) in seen
            if not known and not LEFT_OUT.search(urlsplit(target).path):
                seen.add(kind_of(target))
                waiting.append(target)
    page.close()
    return failed


def set_language(server: LiveServer, language: str) -> None:
    """Have every demo user speak a language."""
    with closing(sqlite3.connect(server.folder / "data" / "csp-web.sqlite3")) as connection:
        connection.execute("UPDATE users SET language = ?", (language,))
        connection.commit()


def photograph(server: LiveServer, size: tuple[int, int], languages: list[str], roles: list[str]) -> int:
    """Walk the site as each role in each language. Returns how many pages failed."""
    failed = 0
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*CHROMIUM_ARGUMENTS, *as_root])
        for language in languages:
            set_language(server, language)
            for role in roles:
                folder = TARGET / language / role.replace(" ", "-")
                folder.mkdir(parents=True, exist_ok=True)
                viewport = {"width": size[0], "height": size[1]}
                context = browser.new_context(base_url=server.url, locale=language, viewport=viewport)  # type: ignore[arg-type]
                page = context.new_page()
                page.goto("/sign-in")
                page.screenshot(path=folder / "sign-in.png", full_page=True)
                sign_in(page, server.user(role))
                failed += walk(context, server.url, folder)
                context.close()
        browser.close()
    return failed


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1280x900", help="width x height of the window")
    parser.add_argument("--languages", default="en,ru")
    parser.add_argument("--roles", default="", help="comma between them; all by default")
    options = parser.parse_args()
    width, _, height = options.size.partition("x")
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder))
        try:
            server.fill()
            server.start()
            known = sorted({role for user in server.users for role in user["roles"]})
            roles = options.roles.split(",") if options.roles else known
            failed = photograph(server, (int(width), int(height)), options.languages.split(","), roles)
        finally:
            server.stop()
    print(f"Pictures are in {TARGET}/; {failed} pages failed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
