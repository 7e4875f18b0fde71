"""B2, B12: people on slow lines hold up nobody: 64 downloads of a large file, and pages come as before."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import pytest

from csp_web.config import Settings
from tests.support.live import LiveServer
from tests.support.processes import family, memory, spooled
from tests.support.slow_clients import slow_clients
from tests.support.transfers import ask, make_large, offer, same_installation
from tests.world import World

if TYPE_CHECKING:
    from flask import Flask

pytestmark = pytest.mark.one_database  # nothing but the bytes of a file goes out

MIB = 1024 * 1024
CLIENTS, RATE = 64, 30_000  # bytes a second
SECONDS = 1.0
P95_MS = 250  # a slow clients' thread would cost seconds; make bench-downloads has the figure of a quiet machine


def p95(port: int, cookie: str, pages: tuple[str, ...]) -> float:
    """Milliseconds within which 95 % of the pages came, asked one after the other for some seconds."""
    took: list[float] = []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or len(took) < 20:
        start = time.perf_counter()
        answer = ask(port, "GET", pages[len(took) % len(pages)], Cookie=cookie)
        took.append((time.perf_counter() - start) * 1000)
        assert answer.status == 200
    return statistics.quantiles(took, n=20)[-1]


def test_b2_while_64_slow_clients_download_pages_come_and_nothing_is_put_aside(
    own_server: LiveServer, settings: Settings, world: World, app: Flask
) -> None:
    offered = offer(world)
    make_large(offered, 200 * MIB, {})
    signed_in = world.sign_in(app, "alice").get_cookie("csp_session")
    assert signed_in is not None
    cookie = f"csp_session={signed_in.value}"
    same_installation(own_server, settings)
    own_server.start()
    assert own_server.process is not None
    pages = ("/customers", "/software")
    alone = p95(own_server.port, cookie, pages)
    before = memory(family(own_server.process.pid))
    with slow_clients(own_server.port, offered.press(own_server.port), count=CLIENTS, rate=RATE) as crowd:
        together = p95(own_server.port, cookie, pages)
        pids = family(own_server.process.pid)
        assert memory(pids) - before < 64 * MIB, "64 x 200 MB were not read into memory"
        assert spooled(pids) < 2 * MIB, "nor put aside on the disk"
    assert crowd.slowest > RATE / 2, "everybody's download went on"
    assert together < max(P95_MS, 5 * alone)
