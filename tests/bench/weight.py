"""``python -m tests.bench.weight``: weigh every page and every update in both languages, print the table of this run.

Exits with 1 when something is over its limit. The largest paint is compared with a lean page's, loaded in turn with each:
a list of fifty rows with a small style sheet and htmx, in three requests.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import CHROMIUM_ARGUMENTS, PageComplaints, find_chromium
from tests.support.busy import fill_busy
from tests.support.live import LiveServer
from tests.support.site import ADMIN
from tests.support.site_browser import Site
from tests.support.site_names import names_of
from tests.support.weighing import LINE, MOST_TIMES_LEAN, MOST_UPDATE, Scale, lean_site, times_lean
from tests.support.weights import updates_by_hand, updates_of_pages, weigh_pages

PAINTED = (
    "/",
    "/customers",
    "/customers/{customer}/software",
    "/software",
    "/tickets",
    "/customers/{customer}/products",
)
TURNS = 15
LINES = {"a usual line": LINE, "no line between": (0, 10_000.0)}


def main() -> int:
    """Weigh everything. Returns how many things are over their limit."""
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LiveServer(Path(folder))
        fill_busy(server)
        server.start()
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*CHROMIUM_ARGUMENTS, *as_root])
        try:
            return _weigh(server, browser)
        finally:
            browser.close()
            server.stop()


def _weigh(server: LiveServer, browser: Browser) -> int:
    site = Site(server, browser, names_of(server), PageComplaints(server.url))
    over = sum(_print_pages(site, language) for language in ("en", "ru"))
    over += _print_updates(site) + _print_paints(site)
    site.close()
    print(f"{over} over the limit" if over else "nothing is over its limit")
    return over


def _print_pages(site: Site, language: str) -> int:
    print(f"\nFirst load, {language}:    bytes  requests   shift  blocked ms")
    found = weigh_pages(site, language)
    for name, weight in sorted(found.items(), key=lambda item: -item[1].bytes):
        figures = f"{weight.bytes:>9} {weight.requests:>9} {weight.shift:>7.3f} {weight.blocked:>11.0f}"
        print(f"{figures}  {name}{'  OVER: ' + ', '.join(weight.faults) if weight.faults else ''}")
    return sum(bool(weight.faults) for weight in found.values())


def _print_updates(site: Site) -> int:
    print("\nUpdates, bytes of the body:")
    sizes = updates_of_pages(site) | updates_by_hand(site)
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"{size:>9}  {name}{'  OVER' if size > MOST_UPDATE else ''}")
    return sum(size > MOST_UPDATE for size in sizes.values())


def _print_paints(site: Site) -> int:
    over = 0
    with lean_site() as lean:
        for line, speed in LINES.items():
            print(f"\nLargest paint, times that of a lean page, over {line} (wanted: at most {MOST_TIMES_LEAN}):")
            scale = Scale(site.tab(ADMIN).context.new_page())
            scale.use_line(*speed)
            for address in PAINTED:
                ratio = times_lean(scale, address.format(**site.names), lean, turns=TURNS)
                over += line == "a usual line" and ratio.calmest > MOST_TIMES_LEAN
                print(f"{ratio.middle:>9.2f} (calmest loads: {ratio.calmest:.2f})  {address}")
    return over


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
