"""Contact sheets and an index of the pictures that ``scripts/screenshots.py`` made, so that they can be looked at quickly."""

from __future__ import annotations

from html import escape
from pathlib import Path

from playwright.sync_api import Browser

PER_SHEET = 12
COLUMNS = {360: 6}
STYLE = """
body { font: 14px system-ui; margin: 1rem; background: #888; }
main { display: grid; grid-template-columns: repeat(var(--columns, 4), 1fr); gap: 12px; }
figure { margin: 0; background: #fff; border: 1px solid #444; }
img { display: block; width: 100%; max-height: 900px; object-fit: cover; object-position: top; }
figcaption { padding: 4px 6px; overflow-wrap: anywhere; }
"""


def make_sheets(browser: Browser, target: Path) -> None:
    """One page of thumbnails for all folders, and per folder ``sheet-01.png`` and so on."""
    folders = sorted(folder for folder in target.iterdir() if folder.is_dir())
    (target / "index.html").write_text(_document("".join(_section(folder) for folder in folders), 6), encoding="utf-8")
    page = browser.new_page(viewport={"width": 2000, "height": 1000})
    for folder in folders:
        for old in folder.glob("sheet-*.png"):
            old.unlink()
        pictures = sorted(folder.glob("*.png"))
        columns = COLUMNS.get(int(folder.name.rpartition("-")[2]), 4)
        for number, start in enumerate(range(0, len(pictures), PER_SHEET), 1):
            sheet = folder / "sheet.html"
            figures = "".join(_figure(picture.name, picture) for picture in pictures[start : start + PER_SHEET])
            sheet.write_text(_document(f"<main>{figures}</main>", columns), encoding="utf-8")
            page.goto(sheet.absolute().as_uri())
            page.screenshot(path=folder / f"sheet-{number:02}.png", full_page=True)
            sheet.unlink()
    page.close()


def _document(body: str, columns: int) -> str:
    return f"<!doctype html><meta charset=utf-8><style>:root{{--columns:{columns}}}{STYLE}</style>{body}"


def _section(folder: Path) -> str:
    pictures = [picture for picture in sorted(folder.glob("*.png")) if not picture.name.startswith("sheet-")]
    figures = "".join(_figure(f"{folder.name}/{picture.name}", picture) for picture in pictures)
    return f"<h2>{escape(folder.name)}</h2><main>{figures}</main>"


def _figure(address: str, picture: Path) -> str:
    where = escape(address)
    image = f'<a href="{where}"><img src="{where}" loading="lazy" alt=""></a>'
    return f"<figure>{image}<figcaption>{escape(picture.stem)}</figcaption></figure>"
