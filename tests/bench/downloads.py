"""What downloads cost everybody else: ``make bench-downloads``.

Prints how fast pages come from the shipped server while nobody downloads, while many people on slow lines do, and while
one does who is as fast as the disk; what the server holds in memory and puts aside meanwhile; how fast one large file is
taken in with its SHA-256, and how fast it is sent.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from csp_web import db
from csp_web.app import create_app
from csp_web.config import Settings, complete
from csp_web.domain.stock import vault
from csp_web.models import ProductKey
from csp_web.services.files import DiskStore
from tests.bench.filling import fill
from tests.support.live import LiveServer
from tests.support.processes import cpu, family, memory, spooled
from tests.support.slow_clients import Crowd, slow_clients
from tests.support.transfers import Offered, ask, make_large, offer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from tests.world import World

MB, GIB = 10**6, 1024**3
SIZE = {"customers": 1_000, "subscriptions": 10_000, "tickets": 1_000}
LIMIT_MS = 100
PAGES = ("/customers", "/software")
QUIET_SECONDS = 5
PERCENTS = (50, 95, 99)


def main() -> None:
    """Fill an installation, serve it, measure."""
    options = argparse.ArgumentParser(prog="python -m tests.bench.downloads", description=__doc__)
    options.add_argument("--clients", type=int, default=64)
    options.add_argument("--rate", type=int, default=40_000, help="bytes a second of each slow client")
    options.add_argument("--requests", type=int, default=300, help="for each page")
    options.add_argument("--gib", type=int, default=5, help="size of the file that is taken in and sent, in GiB")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        _pages(Path(name), chosen)
    with tempfile.TemporaryDirectory() as name:
        _one_large_file(Path(name), chosen.gib * GIB)


def _pages(folder: Path, chosen: argparse.Namespace) -> None:
    app, world, offered = _installation(folder, 200 * MB, **SIZE)
    signed_in = world.sign_in(app, "alice").get_cookie("csp_session")
    assert signed_in is not None
    db.session.remove()
    db.engine().dispose()
    with _running(LiveServer(folder)) as server:
        transfer = offered.press(server.port)
        crowd = slow_clients(server.port, transfer, count=chosen.clients, rate=chosen.rate)
        measure = _Measure(server, f"csp_session={signed_in.value}", chosen.requests)
        print(f"{'page':<12} {'meanwhile':<28} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8}")
        measure.while_("nobody downloads", nullcontext())
        measure.while_(f"{chosen.clients} slow clients download", crowd)
        measure.while_("one fast client downloads", _fast_client(server.port, transfer))


def _installation(folder: Path, size: int, **rows: int) -> tuple[Flask, World, Offered]:
    """An installation with so many rows and a link to a file of so many bytes."""
    settings = complete(Settings(data_dir=folder / "data"))
    world, _customer = fill(settings, **rows)
    app = create_app(settings)
    with db.transaction():  # the keys that were filled in are of another secret: the server would not start
        db.session.execute(update(ProductKey).values(key_id=next(iter(vault.key_ids()))))
    offered = offer(world)
    make_large(offered, size, {})
    return app, world, offered


@contextmanager
def _running(server: LiveServer) -> Iterator[LiveServer]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


class _Measure:
    """Asks for the pages and prints what came."""

    def __init__(self, server: LiveServer, cookie: str, count: int) -> None:
        assert server.process is not None
        self._port, self._pid, self._cookie, self._count = server.port, server.process.pid, cookie, count
        for page in PAGES:
            self._times(page, count // 5)
        self._memory = memory(family(self._pid))

    def while_(self, words: str, what: AbstractContextManager[Any]) -> None:
        with what as crowd:
            used = cpu(family(self._pid))
            time.sleep(QUIET_SECONDS)
            used = (cpu(family(self._pid)) - used) / QUIET_SECONDS
            for page in PAGES:
                times = self._times(page, self._count)
                percents = [times[min(len(times) - 1, len(times) * percent // 100)] for percent in PERCENTS]
                over = f"  OVER {LIMIT_MS}" if isinstance(crowd, Crowd) and percents[1] > LIMIT_MS else ""
                print(f"{page:<12} {words:<28} " + " ".join(f"{ms:8.1f}" for ms in percents) + over, flush=True)
            pids = family(self._pid)
            more, aside = (memory(pids) - self._memory) / MB, spooled(pids) / MB
        print(f"{'':<12} memory {more:+.1f} MB, in temporary files {aside:.1f} MB, ", end="")
        print(f"CPU without pages {used:.1%} of a core", flush=True)
        if isinstance(crowd, Crowd):
            print(f"{'':<12} each client got {crowd.slowest / 1000:.0f} to {crowd.fastest / 1000:.0f} KB a second")

    def _times(self, page: str, count: int) -> list[float]:
        return sorted(self._time(page) for _turn in range(count))

    def _time(self, page: str) -> float:
        start = time.perf_counter()
        answer = ask(self._port, "GET", page, Cookie=self._cookie, Accept_Encoding="gzip")
        if answer.status != 200:
            raise RuntimeError(f"{page} answered {answer.status}")
        return (time.perf_counter() - start) * 1000


@contextmanager
def _fast_client(port: int, path: str) -> Iterator[None]:
    """While the block runs, one client downloads the file again and again as fast as it can."""
    done = threading.Event()
    command = ["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{port}{path}"]
    thread = threading.Thread(target=_again_and_again, args=(command, done))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _again_and_again(command: list[str], done: threading.Event) -> None:
    while not done.is_set():
        subprocess.run(command, check=True)


def _one_large_file(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + 2 * GIB:
        print(f"no room for a file of {size / GIB:.0f} GiB: {free / GIB:.0f} GiB are free")
        return
    store = DiskStore(folder / "data" / "files")
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    stored = store.save(_Zeros(size), max_bytes=size)
    took = time.monotonic() - start
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) / 1024
    rate = f"{size / took / MB:.0f} MB/s"
    print(f"{size / GIB:.0f} GiB taken in with their SHA-256 in {took:.1f} s ({rate}), {more:.0f} MiB more memory")
    store.delete(stored.key)
    _send(folder, size)


class _Zeros:
    """A stream of so many bytes that lie nowhere."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int, /) -> bytes:
        block = bytes(min(size, self._left))
        self._left -= len(block)
        return block


def _send(folder: Path, size: int) -> None:
    _app, _world, offered = _installation(folder, size, customers=1, subscriptions=1, tickets=1)
    db.session.remove()
    db.engine().dispose()
    with _running(LiveServer(folder)) as server:
        path = offered.press(server.port)
        assert server.process is not None
        before = memory(family(server.process.pid))
        start = time.monotonic()
        got = _read(server.port, path)
        took = time.monotonic() - start
        more = (memory(family(server.process.pid)) - before) / MB
    assert got == size
    print(f"{size / GIB:.0f} GiB sent in {took:.1f} s ({size / took / MB:.0f} MB/s), {more:+.1f} MB of memory")


def _read(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer, buffer, got = connection.getresponse(), memoryview(bytearray(1024 * 1024)), 0
    while count := answer.readinto(buffer):
        got += count
    connection.close()
    return got


if __name__ == "__main__":
    main()
