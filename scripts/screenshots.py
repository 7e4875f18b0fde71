"""Pictures of every page and state of the product, in every theme, width and language. ``make screenshots``.

Starts a server with a fresh demo world and opens each place of ``tests/support/site.py`` once per language; what is on
the screen is then photographed in all themes and widths. In ``build/pictures/`` there is a folder per language,
theme and width with its contact sheets, and an ``index.html`` of everything. What goes on paper is there as PDF, too.

    scripts/screenshots.py --only software --themes dark --widths 360 --languages ru
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.picture_sheets import make_sheets
from tests.support.browser import CHROMIUM_ARGUMENTS, PageComplaints, find_chromium
from tests.support.live import LiveServer
from tests.support.site import PLACES, Place
from tests.support.site_browser import Site
from tests.support.site_names import names_of

TARGET = Path("build/pictures")
TALLEST = 3200
HEIGHTS = {360: 780, 768: 1024}
# What the root element says, and what the system prefers.
THEMES: dict[str, tuple[dict[str, str], str]] = {
    "light": ({"bsTheme": "light"}, "light"),
    "dark": ({"bsTheme": "dark"}, "dark"),
    "contrast": ({"contrast": "more"}, "light"),
    "contrast-dark": ({"contrast": "more"}, "dark"),
}


def file_name(place: Place) -> str:
    """What a picture of a place is called."""
    return re.sub(r"[^a-z0-9]+", "-", place.name.lower()).strip("-")


def wear(page: Page, theme: str) -> None:
    """Show the page as it is in a theme, without asking for it again."""
    attributes, system = THEMES[theme]
    page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
    page.evaluate(
        "given => { const said = document.documentElement.dataset;"
        " delete said.bsTheme; delete said.contrast; Object.assign(said, given); }",
        attributes,
    )


def shoot(page: Page, file: Path) -> bool:
    """The whole page, cut where a list goes on for ever; whether it fits the width of the screen."""
    wide, tall, screen = page.evaluate(
        "scrollTo(0, 0), [document.documentElement.scrollWidth, document.documentElement.scrollHeight, innerWidth]"
    )
    page.screenshot(
        path=file,
        full_page=True,
        caret="initial",
        clip={"x": 0, "y": 0, "width": max(wide, screen), "height": min(tall, TALLEST)},
    )
    if wide > screen:
        print(f"{file}: {wide} pixels wide on a screen of {screen}")
    return bool(wide <= screen)


def photograph(site: Site, place: Place, language: str, options: argparse.Namespace) -> int:
    """One place in one language, in all themes and widths. Returns how many of them are at fault."""
    page, widths = site.tab(place.role, language), sorted(options.widths)
    page.set_viewport_size({"width": widths[0], "height": HEIGHTS.get(widths[0], 900)})
    try:
        page = site.open(place, language)
    except (AssertionError, PlaywrightError) as error:
        print(f"{language}, {place.name}: {str(error).splitlines()[0]}")
        return 1
    faults = 0
    for width, theme in product(widths, options.themes):
        page.set_viewport_size({"width": width, "height": HEIGHTS.get(width, 900)})
        wear(page, theme)
        folder = TARGET / f"{language}-{theme}-{width}"
        folder.mkdir(parents=True, exist_ok=True)
        fits = shoot(page, folder / f"{file_name(place)}.png")
        faults += not (fits or place.media == "print")  # paper is never as narrow as a phone
    if place.media == "print":
        page.pdf(path=TARGET / f"{language}-{file_name(place)}.pdf", format="A4")
    return faults


def photograph_everything(server: LiveServer, browser: Browser, options: argparse.Namespace) -> int:
    """Every combination that was asked for. Returns how many pictures are at fault."""
    site = Site(server, browser, names_of(server), PageComplaints(server.url))
    places = [place for place in PLACES if re.search(options.only, place.name)]
    faults = sum(photograph(site, place, language, options) for language, place in product(options.languages, places))
    for complaint in site.complaints.found:
        print(complaint)
    return faults + len(site.complaints.found)


def _words(text: str) -> list[str]:
    return text.split(",")


def _numbers(text: str) -> list[int]:
    return [int(word) for word in _words(text)]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="places whose name this expression finds")
    parser.add_argument("--languages", type=_words, default=["en", "ru"], help="en,ru")
    parser.add_argument("--themes", type=_words, default=["light", "dark", "contrast"], help=",".join(THEMES))
    parser.add_argument("--widths", type=_numbers, default=[360, 768, 1440], help="in pixels")
    options = parser.parse_args()
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder), settings={"CSP_WEB_STYLE_GUIDE": "1"})
        try:
            server.fill()
            server.start()
            with sync_playwright() as playwright:
                arguments = [*CHROMIUM_ARGUMENTS, *as_root]
                browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
                faults = photograph_everything(server, browser, options)
                make_sheets(browser, TARGET)
                browser.close()
        finally:
            server.stop()
    print(f"Pictures are in {TARGET}/, index.html shows them; {faults} are at fault.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
