"""Getting around by keyboard alone: the search box, the keys of lists and places, the sheet, links into a page (B7, B13)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import until
from tests.support.site import ADMIN, BILLING
from tests.support.site_browser import Site

pytestmark = pytest.mark.browser

BOX = "[data-search]"
OPTION = "#suggestions [role=option]"


@pytest.fixture
def page(site: Site) -> Page:
    """The admin agent's tab, on the list of customers."""
    tab = site.tab(ADMIN)
    tab.set_viewport_size({"width": 1280, "height": 800})
    tab.goto("/customers")
    return tab


def place(page: Page) -> str:
    return str(page.evaluate("location.pathname"))


def test_the_search_is_steered_from_the_box(page: Page) -> None:
    first = page.locator("tbody th a").first
    first.focus()
    page.keyboard.press("/")
    box = page.locator(BOX)
    expect(box).to_be_focused()
    page.keyboard.type("customer0")
    expect(page.locator("#suggestion-all")).to_be_visible()
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "suggestion-2")
    expect(page.locator("#suggestion-2")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()
    expect(box).to_have_value("customer0")
    page.keyboard.press("Escape")
    expect(first).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.press("ArrowUp")
    page.locator(OPTION).first.wait_for()
    page.keyboard.press("ArrowDown")
    address = page.locator("#suggestion-1").get_attribute("href") or "?"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")


def test_the_box_shows_what_was_seen_last_and_nothing_found_is_said(page: Page, site: Site) -> None:
    page.goto(f"/customers/{site.names['customer']}")
    page.keyboard.press("/")
    expect(page.locator(OPTION).first).to_have_attribute("href", f"/customers/{site.names['customer']}")
    page.keyboard.type("nothing-like-it")
    expect(page.locator("#suggestions .none")).to_contain_text("nothing-like-it")
    expect(page.locator("#announcer")).to_contain_text("nothing-like-it")
    page.locator("h1").click()
    expect(page.locator("#suggestions")).to_be_hidden()


def test_rows_are_walked_and_opened(page: Page) -> None:
    rows = page.locator("tbody th a")
    for key, row in (("j", 0), ("j", 1), ("k", 0), ("k", 0), ("j", 1)):
        page.keyboard.press(key)
        expect(rows.nth(row)).to_be_focused()
    address = rows.nth(1).get_attribute("href") or "?"
    page.keyboard.press("o")
    page.wait_for_url(f"**{address}")


@pytest.mark.parametrize(
    ("keys", "address"), [("gt", "/tickets"), ("gs", "/software"), ("gd", "/"), ("n", "/customers/new")]
)
def test_places_have_keys(page: Page, keys: str, address: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_url(lambda url: url.partition("//")[2].partition("/")[2] == address[1:])


def test_keys_work_where_the_keyboard_is_russian(page: Page) -> None:
    for key, code in (("п", "KeyG"), ("е", "KeyT")):
        page.locator("body").dispatch_event("keydown", {"key": key, "code": code})
    page.wait_for_url("**/tickets")


def test_keys_that_would_lead_nowhere_do_nothing(page: Page, site: Site) -> None:
    """An admin agent has no Administration; a billing admin adds no customers, and is brought to the reason."""
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.keyboard.press("Alt+n")
    billing = site.tab(BILLING)
    billing.goto("/customers")
    billing.keyboard.press("n")
    expect(billing.locator(".page-head .actions .btn-primary[aria-disabled]")).to_be_focused()
    page.keyboard.press("j")  # what came before has been dealt with
    expect(page.locator("tbody th a").first).to_be_focused()
    assert (place(page), place(billing)) == ("/customers", "/customers")


def test_wcag_2_1_4_keys_are_text_in_fields_and_can_be_switched_off(page: Page) -> None:
    field = page.locator("#q")
    field.press_sequentially("gn?j/")
    expect(field).to_have_value("gn?j/")
    assert place(page) == "/customers"
    switch(page, "off")
    page.goto("/customers")
    for key in "j/?":
        page.keyboard.press(key)
    expect(page.locator("body")).to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.locator(BOX)).to_be_focused()
    switch(page, "on")
    page.goto("/customers")
    page.keyboard.press("j")
    expect(page.locator("tbody th a").first).to_be_focused()


def switch(page: Page, to: str) -> None:
    page.goto("/shortcuts")
    form = page.locator("main form[action='/shortcuts']")
    expect(form.locator("[name=shortcuts]")).to_have_value(to)
    form.locator("button").click()
    expect(form.locator("[name=shortcuts]")).not_to_have_value(to)


def test_the_sheet_opens_over_the_page_and_goes_back(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    expect(sheet).to_contain_text("Go to: Customers")
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.locator("tbody th a").first).to_be_focused()
    menu = page.locator("[popovertarget=user-menu]")
    menu.click()
    page.locator("[data-sheet]").click()
    expect(sheet).to_be_visible()
    sheet.get_by_role("button", name="Close").click()
    expect(menu).to_be_focused()
    assert place(page) == "/customers"


def test_a_line_is_marked_and_not_hidden_under_the_bar(page: Page) -> None:
    page.goto("/software")
    page.locator("tbody th a").nth(3).click()
    page.wait_for_url(re.compile(r"\?open=.+#line-\d+"))
    row = page.locator("tr:target")
    expect(row).to_be_in_viewport()
    until(
        page,
        """() => {
            const [row, bar] = ["tr:target", ".topbar"].map((name) => document.querySelector(name).getBoundingClientRect());
            return bar.top === 0 && row.top >= bar.bottom && row.top < innerHeight / 2;
        }""",
    )
    painted = row.locator("th").evaluate("(cell) => getComputedStyle(cell).backgroundColor")
    others = page.locator("tr[id^=line]:not(:target) th").first
    assert painted != others.evaluate("(cell) => getComputedStyle(cell).backgroundColor")
