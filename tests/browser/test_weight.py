"""Pages are light: at most 60 KB in 6 requests, nothing jumps, nothing blocks; what htmx asks for is at most 5 KB.

All pages of the product with lists of fifty rows, each loaded with an empty cache. ``make weight`` prints the figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import until
from tests.support.busy import fill_busy
from tests.support.live import LiveServer
from tests.support.site import ADMIN, OPERATOR
from tests.support.weighing import LINE, MOST_BYTES, MOST_UPDATE, Scale, lean_site, times_lean
from tests.support.weights import updates_by_hand, updates_of_pages, weigh_pages

if TYPE_CHECKING:
    from tests.support.site_browser import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("full lists")]  # a server of their own

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


def test_the_longest_page_of_all_is_light_too(site: Site) -> None:
    """The whole guide in Russian, whose letters take two bytes each."""
    assert Scale(site.tab(ADMIN, "ru").context.new_page()).weigh("/help/all").bytes <= MOST_BYTES


def test_the_stock_of_keys_does_not_move_when_the_rest_of_it_comes(site: Site) -> None:
    """A busy browser paints a long list in pieces: its columns stand where they stand with the first rows alone."""
    page = site.tab(OPERATOR)
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto("/admin/keys")
    columns = "(heads) => heads.map((head) => Math.round(head.getBoundingClientRect().left))"
    whole = page.locator("#pools thead th").evaluate_all(columns)
    page.locator("#pools tbody tr:nth-child(n+4)").evaluate_all("(rows) => rows.forEach((row) => row.remove())")
    assert page.locator("#pools thead th").evaluate_all(columns) == whole


def test_what_htmx_asks_for_is_small(site: Site) -> None:
    sizes = updates_of_pages(site) | updates_by_hand(site)
    assert len(sizes) > 10
    assert {update: size for update, size in sizes.items() if size > MOST_UPDATE} == {}


def test_the_largest_paint_comes_nearly_as_soon_as_a_lean_pages(site: Site) -> None:
    page = site.tab(ADMIN).context.new_page()
    scale = Scale(page)
    scale.use_line(*LINE)
    with lean_site() as lean:
        ratios = [times_lean(scale, address.format(**site.names), lean, turns=4).calmest for address in PAINTED]
    page.close()
    assert sorted(ratios)[len(ratios) // 2] <= MOST_TIMES_LEAN_HERE, ratios


HEAVY = """<!doctype html><title>Heavy</title><h1>Words</h1><p>More of them</p><script>
const block = (most) => { const until = Date.now() + most; while (Date.now() < until) ; };
block(200);
const jump = () => { const box = document.createElement("div"); box.style.height = "400px"; document.body.prepend(box); };
setInterval(() => { jump(); block(120); }, 400);  // again and again: one before the first paint would not count
</script>"""


def test_what_a_heavy_blocking_jumping_page_does_is_seen(site: Site) -> None:
    page = site.tab(ADMIN).context.new_page()
    body = HEAVY + "<!-- " + "".join(chr(48 + at * at % 79) for at in range(61_000)) + " -->"
    page.route("**/heavy", lambda route: route.fulfill(body=body, content_type="text/html"))
    found = Scale(page).weigh("/heavy")
    until(page, "window.seen.shift > 0.02 && window.seen.blocked > 0")
    page.close()
    assert found.paint > 0
    assert replace(found, bytes=61_000, requests=7, shift=0.3, blocked=9).faults == [
        "61000 bytes", "7 requests", "the layout shifts by 0.300", "blocked for 9 ms",
    ]  # fmt: skip
