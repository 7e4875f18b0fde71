"""R29, B13: a download link on a phone without JavaScript, in both languages: one button, in sight, and the file comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.support.site_names import names_of

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from tests.support.live import LiveServer

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}


@pytest.mark.parametrize(("locale", "button"), [("en-US", "Download"), ("ru-RU", "Скачать")])
def test_r29_on_a_phone_without_a_script_the_file_comes(
    live_server: LiveServer, new_browser: Callable[..., BrowserContext], locale: str, button: str
) -> None:
    token = names_of(live_server)["token"]
    page = new_browser(java_script_enabled=False, viewport=PHONE, locale=locale).new_page()
    page.goto(f"/d/{token}")
    press = page.get_by_role("button", name=button, exact=True)
    place = press.bounding_box()
    assert place is not None
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= PHONE["width"]
    assert place["y"] + place["height"] <= PHONE["height"], "the button is below the first screen"
    shot = page.locator("html").bounding_box()
    assert shot is not None
    assert shot["width"] <= PHONE["width"], "the page is wider than the phone"
    with page.expect_download() as coming:
        press.click()
    assert coming.value.path().stat().st_size > 0
