"""A crowd: many threads in several processes that all do their part at the same moment."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import Any

from csp_web import db

PATIENCE = 60.0
processes = multiprocessing.get_context("fork")

Part = Callable[[Any], str]
Beginning = Callable[[], Part]


def all_at_once(begin: Beginning, parts: Sequence[Any], *, count: int = 2, threads: int = 32) -> list[str]:
    """What each did: ``begin`` is called once in each of ``count`` processes and gives what does one part.

    A part that raises is told as ``error: …``. The database's connections of this process are closed before it forks.
    """
    db.session.remove()
    db.engine().dispose()
    gate, told = processes.Barrier(count), processes.Queue()
    shares = [parts[number::count] for number in range(count)]
    children = [
        processes.Process(target=_child, args=(begin, share, threads, gate, told), daemon=True) for share in shares
    ]
    for child in children:
        child.start()
    outcomes = [told.get(timeout=PATIENCE) for _part in parts]
    for child in children:
        child.join(PATIENCE)
    return outcomes


def _child(begin: Beginning, share: Sequence[Any], threads: int, gate: Barrier, told: Any) -> None:
    part = begin()
    crowd = min(threads, len(share))
    line = threading.Barrier(crowd)
    gate.wait(PATIENCE)
    with ThreadPoolExecutor(crowd) as pool:
        for outcome in pool.map(lambda item: _one(part, item, line), share):
            told.put(outcome)
    told.close()
    told.join_thread()


def _one(part: Part, item: Any, line: threading.Barrier) -> str:
    try:
        if not line.broken and line.n_waiting < line.parties:
            line.wait(0.5)
    except threading.BrokenBarrierError:
        pass  # the last few are fewer than the line is wide: they go on alone
    try:
        return part(item)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the test is told
        return f"error: {type(error).__name__}: {error.__cause__ or error}"[:1500]
    finally:
        db.session.remove()
