"""The server under kill, stop and restart: real processes on a real socket.

Every process of the server holds the write end of the pipe that is its standard output, so that the end of the pipe
proves that none is left.
"""

from __future__ import annotations

import http.client
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 20.0
PROGRAM = Path(__file__).with_name("served_app.py")


class Server:
    """The program in a process group of its own."""

    def __init__(self, **arguments: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), json.dumps(arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.port = 0

    def wait_until_ready(self) -> Server:
        assert self.process.stdout is not None
        line = self._read(self.process.stdout.readline)
        assert line, self.errors()
        self.port = int(line)
        return self

    def _read(self, read: Callable[[], bytes]) -> bytes:
        with selectors.DefaultSelector() as selector:
            assert self.process.stdout is not None
            selector.register(self.process.stdout, selectors.EVENT_READ)
            assert selector.select(PATIENCE), "nothing came"
        return read()

    def all_gone(self) -> bool:
        """Wait for the end of the pipe; False when some process still holds it."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            return bool(selector.select(PATIENCE)) and self.process.stdout.read() == b""

    def errors(self) -> str:
        """Everything on standard error; waits for the end."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE)

    def get(self, path: str, *, headers: dict[str, str] | None = None, body: bytes | None = None) -> Any:
        with self.ask(path, headers=headers, body=body) as answer:
            content = answer.read()
            assert answer.status == 200, content
            return json.loads(content)

    def ask(
        self, path: str, *, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        closing = {"Connection": "close"} | (headers or {})
        connection.request("POST" if body is not None else "GET", path, body=body, headers=closing)
        return connection.getresponse()

    def pids(self, number: int) -> set[int]:
        """Ask until so many processes have answered."""
        seen: set[int] = set()

        def all_seen() -> bool:
            seen.add(self.get("/who")["pid"])
            return len(seen) >= number

        until(all_seen)
        return seen

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


def until(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def begin(**arguments: Any) -> Server:
        servers.append(Server(**arguments))
        return servers[-1]

    yield begin
    for server in servers:
        server.end()


def refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_every_process_answers_with_an_application_of_its_own(start: Callable[..., Server]) -> None:
    server = start(processes=2).wait_until_ready()
    assert len(server.pids(2)) == 2
    said = server.get("/who")
    assert said["pid"] == said["built_in"] != said["parent"]


def test_the_answer_does_not_tell_what_the_server_is(start: Callable[..., Server]) -> None:
    answer = start(processes=1).wait_until_ready().ask("/who")
    assert answer.getheader("Server") is None


def test_a_killed_process_is_replaced_and_everybody_is_served(start: Callable[..., Server]) -> None:
    server = start(processes=2).wait_until_ready()
    before = server.pids(2)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    until(lambda: (pids := server.pids(2)) and victim not in pids)
    assert len(server.pids(2) - before) == 1


def test_deaths_after_a_good_start_never_end_the_server(start: Callable[..., Server]) -> None:
    server = start(processes=1).wait_until_ready()
    for _ in range(5):
        os.kill(server.get("/who")["pid"], signal.SIGKILL)
    assert server.get("/who")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_with_all_its_processes(start: Callable[..., Server], number: int) -> None:
    server = start(processes=2).wait_until_ready()
    server.send(number)
    assert server.exit_code() == 0
    assert server.all_gone()
    assert refused(server.port)


def test_a_request_in_hand_is_answered_before_the_end(start: Callable[..., Server], tmp_path: Path) -> None:
    server = start(processes=2).wait_until_ready()
    started, said = tmp_path / "started", []
    thread = threading.Thread(
        target=lambda: said.append(server.get(f"/sleep?seconds=1&started={started}")), daemon=True
    )
    thread.start()
    until(started.exists)
    server.send(signal.SIGTERM)
    thread.join(PATIENCE)
    assert said == ["slept"]
    assert server.exit_code() == 0


def test_a_download_in_hand_is_finished_before_the_end(start: Callable[..., Server], tmp_path: Path) -> None:
    server = start(processes=1).wait_until_ready()
    size = 30_000_000
    answer = server.ask(f"/file?size={size}&path={tmp_path / 'file'}")
    first = answer.read(1000)
    server.send(signal.SIGTERM)
    until(lambda: refused(server.port))
    assert server.process.poll() is None
    assert len(first) + len(answer.read()) == size
    assert server.exit_code() == 0


def test_a_connection_kept_alive_does_not_hold_up_the_end(start: Callable[..., Server]) -> None:
    server = start(processes=1, grace=600).wait_until_ready()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", "/who")
    connection.getresponse().read()
    server.send(signal.SIGTERM)
    assert server.exit_code() == 0
    connection.close()


def test_a_request_without_end_is_killed_when_its_time_is_over(start: Callable[..., Server], tmp_path: Path) -> None:
    server = start(processes=1, grace=0.3).wait_until_ready()
    _never_answered(server, tmp_path / "started")
    server.send(signal.SIGTERM)
    assert server.exit_code() == 0
    assert server.all_gone()


def test_told_twice_it_does_not_wait(start: Callable[..., Server], tmp_path: Path) -> None:
    server = start(processes=1, grace=600).wait_until_ready()
    _never_answered(server, tmp_path / "started")
    server.send(signal.SIGTERM)
    until(lambda: refused(server.port))
    server.send(signal.SIGTERM)
    assert server.exit_code() == 0
    assert server.all_gone()


def _never_answered(server: Server, started: Path) -> None:
    def ask() -> None:
        with pytest.raises((OSError, http.client.HTTPException)):
            server.get(f"/sleep?seconds=500&started={started}")

    threading.Thread(target=ask, daemon=True).start()
    until(started.exists)


def test_when_the_parent_is_killed_nothing_is_left_listening(start: Callable[..., Server], tmp_path: Path) -> None:
    server = start(processes=2, diary=str(tmp_path / "diary")).wait_until_ready()
    server.send(signal.SIGKILL)
    assert server.all_gone()
    assert refused(server.port)


def test_a_taken_port_is_a_sentence(start: Callable[..., Server]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = start(port=port)
        assert server.exit_code() == 1
    assert server.errors() == (
        f"Port {port} on 127.0.0.1 is taken by another program: stop that one, or choose another port.\n"
    )


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ({"port": 70000}, "70000 is not a port: choose one from 1 to 65535.\n"),
        (
            {"host": "203.0.113.7"},
            "203.0.113.7 is not an address of this machine: choose 127.0.0.1, or 0.0.0.0 for every address.\n",
        ),
        (
            {"host": "no such name"},
            "Cannot listen on no such name: no such address is known. Choose 127.0.0.1, or 0.0.0.0 for every address.\n",
        ),
    ],
)
def test_a_wrong_address_is_a_sentence(start: Callable[..., Server], place: dict[str, Any], sentence: str) -> None:
    server = start(**place)
    assert server.exit_code() == 1
    assert server.errors() == sentence


def test_a_server_that_cannot_start_says_why_and_ends(start: Callable[..., Server], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.touch()
    server = start(processes=2, broken=str(broken))
    assert server.exit_code() == 1
    assert server.all_gone()
    errors = server.errors()
    assert "ValueError: the settings are wrong" in errors
    assert errors.endswith(
        "The server cannot start: 5 processes in a row ended before one could answer; the last one ended with code 1. "
        "The reason is above.\n"
    )


def test_a_restart_replaces_all_processes_and_fails_no_request(start: Callable[..., Server]) -> None:
    server = start(processes=2).wait_until_ready()
    before = server.pids(2)
    done, answered = threading.Event(), []

    def visit() -> None:
        while not done.is_set():
            answered.append(server.get("/who")["pid"])

    visitors = [threading.Thread(target=visit, daemon=True) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    server.send(signal.SIGHUP)
    until(lambda: len(set(answered[-50:]) - before) == 2 and not before & set(answered[-50:]))
    done.set()
    for visitor in visitors:
        visitor.join(PATIENCE)
        assert not visitor.is_alive()
    assert not server.pids(2) & before


def test_a_restart_that_fails_leaves_the_old_processes_at_work(start: Callable[..., Server], tmp_path: Path) -> None:
    broken, started = tmp_path / "broken", tmp_path / "started"
    server = start(processes=1, broken=str(broken)).wait_until_ready()
    before = server.pids(1)
    broken.touch()
    server.send(signal.SIGHUP)
    assert server.get(f"/sleep?seconds=1&started={started}") == "slept"
    assert server.pids(1) == before


def diary_of(path: Path) -> list[str]:
    return path.read_text().split("\n")[:-1] if path.exists() else []


def test_background_jobs_run_in_one_process_of_their_own(start: Callable[..., Server], tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    server = start(processes=2, diary=str(diary)).wait_until_ready()
    until(lambda: diary_of(diary))
    assert int(diary_of(diary)[0]) not in server.pids(2) | {server.process.pid}
    server.send(signal.SIGTERM)
    assert server.exit_code() == 0
    assert diary_of(diary)[1:] == ["asked to stop"]
    assert server.all_gone()


def test_killed_background_jobs_start_again(start: Callable[..., Server], tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    start(processes=1, diary=str(diary)).wait_until_ready()
    until(lambda: diary_of(diary))
    os.kill(int(diary_of(diary)[0]), signal.SIGKILL)
    until(lambda: len(diary_of(diary)) == 2)


def test_a_restart_ends_the_old_jobs_before_the_new_begin(start: Callable[..., Server], tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    server = start(processes=1, diary=str(diary)).wait_until_ready()
    until(lambda: diary_of(diary))
    server.send(signal.SIGHUP)
    until(lambda: len(diary_of(diary)) == 3)
    first, between, second = diary_of(diary)
    assert between == "asked to stop"
    assert first != second


def test_a_body_over_the_limit_is_refused_and_one_of_the_limit_is_taken(start: Callable[..., Server]) -> None:
    server = start(processes=1, limits={"max_request_body": 1000}).wait_until_ready()
    assert server.get("/read", body=bytes(1000)) == 1000
    assert server.ask("/read", body=bytes(1001)).status == 413


def test_without_a_limit_large_bodies_are_taken(start: Callable[..., Server]) -> None:
    server = start(processes=1, limits={"max_request_body": 0}).wait_until_ready()
    assert server.get("/read", body=bytes(3_000_000)) == 3_000_000


FORWARDED = {"X-Forwarded-For": "198.51.100.9", "X-Forwarded-Proto": "https"}


def test_forwarded_headers_of_strangers_are_not_believed(start: Callable[..., Server]) -> None:
    server = start(processes=1).wait_until_ready()
    assert server.get("/client", headers=FORWARDED) == {"address": "127.0.0.1", "scheme": "http"}


def test_forwarded_headers_of_the_proxy_are_believed(start: Callable[..., Server]) -> None:
    server = start(processes=1, behind_proxy=True).wait_until_ready()
    assert server.get("/client", headers=FORWARDED) == {"address": "198.51.100.9", "scheme": "https"}


def test_without_fork_one_process_does_everything(start: Callable[..., Server], tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    server = start(without_fork=True, diary=str(diary)).wait_until_ready()
    said = server.get("/who")
    assert said["pid"] == said["parent"] == server.process.pid
    until(lambda: diary_of(diary))
    server.send(signal.SIGTERM)
    assert server.exit_code() == 0
    assert diary_of(diary) == [str(server.process.pid), "asked to stop"]
    assert refused(server.port)
