"""A crowd: many threads in several processes that all do their part at the same moment."""

from __future__ import annotations

import multiprocessing
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from types import TracebackType
from typing import Any, Self

from csp_web import db

PATIENCE = 60.0
processes = multiprocessing.get_context("fork")

Part = Callable[[Any], str]
Beginning = Callable[[], Part]


class Crowd:
    """Clients that stay for as many rounds as there are: ``count`` processes of ``threads`` each.

    ``begin`` is called once in each process and gives what does one part. The database's connections of this process
    are closed before it forks.
    """

    def __init__(self, begin: Beginning, *, count: int = 2, threads: int = 32) -> None:
        db.session.remove()
        db.engine().dispose()
        gate, self._told = processes.Barrier(count), processes.Queue()
        self._tasks = [processes.Queue() for _child in range(count)]
        self._children = [
            processes.Process(target=_child, args=(begin, threads, tasks, gate, self._told), daemon=True)
            for tasks in self._tasks
        ]
        for child in self._children:
            child.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for tasks in self._tasks:
            tasks.put(None)
        for child in self._children:
            child.join(PATIENCE if kind is None else 1)
            child.kill()

    def act(self, parts: Sequence[Any]) -> list[str]:
        """One round: what each did, all at once. A part that raises is told as ``error: …``.

        The part at a place of the list is always done by the same process.
        """
        shares = [parts[number :: len(self._tasks)] for number in range(len(self._tasks))]
        for tasks, share in zip(self._tasks, shares, strict=True):
            tasks.put(share)
        return [self._next() for _part in parts]

    def _next(self) -> str:
        """What the next one did. A process that ended early is an error at once, not when the patience ends."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                return str(self._told.get(timeout=0.5))
            except queue.Empty:
                gone = [child.exitcode for child in self._children if child.exitcode is not None]
                if gone:
                    raise RuntimeError(f"a process of the crowd ended with {gone[0]}") from None
        raise TimeoutError(f"no answer for {PATIENCE} s")


def all_at_once(begin: Beginning, parts: Sequence[Any], *, count: int = 2, threads: int = 32) -> list[str]:
    """One round of a crowd that is there only for it."""
    with Crowd(begin, count=count, threads=threads) as crowd:
        return crowd.act(parts)


def _child(begin: Beginning, threads: int, tasks: Any, gate: Barrier, told: Any) -> None:
    part = begin()
    with ThreadPoolExecutor(threads) as pool:
        while (share := tasks.get()) is not None:
            gate.wait(PATIENCE)
            line = threading.Barrier(max(1, min(threads, len(share))))
            for outcome in pool.map(lambda item, line=line: _one(part, item, line), share):
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
