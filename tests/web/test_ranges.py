"""Files as answers: ranges, conditions, names, and what is counted -- through a test client and over real sockets."""

from __future__ import annotations

import http.client
import os
import queue
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from csp_web.serving.limits import Limits
from csp_web.serving.listening import listen
from csp_web.serving.worker import answer_requests
from csp_web.web.attachment_names import clean_name, content_disposition
from csp_web.web.file_slice import BLOCK, FileChanged, FileSlice, PacedBuffer
from csp_web.web.ranges import Offload, file_response

PATIENCE = 20.0
MIB = 1024 * 1024
CONTENT = bytes(range(256)) * 4  # 1,024 bytes
ETAG = "f00d"
MODIFIED = datetime(2025, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
MODIFIED_HEADER = "Sat, 01 Mar 2025 12:00:00 GMT"
LATER = "Sun, 02 Mar 2025 12:00:00 GMT"
EARLIER = "Fri, 28 Feb 2025 12:00:00 GMT"


def application(path: Path, ended: Callable[[int], None], /, **changes: Any) -> Flask:
    """Serves one file at ``/file`` and a word at ``/word``."""
    app = Flask("files")
    app.testing = True

    @app.get("/file")
    def file() -> Response:
        described: dict[str, Any] = {
            "path": path,
            "size": path.stat().st_size,
            "etag": ETAG,
            "last_modified": MODIFIED,
            "download_name": "Setup.iso",
            "content_type": "application/octet-stream",
            "on_end": ended,
        }
        return file_response(environ=request.environ, **(described | changes))

    @app.get("/word")
    def word() -> str:
        return "word"

    return app


class Small:
    """The application over a small file, and what its transfers reported."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "file"
        self.path.write_bytes(CONTENT)
        self.ended: list[int] = []
        self.client = application(self.path, self.ended.append).test_client()

    def get(self, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.client.get("/file", headers=named) as answer:
            answer.get_data()
            return answer


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path)


def test_without_conditions_the_whole_file_comes(small: Small) -> None:
    answer = small.get()
    assert answer.status_code == 200
    assert answer.data == CONTENT
    assert dict(answer.headers) == {
        "Content-Type": "application/octet-stream",
        "Content-Length": "1024",
        "ETag": '"f00d"',
        "Last-Modified": MODIFIED_HEADER,
        "Accept-Ranges": "bytes",
        "Content-Disposition": "attachment; filename=\"Setup.iso\"; filename*=UTF-8''Setup.iso",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 1023),
        ("bytes=10-19", 10, 19),
        ("bytes=1000-", 1000, 1023),
        ("bytes=1000-99999999999999999999", 1000, 1023),
        ("bytes=1023-", 1023, 1023),
        ("bytes=-1", 1023, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=-99999", 0, 1023),
        ("Bytes=10-19", 10, 19),
    ],
)
def test_a_range_comes_with_its_place(small: Small, asked: str, first: int, last: int) -> None:
    answer = small.get(Range=asked)
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/1024"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.data == CONTENT[first : last + 1]
    assert small.ended == [last - first + 1]


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=1024-2000", "bytes=99999999999999999999-"])
def test_a_range_behind_the_end_is_refused_with_the_size(small: Small, asked: str) -> None:
    answer = small.get(Range=asked)
    assert (answer.status_code, answer.data) == (416, b"")
    assert answer.headers["Content-Range"] == "bytes */1024"
    assert small.ended == []


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "items=0-1", "bytes=5-2", "bytes=abc", "bytes=", "bytes=-", "bytes=-0", "junk", ""]
)
def test_several_ranges_and_unreadable_ones_get_the_whole_file(small: Small, asked: str) -> None:
    answer = small.get(Range=asked)
    assert (answer.status_code, answer.data) == (200, CONTENT)
    assert "Content-Range" not in answer.headers


@given(first=st.integers(0, 1023), length=st.integers(1, 2000))
def test_any_range_inside_is_cut_exactly(tmp_path_factory: pytest.TempPathFactory, first: int, length: int) -> None:
    answer = Small(tmp_path_factory.mktemp("range")).get(Range=f"bytes={first}-{first + length - 1}")
    assert (answer.status_code, answer.data) == (206, CONTENT[first : first + length])


@pytest.mark.parametrize("condition", ['"f00d"', MODIFIED_HEADER])
def test_if_range_that_names_this_file_gets_the_range(small: Small, condition: str) -> None:
    assert small.get(Range="bytes=0-9", If_Range=condition).status_code == 206


@pytest.mark.parametrize("condition", ['"other"', 'W/"f00d"', LATER, EARLIER, "junk"])
def test_if_range_that_names_another_file_gets_the_whole(small: Small, condition: str) -> None:
    answer = small.get(Range="bytes=0-9", If_Range=condition)
    assert (answer.status_code, answer.data) == (200, CONTENT)


@pytest.mark.parametrize(
    "condition",
    [
        {"If_None_Match": '"f00d"'},
        {"If_None_Match": '"x", W/"f00d"'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": MODIFIED_HEADER},
        {"If_Modified_Since": LATER},
        {"If_None_Match": '"f00d"', "Range": "bytes=0-9"},
    ],
)
def test_what_the_client_has_already_is_not_sent_again(small: Small, condition: dict[str, str]) -> None:
    answer = small.get(**condition)
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == '"f00d"'
    assert small.ended == []


@pytest.mark.parametrize(
    "condition",
    [
        {"If_None_Match": '"other"'},
        {"If_None_Match": '"other"', "If_Modified_Since": LATER},
        {"If_Modified_Since": EARLIER},
        {"If_Match": '"f00d"'},
        {"If_Match": "*"},
        {"If_Unmodified_Since": MODIFIED_HEADER},
        {"If_Match": '"f00d"', "If_Unmodified_Since": EARLIER},
    ],
)
def test_conditions_that_hold_get_the_file(small: Small, condition: dict[str, str]) -> None:
    assert small.get(**condition).status_code == 200


@pytest.mark.parametrize(
    "condition", [{"If_Match": '"other"'}, {"If_Match": 'W/"f00d"'}, {"If_Unmodified_Since": EARLIER}]
)
def test_conditions_that_no_longer_hold_are_told(small: Small, condition: dict[str, str]) -> None:
    assert small.get(Range="bytes=0-9", **condition).status_code == 412
    assert small.ended == []


def test_head_has_the_length_and_no_body(small: Small) -> None:
    answer = small.client.head("/file", headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (200, b"", "1024")
    assert small.ended == []


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-"}, {"Range": "bytes=-5"}])
def test_an_empty_file_is_sent_as_such(small: Small, headers: dict[str, str]) -> None:
    small.path.write_bytes(b"")
    answer = small.get(**headers)
    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (200, b"", "0")
    assert small.ended == [0]


def test_a_missing_file_is_not_answered_at_all(small: Small) -> None:
    app = application(small.path, small.ended.append, path=small.path.with_name("gone"))
    with pytest.raises(FileChanged, match="missing"):
        app.test_client().get("/file")


def test_a_file_of_another_size_is_not_answered_at_all(small: Small) -> None:
    app = application(small.path, small.ended.append, size=1025)
    with pytest.raises(FileChanged, match="1024 bytes instead of 1025"):
        app.test_client().get("/file")
    assert small.ended == []


# -- names


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Setup.iso", "attachment; filename=\"Setup.iso\"; filename*=UTF-8''Setup.iso"),
        (
            "файл.pdf",
            "attachment; filename=\"download.pdf\"; filename*=UTF-8''%D1%84%D0%B0%D0%B9%D0%BB.pdf",
        ),
        (
            "Übersicht 2025.xlsx",
            "attachment; filename=\"Ubersicht 2025.xlsx\"; filename*=UTF-8''%C3%9Cbersicht%202025.xlsx",
        ),
        ("100%25.txt", "attachment; filename=\"100_25.txt\"; filename*=UTF-8''100%2525.txt"),
        ('a"b\\c.txt', "attachment; filename=\"a_b_c.txt\"; filename*=UTF-8''a_b_c.txt"),
        ("a\r\nSet-Cookie: x=1", "attachment; filename=\"aSet-Cookie_ x=1\"; filename*=UTF-8''aSet-Cookie_%20x%3D1"),
    ],
)
def test_names_of_any_script_and_nothing_but_names(name: str, header: str) -> None:
    assert content_disposition(name) == header


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Windows\\x.exe", "C__Windows_x.exe"),
        (".htaccess", "htaccess"),
        ("name. . .", "name"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("a\0b\x7f.txt", "ab.txt"),
        ("  two \t lines\n.txt", "two lines.txt"),
        ("\ud800.txt", "_.txt"),
        ("", "download"),
        ("...", "download"),
        ("x" * 500 + ".iso", "x" * 146 + ".iso"),
        ("x" * 500, "x" * 150),
    ],
)
def test_hostile_names_become_harmless(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@given(st.text(max_size=300))
def test_whatever_the_name_the_header_is_one_line_and_says_it_once(name: str) -> None:
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    kind, parameters = parse_options_header(header)
    assert kind == "attachment"
    assert parameters == {"filename": clean_name(name)}


@given(st.text(max_size=300))
def test_a_clean_name_stays_as_it_is(name: str) -> None:
    assert clean_name(clean_name(name)) == clean_name(name)


# -- leaving the bytes to a server in front


def test_nginx_gets_the_internal_address(small: Small, tmp_path: Path) -> None:
    offload = Offload("x-accel-redirect", root=tmp_path.parent, prefix="/internal/")
    client = application(small.path, small.ended.append, offload=offload).test_client()
    answer = client.get("/file", headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["X-Accel-Redirect"] == f"/internal/{tmp_path.name}/file"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert small.ended == []


def test_apache_gets_the_path(small: Small, tmp_path: Path) -> None:
    client = application(small.path, small.ended.append, offload=Offload("x-sendfile", root=tmp_path)).test_client()
    assert client.get("/file").headers["X-Sendfile"] == str(small.path)


def test_only_files_under_the_root_are_left_to_the_server_in_front(small: Small, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="subpath"):
        Offload("x-accel-redirect", root=tmp_path / "files", prefix="/internal").header(small.path)


# -- what is counted


def slice_of(path: Path, **changes: Any) -> FileSlice:
    return FileSlice(path, **({"size": 1024, "start": 100, "length": 50} | changes))


def test_bytes_that_were_read_ahead_and_given_back_do_not_count(small: Small) -> None:
    file = slice_of(small.path, on_end=small.ended.append)
    file.read(30)
    file.seek(20)
    file.close()
    file.close()
    assert small.ended == [20]


def test_a_slice_has_its_own_beginning_and_end(small: Small) -> None:
    with slice_of(small.path) as file:
        assert file.seek(0, 2) == 50
        assert file.read() == b""
        assert file.seek(-10, 2) == 40
        assert file.read(1000) == CONTENT[140:150]


def test_an_error_at_the_end_of_a_transfer_harms_nobody(small: Small, caplog: pytest.LogCaptureFixture) -> None:
    def fail(sent: int) -> None:
        raise RuntimeError(f"no place for {sent}")

    slice_of(small.path, on_end=fail).close()
    assert "no place for 0" in caplog.text


def test_the_paced_buffer_gives_way_after_every_mebibyte_and_loses_nothing(tmp_path: Path) -> None:
    path, content = tmp_path / "file", os.urandom(3 * MIB + 5)
    path.write_bytes(content)
    buffer = PacedBuffer(FileSlice(path, size=len(content), start=0, length=len(content)), BLOCK)
    buffer.prepare(len(content))
    got, pauses = b"", 0
    while len(got) < len(content):
        piece = buffer.get(10 * MIB)
        pauses += not piece
        buffer.skip(len(piece), True)
        got += piece
    buffer.close()
    assert (got == content, pauses) == (True, 3)


# -- over real sockets, by the real server with a single thread


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
