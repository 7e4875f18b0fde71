"""Every page and every update of the product on the scale."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from bs4 import BeautifulSoup

from tests.support.site import ADMIN, PLACES, Place, choose
from tests.support.weighing import Scale, Weight

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

    from tests.support.site_browser import Site

TRIES = 5
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=[/=])\d+\b|page=[\w-]+")


def pages(site: Site) -> Iterator[tuple[Place, str]]:
    """Every address once, the start page as every role; one person's after the other's."""
    seen: set[str | tuple[str, str]] = set()
    for place in sorted(PLACES, key=lambda place: place.role):
        address = place.address.format(**site.names)
        name = (place.role, address) if address == "/" else address
        if name not in seen:
            seen.add(name)
            yield place, address


def weigh_pages(site: Site, language: str = "en") -> dict[str, Weight]:
    """The weight of each page by its name. Blocking is what the calmest of a few loads had: others use the machine too."""
    scales: dict[str, Scale] = {}
    found = {}
    for place, address in pages(site):
        page = site.tab(place.role, language)
        if place.role not in scales:
            scales[place.role] = Scale(page)
        name = f"{place.role or 'stranger'}: {place.address}"
        found[name] = _calmest(scales[place.role], address, place.status)
    return found


def _calmest(scale: Scale, address: str, status: int) -> Weight:
    weight = scale.weigh(address, status)
    for _again in range(TRIES - 1):
        if not weight.blocked:
            break
        weight = replace(weight, blocked=min(weight.blocked, scale.weigh(address, status).blocked))
    return weight


def updates_of_pages(site: Site) -> dict[str, int]:
    """The size of what each page would ask for by ``hx-get``, unfiltered: one of each kind."""
    sizes: dict[str, int] = {}
    for place, address in pages(site):
        page = site.tab(place.role)
        for target in _asked_by(page.context.request.get(address).text()):
            name = f"{place.role}: {IDS.sub('…', target)}"
            if name not in sizes:
                sizes[name] = _size(page, target)
    return sizes


def _asked_by(markup: str) -> Iterator[str]:
    for part in BeautifulSoup(markup, "html.parser").select("[hx-get]"):
        yield str(part["hx-get"])


def _size(page: Page, target: str) -> int:
    answer = page.context.request.get(target, headers={"HX-Request": "true"})
    assert answer.ok, f"{target} answered {answer.status}"
    return int(answer.headers.get("content-length", len(answer.body())))


def updates_by_hand(site: Site) -> dict[str, int]:
    """The size of what acts of a person ask for."""
    sizes: dict[str, int] = {}
    page = site.tab(ADMIN)

    def note(answer: Response) -> None:
        if "hx-request" in answer.request.headers:
            sizes[f"{answer.request.method} {IDS.sub('…', answer.url)}"] = int(answer.headers.get("content-length", 0))

    page.on("response", note)
    page.goto("/customers")
    with page.expect_response(lambda answer: "q=" in answer.url):
        page.locator("#q").press_sequentially("a")
    page.goto("/tickets/new")
    choose("#problem_type", "refund", "#amount")(page)
    page.goto("/customers/{buyer}/cart".format(**site.names))
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        quantity = page.locator("input[name^=quantity-]").first
        quantity.fill(str(int(quantity.input_value()) + 1))
        quantity.blur()
    page.remove_listener("response", note)
    return sizes
