"""What no link leads to, for ``scripts/screenshots.py``: menus, forms that came back, a shown key, paper.

A scene gets the page of a person who is signed in, and the file for a print, and leaves the page as it is to be
photographed. It may be played again and again: it changes nothing that counts, or undoes it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

Scene = Callable[[Page, Path], None]


def _sign_in(page: Page, _paper: Path) -> None:
    page.goto("/sign-in")


def _sign_in_refused(page: Page, _paper: Path) -> None:
    page.goto("/sign-in")
    page.locator("input[name=email]").fill("nobody@contoso.example")
    page.locator("input[type=password]").fill("not the password")
    page.locator("form:has(input[type=password]) button[type=submit]").click()


def _missing(page: Page, _paper: Path) -> None:
    page.goto("/no/such/page")


def _ended_link(page: Page, _paper: Path) -> None:
    page.goto("/d/never-was-one")


def _user_menu(page: Page, _paper: Path) -> None:
    page.goto("/customers")
    page.locator(".topbar-button.user").click()


def _navigation(page: Page, _paper: Path) -> None:
    page.goto("/customers")
    toggle = page.locator(".nav-toggle")
    if toggle.is_visible():
        toggle.click()


def _customer_form_with_errors(page: Page, _paper: Path) -> None:
    page.goto("/customers/new")
    page.locator("input[name=email]").fill("nobody")
    page.locator("main form button[type=submit]").last.click()
    page.locator(".error-summary").wait_for()


def _nothing_found(page: Page, _paper: Path) -> None:
    page.goto("/customers?q=no+such+customer+anywhere")


def _ticket_form_with_errors(page: Page, _paper: Path) -> None:
    page.goto("/tickets/new")
    page.locator("#ticket-actions button[type=submit]").click()
    page.locator(".error-summary").wait_for()


def _cart(page: Page, _paper: Path) -> None:
    page.goto(f"{_first_customer(page)}/cart")
    if page.locator("#place").count() == 0:
        page.goto(f"{_first_customer(page)}/products")
        page.locator("form[id^=add-] button[type=submit]").first.click()
        page.goto(f"{_first_customer(page)}/cart")


def _first_customer(page: Page) -> str:
    page.goto("/customers")
    return str(page.locator("#customer-list tbody a").first.get_attribute("href"))


def _order_on_paper(page: Page, paper: Path) -> None:
    page.goto(f"{_first_customer(page)}/orders")
    page.locator("#order-list tbody a, #order-list th a").first.click()
    page.wait_for_url("**/orders/*")
    page.pdf(path=paper, format="A4")


def _ticket_on_paper(page: Page, paper: Path) -> None:
    page.goto("/tickets")
    page.locator("#ticket-list tbody a").first.click()
    page.wait_for_url("**/tickets/*")
    page.pdf(path=paper, format="A4")


SCENES: dict[str, dict[str, Scene]] = {
    "": {
        "sign-in": _sign_in,
        "sign-in-refused": _sign_in_refused,
        "not-found": _missing,
        "ended-link": _ended_link,
    },
    "admin agent": {
        "user-menu": _user_menu,
        "navigation": _navigation,
        "customer-form-errors": _customer_form_with_errors,
        "customers-nothing-found": _nothing_found,
        "ticket-form-errors": _ticket_form_with_errors,
        "cart": _cart,
        "order-on-paper": _order_on_paper,
        "ticket-on-paper": _ticket_on_paper,
    },
}
