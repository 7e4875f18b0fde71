"""The queue in front of SQLite's writer: first come first served, one at a time, over threads and processes."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from csp_web.services.writer_queue import Busy, TicketLock, WriterQueue

PATIENCE = 20.0
processes = multiprocessing.get_context("fork")


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)


def waiting_in(queue: WriterQueue, number: int) -> bool:
    return queue.waiting == number


def start(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def lock_path(tmp_path: Path) -> Path:
    return tmp_path / "csp-web.db.writer"


@pytest.fixture
def queue(lock_path: Path) -> Iterator[WriterQueue]:
    made = WriterQueue(lock_path)
    yield made
    made.close()


def test_threads_write_in_the_order_in_which_they_asked(queue: WriterQueue) -> None:
    order: list[int] = []

    def write(number: int) -> None:
        with queue.turn(timeout=PATIENCE):
            order.append(number)

    threads = []
    with queue.turn(timeout=PATIENCE):
        for number in range(12):
            threads.append(start(partial(write, number)))
            until(partial(waiting_in, queue, number + 1))
    for thread in threads:
        thread.join(PATIENCE)
    assert order == list(range(12))


def test_a_thread_that_comes_back_stands_behind_those_who_wait() -> None:
    lock = TicketLock()
    order: list[str] = []
    assert lock.acquire(0)

    def other() -> None:
        assert lock.acquire(PATIENCE)
        order.append("other")
        lock.release()

    thread = start(other)
    until(lambda: lock.waiting == 1)
    lock.release()
    assert lock.acquire(PATIENCE)
    order.append("same again")
    lock.release()
    thread.join(PATIENCE)
    assert order == ["other", "same again"]


def test_only_one_thread_has_the_turn(queue: WriterQueue) -> None:
    inside, most, total = 0, 0, 0

    def write() -> None:
        nonlocal inside, most, total
        for _ in range(100):
            with queue.turn(timeout=PATIENCE):
                inside += 1
                most = max(most, inside)
                total += 1
                time.sleep(0)
                inside -= 1

    threads = [start(write) for _ in range(8)]
    for thread in threads:
        thread.join(PATIENCE)
    assert (most, total) == (1, 800)


def test_who_waits_too_long_is_told_busy_and_leaves_the_line(queue: WriterQueue) -> None:
    said: list[str] = []

    def write() -> None:
        with pytest.raises(Busy) as refusal, queue.turn(timeout=0.01):
            raise AssertionError("two had the turn")
        said.append(str(refusal.value))

    with queue.turn(timeout=1):
        start(write).join(PATIENCE)
        assert queue.waiting == 0
    assert said == ["The database is busy: no turn to write came within 0.01 s."]
    with queue.turn(timeout=0):
        pass


def test_a_turn_inside_a_turn_is_refused_with_a_sentence(queue: WriterQueue) -> None:
    with (
        queue.turn(timeout=1),
        pytest.raises(RuntimeError, match="already has the writer's turn"),
        queue.turn(timeout=1),
    ):
        raise AssertionError("the thread got its own turn twice")


def test_a_failed_act_gives_the_turn_back(queue: WriterQueue) -> None:
    with pytest.raises(KeyError), queue.turn(timeout=1):
        raise KeyError("act")
    with queue.turn(timeout=0):
        pass


def test_two_queues_on_the_same_file_exclude_each_other(queue: WriterQueue, lock_path: Path) -> None:
    other = WriterQueue(lock_path)
    with queue.turn(timeout=1), pytest.raises(Busy), other.turn(timeout=0.01):
        raise AssertionError("two had the turn")
    with other.turn(timeout=1):
        pass
    other.close()


def test_without_a_file_the_threads_still_take_turns() -> None:
    queue = WriterQueue(None)
    with queue.turn(timeout=1):
        refused = threading.Event()

        def write() -> None:
            with pytest.raises(Busy), queue.turn(timeout=0.01):
                raise AssertionError("two had the turn")
            refused.set()

        start(write).join(PATIENCE)
    assert refused.is_set()


def _count_up(lock_path: Path, counter: Path, times: int) -> None:
    queue = WriterQueue(lock_path)

    def work() -> None:
        for _ in range(times):
            with queue.turn(timeout=PATIENCE):
                counter.write_text(str(int(counter.read_text()) + 1))

    threads = [start(work) for _ in range(4)]
    for thread in threads:
        thread.join(PATIENCE)


def test_processes_take_turns_and_lose_no_write(lock_path: Path, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    children = [processes.Process(target=_count_up, args=(lock_path, counter, 50)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(PATIENCE)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert counter.read_text() == "600"


def _write_word(lock_path: Path, book: Path, word: str) -> None:
    with WriterQueue(lock_path).turn(timeout=PATIENCE), book.open("a") as page:
        page.write(word)


def _somebody_waits_at_the_gate(lock_path: Path) -> bool:
    with Path(f"{lock_path}-next").open("w") as gate:
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_a_process_that_has_just_written_does_not_overtake_the_one_that_waits(
    queue: WriterQueue, lock_path: Path, tmp_path: Path
) -> None:
    book = tmp_path / "book"
    with queue.turn(timeout=1):
        other = processes.Process(target=_write_word, args=(lock_path, book, "other "))
        other.start()
        until(lambda: _somebody_waits_at_the_gate(lock_path))
    with queue.turn(timeout=PATIENCE), book.open("a") as page:
        page.write("same")
    other.join(PATIENCE)
    assert book.read_text() == "other same"


def _hold_for_ever(lock_path: Path, ready: str) -> None:
    with WriterQueue(lock_path).turn(timeout=PATIENCE):
        Path(ready).touch()
        time.sleep(600)


def test_the_turn_of_a_killed_process_goes_on(queue: WriterQueue, lock_path: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    child = processes.Process(target=_hold_for_ever, args=(lock_path, str(ready)))
    child.start()
    until(ready.exists)
    with pytest.raises(Busy), queue.turn(timeout=0.01):
        raise AssertionError("two had the turn")
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    with queue.turn(timeout=PATIENCE):
        pass
    child.join(PATIENCE)


def test_a_forked_child_neither_has_nor_breaks_its_parents_turn(queue: WriterQueue) -> None:
    with queue.turn(timeout=1):
        child = processes.Process(target=_expect_busy, args=(queue,))
        child.start()
        child.join(PATIENCE)
        assert child.exitcode == 0
        again = processes.Process(target=_expect_busy, args=(queue,))
        again.start()
        again.join(PATIENCE)
        assert again.exitcode == 0, "the first child let go of its parent's lock when it ended"
    with queue.turn(timeout=0):
        pass


def _expect_busy(queue: WriterQueue) -> None:
    with pytest.raises(Busy), queue.turn(timeout=0.05):
        raise AssertionError("two had the turn")


def test_a_child_forked_while_threads_stood_in_line_has_an_empty_line(queue: WriterQueue) -> None:
    with queue.turn(timeout=1):
        threads = [start(lambda: _pass_through(queue)) for _ in range(3)]
        until(lambda: queue.waiting == 3)
        child = processes.Process(target=_wait_and_write, args=(queue,))
        child.start()
    child.join(PATIENCE)
    assert child.exitcode == 0
    for thread in threads:
        thread.join(PATIENCE)


def _pass_through(queue: WriterQueue) -> None:
    with queue.turn(timeout=PATIENCE):
        pass


def _wait_and_write(queue: WriterQueue) -> None:
    assert queue.waiting == 0
    _pass_through(queue)


def test_the_lock_files_may_be_used_by_whoever_may_use_the_database(tmp_path: Path) -> None:
    database = tmp_path / "csp-web.db"
    database.touch()
    database.chmod(0o660)
    queue = WriterQueue(f"{database}.writer")
    with queue.turn(timeout=1):
        pass
    queue.close()
    for name in ("csp-web.db.writer", "csp-web.db.writer-next"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o660
