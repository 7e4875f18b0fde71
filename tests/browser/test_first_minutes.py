"""The first minutes in a real browser: the setup of an empty installation, the tour, the guide and its pictures."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from scripts.guide_pictures import PICTURES, Picture, show
from tests.browser import axe
from tests.support.browser import PageComplaints, until
from tests.support.people import PASSWORD
from tests.support.site import ADMIN
from tests.support.site_browser import Site

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from tests.support.live import LiveServer

pytestmark = pytest.mark.browser

NEXT = "main form.form button[type=submit]"


@pytest.fixture
def fresh(own_server: LiveServer) -> LiveServer:
    """A server after ``csp-web init``, in which nobody is."""
    own_server.command("init")
    own_server.start()
    return own_server


def test_from_an_empty_installation_to_the_dashboard(
    fresh: LiveServer, new_context: Callable[..., BrowserContext]
) -> None:
    """As the console says it: the address, the code; every step without a fault for axe."""
    printed = fresh.log.read_text()
    address = re.search(r"Set it up at (http://\S+/setup)", printed)
    code = re.search(r"Setup code: (\S+)", printed)
    assert address
    assert code
    page = new_context(base_url=fresh.url, locale="en-US").new_page()
    complaints = PageComplaints(fresh.url)
    complaints.watch(page)
    page.goto("/customers")
    assert page.url == address[1]
    for filled in (
        {"#code": code[1]},
        {"#organisation": "Wide World", "#country": "DE"},
        {"#name": "Wilma", "#email": "w@wide.example", "#password": PASSWORD, "#again_password": PASSWORD},
    ):
        assert axe.faults(page) == []
        for field, text in filled.items():
            box = page.locator(field)
            box.select_option(text) if field == "#country" else box.fill(text)
        page.locator(NEXT).click()
    page.wait_for_url("**/admin/outbox/test*")
    assert axe.faults(page) == []
    page.get_by_role("link", name="Skip", exact=True).click()
    expect(page.locator("#first-steps li a")).to_have_count(6)
    assert page.goto("/setup").status == 404  # type: ignore[union-attr]
    assert complaints.found == []


def test_the_tour_leads_from_the_customer_to_the_request(site: Site) -> None:
    page = site.tab(ADMIN)
    page.goto("/tour")
    page.get_by_role("link", name="Start the tour").click()
    box = page.locator(".tour-box")
    for number in range(1, 9):
        expect(box).to_contain_text(f"Step {number} of 8")
        if number < 8:
            box.get_by_role("link", name="Next step").click()
    assert "/tickets/" in page.url
    box.get_by_role("button", name="Finish").click()
    expect(box).to_have_count(0)


def test_help_opens_the_topic_of_the_page_and_unfolds_its_picture(site: Site) -> None:
    page = site.tab(ADMIN)
    page.goto("/software")
    page.locator("[popovertarget=user-menu]").click()
    page.locator("#user-menu").get_by_role("link", name="Help").click()
    page.wait_for_url("**/help/software")
    assert (
        page.evaluate("performance.getEntriesByType('resource').filter((e) => e.name.includes('/pictures/')).length")
        == 0
    )
    folded = page.locator("details.picture").first
    folded.locator("summary").click()
    until(page, "document.querySelector('details.picture img').naturalWidth > 0")


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_what_a_picture_of_the_guide_shows_is_still_there(site: Site, picture: Picture) -> None:
    """The page answers and has the part. When this fails: mend scripts/guide_pictures.py, then ``make guide-pictures``."""
    show(site, picture, "en")


def test_a_part_that_is_gone_is_noticed(site: Site) -> None:
    gone = Picture("gone", PICTURES[0].place, "#no-such-part")
    with pytest.raises(Exception, match="no-such-part"):
        show(site, gone, "en", patience=200)
