"""Files as answers: ranges, conditions, names, and what is counted -- through a test client."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from csp_web.web.attachment_names import clean_name, content_disposition
from csp_web.web.file_slice import BLOCK, FileChanged, FileSlice, PacedBuffer
from csp_web.web.ranges import Offload
from tests.support.ranges import CONTENT, EARLIER, LATER, MIB, MODIFIED_HEADER, application, slice_of


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
