"""``python -m tests.bench``: print the ratios of one run."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from flask import Flask

from csp_web import db
from csp_web.app import create_app
from csp_web.config import Settings, complete
from tests.bench.filling import fill
from tests.bench.measuring import Cost, Server, measure, served

SMALL = {"customers": 1_000, "subscriptions": 10_000, "tickets": 1_000}
LARGE = {"customers": 100_000, "subscriptions": 1_000_000, "tickets": 100_000}
CPU_LIMIT, GROWTH_LIMIT = 10.0, 1.3


def main() -> None:
    """Fill two installations, measure the pages on both, and the empty page between them."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("--scale", type=float, default=1.0, help="size of the large installation, 1 = 1,000,000 lines")
    options.add_argument("--requests", type=int, default=1000)
    chosen = options.parse_args()
    large = {name: max(1, int(number * chosen.scale)) for name, number in LARGE.items()}
    with tempfile.TemporaryDirectory() as folder, served(_empty_app) as empty_server:
        small_pages = _measure_installation(Path(folder) / "small", SMALL, chosen.requests)
        empty = measure(empty_server, "/", count=chosen.requests * 3)
        large_pages = _measure_installation(Path(folder) / "large", large, chosen.requests)
    _report(empty, small_pages, large_pages, large)


def _empty_app() -> Flask:
    app = Flask("empty")
    app.add_url_rule("/", "empty", lambda: "")
    return app


def _measure_installation(folder: Path, size: dict[str, int], count: int) -> dict[str, Cost]:
    settings = complete(Settings(data_dir=folder))
    start = time.monotonic()
    world, customer = fill(settings, **size)
    print(f"filled {size} in {time.monotonic() - start:.0f} s", flush=True)
    app = create_app(settings)
    browser = world.sign_in(app, "alice")
    cookie = browser.get_cookie("csp_session")
    assert cookie is not None
    db.session.remove()
    db.engine().dispose()
    pages = {
        "customer list": "/customers",
        "software page": f"/customers/{customer}/software",
        "ticket list": "/tickets",
    }
    with served(lambda: create_app(settings)) as server:
        return {name: _best(server, path, f"csp_session={cookie.value}", count) for name, path in pages.items()}


def _best(server: Server, path: str, cookie: str, count: int) -> Cost:
    """The calmest of three measurements: what else the machine does only ever adds."""
    return min((measure(server, path, cookie=cookie, count=count) for _turn in range(3)), key=lambda cost: cost.p99)


def _report(empty: Cost, small: dict[str, Cost], large: dict[str, Cost], size: dict[str, int]) -> None:
    print(f"empty Flask page: {empty.cpu:.2f} ms CPU, p50 {empty.p50:.2f} ms, p99 {empty.p99:.2f} ms")
    print(f"{'page, 50 rows':<16} {'CPU ms':>7} {'x empty':>8} {'p50 ms':>7} {'p99 ms':>7} {'p99 x small':>12}")
    for name, cost in large.items():
        print(
            f"{name:<16} {cost.cpu:7.2f} {cost.cpu / empty.cpu:8.1f} {cost.p50:7.2f} {cost.p99:7.2f} "
            f"{cost.p99 / small[name].p99:12.2f}"
        )
    print(f"at {size}; wanted: CPU at most {CPU_LIMIT} x the empty page, p99 at most {GROWTH_LIMIT} x small")


if __name__ == "__main__":
    main()
