"""Files as answers over real sockets, by the real server with a single thread."""

from __future__ import annotations

import http.client
import os
import queue
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from csp_web.serving.limits import Limits
from csp_web.serving.listening import listen
from csp_web.serving.worker import answer_requests
from tests.support.ranges import MIB, PATIENCE, application


class Live:
    """The server in a thread of the test, with one thread of its own for requests."""

    def __init__(self, app: Flask) -> None:
        listener = listen("127.0.0.1", 0)
        self.port: int = listener.getsockname()[1]
        sign, self._stop = socket.socketpair()
        settings = Limits().for_waitress() | {"threads": 1}
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: answer_requests(
                app, listener, settings=settings, stop_signs=[sign], grace=0.0, on_ready=ready.set
            ),
            daemon=True,
        )
        self._thread.start()
        assert ready.wait(PATIENCE)
        self._open = [listener, sign]

    def ask(self, path: str = "/file", method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Connection": "close"} | named)
        return connection.getresponse()

    def slow_client(self, **headers: str) -> socket.socket:
        """Ask and take only the first bytes."""
        client = socket.socket()
        client.settimeout(PATIENCE)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", self.port))
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        client.sendall(f"GET /file HTTP/1.1\r\nHost: test\r\n{''.join(lines)}\r\n".encode())
        assert client.recv(9) == b"HTTP/1.1 "
        return client

    def close(self) -> None:
        self._stop.close()
        self._thread.join(PATIENCE)
        for end in self._open:
            end.close()


SIZE = 24 * MIB + 12345


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "file"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def ended() -> queue.Queue[int]:
    return queue.Queue()


@pytest.fixture
def live(large: Path, ended: queue.Queue[int]) -> Iterator[Live]:
    server = Live(application(large, ended.put))
    yield server
    server.close()


def test_eight_connections_together_get_the_file_byte_for_byte(
    live: Live, large: Path, ended: queue.Queue[int]
) -> None:
    step = SIZE // 8 + 1
    parts: dict[int, bytes] = {}

    def fetch(number: int) -> None:
        answer = live.ask(Range=f"bytes={number * step}-{(number + 1) * step - 1}", If_Range='"f00d"')
        assert answer.status == 206
        parts[number] = answer.read()

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert b"".join(parts[number] for number in range(8)) == large.read_bytes()
    assert sum(ended.get(timeout=PATIENCE) for _ in range(8)) == SIZE


def resume_by_hand(port: int, target: Path) -> None:
    have = target.stat().st_size
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/file", headers={"Range": f"bytes={have}-", "Connection": "close"})
    answer = connection.getresponse()
    assert answer.status == 206
    with target.open("ab") as file:
        shutil.copyfileobj(answer, file)


def resume_with_curl(port: int, target: Path) -> None:
    command = ["curl", "-sS", "--fail", "-C", "-", "-o", str(target), f"http://127.0.0.1:{port}/file"]
    subprocess.run(command, check=True, timeout=PATIENCE)


CLIENTS = [resume_by_hand, resume_with_curl] if shutil.which("curl") else [resume_by_hand]


@pytest.mark.parametrize("resume", CLIENTS)
def test_a_broken_download_goes_on_where_it_stopped(
    live: Live, large: Path, tmp_path: Path, resume: Callable[[int, Path], None]
) -> None:
    target = tmp_path / "target"
    target.write_bytes(large.read_bytes()[: 5 * MIB])
    resume(live.port, target)
    assert target.read_bytes() == large.read_bytes()


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=1000-"}])
def test_slow_clients_hold_no_thread(live: Live, ended: queue.Queue[int], headers: dict[str, str]) -> None:
    """With a thread held by one of these clients, the word would never come: there is only one thread."""
    clients = [live.slow_client(**headers) for _ in range(20)]
    for _ in range(5):
        assert live.ask("/word").read() == b"word"
    assert ended.empty()
    for client in clients:
        client.close()
    for _ in clients:
        ended.get(timeout=PATIENCE)


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=1000-"}])
def test_who_leaves_at_once_counts_as_next_to_nothing(
    live: Live, ended: queue.Queue[int], headers: dict[str, str]
) -> None:
    """Only what the kernel holds on both sides of the connection is added, and that is kept small."""
    live.slow_client(**headers).close()
    assert ended.get(timeout=PATIENCE) < 0.75 * MIB


def test_who_leaves_half_way_counts_for_half(live: Live, ended: queue.Queue[int]) -> None:
    client = live.slow_client()
    taken = 0
    while taken < SIZE // 2:
        taken += len(client.recv(65536))
    client.close()
    assert taken - 1000 <= ended.get(timeout=PATIENCE) < taken + 0.75 * MIB


def test_what_the_end_of_the_server_cuts_off_is_told(large: Path, ended: queue.Queue[int]) -> None:
    live = Live(application(large, ended.put))
    client = live.slow_client()
    live.close()
    assert ended.get(timeout=PATIENCE) < SIZE
    client.close()


def test_after_a_range_the_connection_serves_on(live: Live, large: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=PATIENCE)
    content = large.read_bytes()
    for asked, expected in (("bytes=5-9", content[5:10]), ("bytes=-7", content[-7:]), ("bytes=0-0", content[:1])):
        connection.request("GET", "/file", headers={"Range": asked})
        assert connection.getresponse().read() == expected
    connection.request("HEAD", "/file")
    head = connection.getresponse()
    assert (head.getheader("Content-Length"), head.read()) == (str(SIZE), b"")
    connection.request("GET", "/file", headers={"Range": f"bytes={SIZE}-"})
    refusal = connection.getresponse()
    assert (refusal.status, refusal.getheader("Content-Range"), refusal.read()) == (416, f"bytes */{SIZE}", b"")
    connection.request("GET", "/file", headers={"Range": "bytes=0-9", "If-Range": '"older"'})
    whole = connection.getresponse()
    assert (whole.status, whole.read() == content) == (200, True)
    connection.close()


def test_a_file_that_shrinks_while_it_is_sent_ends_only_that_transfer(tmp_path: Path, ended: queue.Queue[int]) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(SIZE))
    live = Live(application(path, ended.put))
    client = live.slow_client()
    os.truncate(path, 2 * MIB)
    taken = 0
    while data := client.recv(65536):
        taken += len(data)
    assert ended.get(timeout=PATIENCE) <= 2 * MIB
    assert taken < SIZE
    assert live.ask("/word").read() == b"word"
    client.close()
    live.close()
