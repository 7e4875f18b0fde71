"""400 % zoom keeps everything reachable (WCAG 1.4.10, 2.4.11, 2.5.8, B13): every control of the desk, nothing sideways."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import zoom
from tests.browser.conftest import LOOKED
from tests.browser.views import View
from tests.support.site import PLACES
from tests.support.site_browser import Site

pytestmark = pytest.mark.browser

CUSTOMERS = next(place for place in PLACES if place.name == "customers")


def test_b13_at_400_percent_everything_is_reached(
    view: View, site: Site, record_property: Callable[[str, object], None]
) -> None:
    if view.place.media == "print":
        return  # paper is not zoomed
    page = site.tab(view.place.role, view.language)
    page.set_viewport_size(zoom.DESK)  # type: ignore[arg-type]
    site.open(view.place, view.language)
    found = zoom.faults(page)
    record_property(LOOKED, ("400 % zoom", view.language, "light", zoom.ZOOMED["width"], len(found)))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("planted", "style", "fault"),
    [
        ("p", "width: 700px; max-width: none", "cut off at the side"),
        ("div", "position: fixed; inset: 0; z-index: 99", "is covered"),
    ],
)
def test_a_planted_fault_is_found(site: Site, planted: str, style: str, fault: str) -> None:
    page = site.open(CUSTOMERS)
    page.evaluate(
        """([tag, style]) => {
            const added = document.querySelector("main").appendChild(document.createElement(tag));
            added.style.cssText = style;
        }""",
        [planted, style],
    )
    assert any(fault in each for each in zoom.faults(page))


def test_a_control_that_a_narrow_window_hides_is_found(site: Site) -> None:
    page = site.open(CUSTOMERS)
    page.set_viewport_size(zoom.DESK)  # type: ignore[arg-type]
    page.evaluate(zoom.REMEMBER)
    page.evaluate("document.querySelector('main a').hidden = true")
    assert any("is gone" in fault for fault in page.evaluate(zoom.UNREACHED))
