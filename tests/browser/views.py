"""How a page can be looked at: themes, languages, widths; and which of these are looked at in which run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from tests.support.site import PLACES, Place

if TYPE_CHECKING:
    from playwright.sync_api import Page

LANGUAGES = ("en", "ru")
WIDTHS = (320, 768, 1440)
HEIGHT = 900
# What the system says of the theme: the page follows it, without a reload.
THEMES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "contrast": "no-preference"},
    "dark": {"color_scheme": "dark", "contrast": "no-preference"},
    "contrast": {"color_scheme": "dark", "contrast": "more"},
}
# The top of the page, when colours have stopped changing.
SETTLED = """async () => {
    scrollTo(0, 0);
    await new Promise(requestAnimationFrame);
    const ending = document.getAnimations().filter((each) => each.effect.getComputedTiming().iterations !== Infinity);
    await Promise.allSettled(ending.map((each) => each.finished));
}"""
Look = tuple[str, int]


@dataclass(frozen=True, slots=True)
class View:
    """A place in a language, to be looked at in some themes and widths without being opened again."""

    place: Place
    language: str
    looks: tuple[Look, ...]

    @property
    def id(self) -> str:
        """How the test is called."""
        only = f" {self.looks[0][0]} {self.looks[0][1]}" if len(self.looks) == 1 else ""
        return f"{self.place.name} [{self.language}{only}]"


def views(*, every: bool) -> list[View]:
    """All there are, or each place once, with languages, themes and widths spread evenly. One language after the other."""
    looks = tuple(product(THEMES, WIDTHS))
    if every:
        return [View(place, language, looks) for language in LANGUAGES for place in by_person()]
    spread = list(product(looks, LANGUAGES))
    chosen = [View(place, spread[i % len(spread)][1], (spread[i % len(spread)][0],)) for i, place in enumerate(PLACES)]
    order = [place.name for place in by_person()]
    return sorted(chosen, key=lambda view: (view.language, order.index(view.place.name)))


def by_person() -> list[Place]:
    """The places, those of one person after the other."""
    return sorted(PLACES, key=lambda place: place.role)


def look(page: Page, theme: str, width: int, height: int = HEIGHT) -> None:
    """Look at the open page in a theme, through a window of this width."""
    page.emulate_media(**THEMES[theme])
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(SETTLED)
