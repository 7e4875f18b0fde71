"""Serve an application in a process of its own, ask it for pages, and read what that cost."""

from __future__ import annotations

import http.client
import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Server CPU per request and the slowest percent, both in milliseconds."""

    cpu: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Server:
    """A server that is measured: where it listens, and its process."""

    port: int
    pid: int


@contextmanager
def served(make_app: Callable[[], Any]) -> Iterator[Server]:
    """One waitress process with one thread, as each process of ``csp-web run`` is."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(make_app, theirs), daemon=True)
    process.start()
    assert process.pid is not None
    try:
        yield Server(ours.recv(), process.pid)
    finally:
        process.terminate()
        process.join(10)


def _serve(make_app: Callable[[], Any], tell: Connection) -> None:
    import socket

    import waitress

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = make_app()
    listener.listen(64)
    tell.send(listener.getsockname()[1])
    waitress.serve(app, sockets=[listener], threads=1, ident="", asyncore_use_poll=True, _quiet=True)


def measure(server: Server, path: str, *, cookie: str = "", count: int = 1000) -> Cost:
    """Ask for a page again and again over one connection; the first tenth only warms up."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Accept-Encoding": "gzip", **({"Cookie": cookie} if cookie else {})}  # as browsers ask
    connection.request("GET", path, headers=headers)
    first = connection.getresponse()
    first.read()
    if changed := first.headers.get_all("Set-Cookie"):  # kept, as browsers do
        headers["Cookie"] = _kept(cookie, changed)
    for _warm in range(count // 10):
        _ask(connection, path, headers)
    before = _cpu(server.pid)
    times = sorted(_ask(connection, path, headers) for _turn in range(count))
    spent = _cpu(server.pid) - before
    connection.close()
    return Cost(spent * 1000 / count, times[count // 2] * 1000, times[count * 99 // 100] * 1000)


def _kept(cookie: str, changed: list[str]) -> str:
    pairs = [each.partition(";")[0].partition("=") for each in [cookie, *changed]]
    jar = {name: value for name, _, value in pairs if name}  # the newest of a name counts
    return "; ".join(f"{name}={value}" for name, value in jar.items())


def _ask(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> float:
    start = time.perf_counter()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(f"{path} answered {answer.status}")
    return time.perf_counter() - start


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has used, in user and in system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
