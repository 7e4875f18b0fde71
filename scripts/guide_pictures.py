"""The pictures of the user guide, taken from the real pages of a fresh demo world. ``make guide-pictures``.

Writes ``docs/pictures/<language>/<name>.webp``, 1280 pixels wide. A test opens every page of ``PICTURES`` and fails when its
part is gone, so a picture cannot show what no longer exists without somebody noticing.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.browser import CHROMIUM_ARGUMENTS, PageComplaints, find_chromium
from tests.support.live import LiveServer
from tests.support.site import ADMIN, OPERATOR, STRANGER, SUPPORT, Place, search_for
from tests.support.site_browser import Site
from tests.support.site_names import names_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TARGET = Path(__file__).resolve().parent.parent / "docs" / "pictures"
LANGUAGES = ("en", "ru")
WIDTH, EDGE = 1280, 16
MOST_BYTES = 60 * 1024
QUALITIES = (0.9, 0.8, 0.7, 0.6, 0.5)

# A browser writes WebP; no library of pictures is needed for it.
ENCODE = """async ([png, quality]) => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", quality).split(",")[1];
}"""

# Bars that stay in view would lie over the middle of a long picture.
UNSTICK = "document.querySelectorAll('.topbar, .nav-side').forEach((bar) => { bar.style.position = 'static' })"
MEASURE = """(part) => {
  const box = document.querySelector(part).getBoundingClientRect();
  return [box.x, box.y + scrollY, box.width, box.height];
}"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A part of a page: from the top of ``part`` on, at most ``height`` pixels high."""

    name: str
    place: Place
    part: str
    height: int = 720


def dismiss_first_steps(page: Page) -> None:
    """A person who knows their way sees the dashboard without the invitation to the tour."""
    button = page.locator("#first-steps form button")
    if button.count():
        button.click()
        page.wait_for_load_state()


OPENED = "/customers/{customer}/software?open={line}"
PICTURES = (
    Picture("01-dashboard", Place("dashboard", ADMIN, "/", (dismiss_first_steps,)), ".topbar"),
    Picture("02-customers", Place("customers", ADMIN, "/customers", (search_for("co"),)), ".topbar", 560),
    Picture("03-products", Place("products", ADMIN, "/customers/{customer}/products"), ".topbar"),
    Picture("04-cart", Place("cart", ADMIN, "/customers/{buyer}/cart"), ".topbar", 780),
    Picture("05-software", Place("software", ADMIN, "/customers/{customer}/software"), ".topbar"),
    Picture("06-keys", Place("keys", ADMIN, f"{OPENED}&fitting=1"), "tr[id^=opened-]:not([hidden])", 640),
    Picture("07-link", Place("link", ADMIN, OPENED), "section[id^=links-] article", 420),
    Picture("08-cancel", Place("cancel", ADMIN, "/tickets/new?subscription={line}"), "main", 820),
    Picture("09-request", Place("request", ADMIN, "/tickets/{ticket}"), "main"),
    Picture("10-decision", Place("decision", SUPPORT, "/tickets/{refund}"), "main", 760),
    Picture("11-catalogue", Place("catalogue", OPERATOR, "/admin/catalogue"), "main", 560),
    Picture("12-download", Place("download", STRANGER, "/d/{token}"), ".plain-card", 520),
)


def show(site: Site, picture: Picture, language: str, *, patience: float = 5_000) -> Page:
    """Open the page of a picture; fails when it, or the part of it, is not there after so many milliseconds."""
    page = site.open(picture.place, language)
    page.set_viewport_size({"width": WIDTH, "height": 900})
    page.locator(picture.part).first.wait_for(timeout=patience)
    return page


def take(site: Site, encoder: Page, picture: Picture, language: str) -> bytes:
    """The picture as WebP, as good as its size allows."""
    page = show(site, picture, language)
    page.evaluate(UNSTICK)
    png = page.screenshot(clip=_clip(page, picture), full_page=True, animations="disabled", caret="hide")  # type: ignore[arg-type]
    for quality in QUALITIES:
        data = base64.b64decode(encoder.evaluate(ENCODE, [base64.b64encode(png).decode(), quality]))
        if len(data) <= MOST_BYTES:
            return data
    raise SystemExit(f"{picture.name} has {len(data)} bytes; show less of the page")


def _clip(page: Page, picture: Picture) -> dict[str, float]:
    """From the top bar on the whole page, from any other part on the part alone, with a narrow edge."""
    x, y, width, height = page.evaluate(MEASURE, picture.part)
    bottom = page.evaluate("document.documentElement.scrollHeight")
    if picture.part == ".topbar":
        return {"x": 0, "y": 0, "width": WIDTH, "height": min(picture.height, bottom)}
    tall = min(height + EDGE, picture.height, bottom - y)
    if picture.part == "main":  # it has an edge of its own, and the navigation stands beside it
        return {"x": x, "y": y, "width": width, "height": tall}
    return {"x": max(0, x - EDGE), "y": max(0, y - EDGE / 2), "width": min(width + 2 * EDGE, WIDTH), "height": tall}


def take_all(server: LiveServer, browser: Browser) -> None:
    """Write every picture in every language."""
    site = Site(server, browser, names_of(server), PageComplaints(server.url))
    encoder = browser.new_page()
    for language in LANGUAGES:
        folder = TARGET / language
        folder.mkdir(parents=True, exist_ok=True)
        for picture in PICTURES:
            data = take(site, encoder, picture, language)
            (folder / f"{picture.name}.webp").write_bytes(data)
            print(f"{language}/{picture.name}.webp {len(data) // 1024} KB")


def main() -> int:
    """The command line."""
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LiveServer(Path(folder))
        try:
            server.fill()
            server.start()
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*CHROMIUM_ARGUMENTS, *as_root])
            take_all(server, browser)
            browser.close()
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
