"""What 400 % zoom does to an open page (WCAG 1.4.10, 2.4.11, 2.5.8): a window of 1280 x 1024 is 320 x 256 CSS pixels then."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.views import SETTLED

if TYPE_CHECKING:
    from playwright.sync_api import Page

DESK = {"width": 1280, "height": 1024}
ZOOMED = {"width": 320, "height": 256}

CHECKS = Path(__file__).with_suffix(".js").read_text()
REMEMBER, SIDEWAYS, UNREACHED = (
    f"() => {{ {CHECKS} return {name}(); }}" for name in ("remember", "sideways", "unreached")
)


def faults(page: Page) -> list[str]:
    """Look at the open page on the desk, then at 400 %; what is wrong there."""
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.evaluate(SETTLED)
    assert page.evaluate(REMEMBER) > 0, f"{page.url} has nothing to work"
    page.set_viewport_size(ZOOMED)  # type: ignore[arg-type]
    page.evaluate(SETTLED)
    return [*page.evaluate(SIDEWAYS), *page.evaluate(UNREACHED)]
