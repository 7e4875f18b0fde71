"""axe finds nothing against any page or state of the product, in any theme, language or width (WCAG 2.2 A and AA, B13)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import axe
from tests.browser.conftest import LOOKED
from tests.browser.views import HEIGHT, LANGUAGES, THEMES, WIDTHS, View, look, views
from tests.support.site import PLACES
from tests.support.site_browser import Site

# Styles by script: the policy of the pages forbids them in markup.
PLANT = """([markup, style]) => {
    document.querySelector("main").insertAdjacentHTML("beforeend", markup);
    const added = document.querySelector("main").lastElementChild;
    for (const part of [added, ...added.querySelectorAll("*")]) part.style.cssText = style + "; padding: 0; min-height: 0";
}"""

pytestmark = pytest.mark.browser


def test_b13_axe_finds_nothing(view: View, site: Site, record_property: Callable[[str, object], None]) -> None:
    page = site.tab(view.place.role, view.language)
    page.set_viewport_size({"width": view.looks[0][1], "height": HEIGHT})
    site.open(view.place, view.language)
    found = []
    for theme, width in view.looks:
        look(page, theme, width)
        faults = axe.faults(page)
        record_property(LOOKED, ("axe", view.language, theme, width, len(faults)))
        found += [f"{theme}, {width} px: {fault}" for fault in faults]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("planted", "style", "rule"),
    [
        ("<p>Hardly seen</p>", "color: #999; background: #fff", "color-contrast"),
        ("<div><button>+</button><button>-</button></div>", "font-size: 5px; line-height: 1", "target-size"),
        ("<input type='text' name='nameless'>", "", "label"),
        ("<img src='/favicon.ico'>", "", "image-alt"),
        ("<button></button>", "", "button-name"),
        ("<p lang='nowhere-1'>?</p>", "", "valid-lang"),
        ("<ul><p>No item</p></ul>", "", "list"),
        ("<div role='dialog'>Nameless</div>", "", "aria-dialog-name"),
        ("<h6>Out of order</h6>", "", "heading-order"),
    ],
)
def test_a_planted_fault_is_found(site: Site, planted: str, style: str, rule: str) -> None:
    page = site.open(next(place for place in PLACES if place.name == "customers"))
    page.evaluate(PLANT, [planted, style])
    assert rule in {fault.split()[0] for fault in axe.faults(page)}


def test_each_run_looks_at_every_place_and_at_each_kind_of_look() -> None:
    """The short run has every place once, and in it every theme, language and width, and every two of them together."""
    short, full = views(every=False), views(every=True)
    assert sorted(view.place.name for view in short) == sorted(place.name for place in PLACES)
    assert len({(view.language, *view.looks[0]) for view in short}) == len(LANGUAGES) * len(THEMES) * len(WIDTHS)
    assert sum(len(view.looks) for view in full) == len(PLACES) * len(LANGUAGES) * len(THEMES) * len(WIDTHS)
