"""Pages are light: at most 60 KB in 6 requests, nothing jumps, nothing blocks; what htmx asks for is at most 5 KB.

All pages of the product with lists of fifty rows, each loaded with an empty cache. ``make weight`` prints the figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.busy import fill_busy
from tests.support.live import LiveServer
from tests.support.site import ADMIN
from tests.support.weighing import MOST_UPDATE, Scale, lean_site, times_lean
from tests.support.weights import updates_by_hand, updates_of_page, weigh_pages

if TYPE_CHECKING:
    from tests.support.site_browser import Site

pytestmark = pytest.mark.browser

# What other tests do at the same time makes painting take longer, here more than there: ``make weight`` is stricter.
MOST_TIMES_LEAN_HERE = 2.0
PAINTED = ("/", "/customers", "/customers/{customer}/software", "/tickets")


@pytest.fixture(scope="module")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of this module's own, with full lists."""
    server = LiveServer(tmp_path_factory.mktemp("weight"))
    fill_busy(server)
    server.start()
    yield server
    server.stop()


def test_the_first_load_of_every_page_is_light_and_still(site: Site) -> None:
    found = {address: weight.faults for address, weight in weigh_pages(site).items()}
    assert {address: faults for address, faults in found.items() if faults} == {}


def test_what_htmx_asks_for_is_small(site: Site) -> None:
    sizes = updates_of_page(site) | updates_by_hand(site)
    assert len(sizes) > 10
    assert {update: size for update, size in sizes.items() if size > MOST_UPDATE} == {}


def test_the_largest_paint_comes_nearly_as_soon_as_a_lean_pages(site: Site) -> None:
    scale = Scale(site.tab(ADMIN))
    with lean_site() as lean:
        ratios = [times_lean(scale, address.format(**site.names), lean, turns=3) for address in PAINTED]
    assert sorted(ratios)[len(ratios) // 2] <= MOST_TIMES_LEAN_HERE


def test_a_heavy_jumping_blocking_page_would_be_found(site: Site) -> None:
    page = site.tab(ADMIN).context.new_page()
    scale = Scale(page)
    heavy = "<!doctype html><p>x</p><!--" + "".join(chr(33 + at * 7919 % 89) for at in range(70_000)) + "-->"
    jump = "<script>setTimeout(() => document.body.prepend(Object.assign(document.createElement('div'), "
    jump += "{ style: 'height: 400px' })), 100); for (const end = Date.now() + 200; Date.now() < end;);</script>"
    page.route(
        "**/heavy", lambda route: route.fulfill(body=heavy + jump + "<p>words</p>" * 9, content_type="text/html")
    )
    found = scale.weigh("/heavy")
    page.wait_for_function("window.seen.shift > 0 && window.seen.blocked > 0")
    page.close()
    assert any("bytes" in fault for fault in found.faults)
