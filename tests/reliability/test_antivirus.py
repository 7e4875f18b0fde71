"""clamd's INSTREAM on a real socket: verdicts, limits, and a scanner that is away or speaks otherwise."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from csp_web.config import SettingsError, load
from csp_web.services.antivirus import Clamd, ScannerDown, TooLargeToScan, Unreadable
from tests.support.clamd import NAME, SIGNATURE, FakeClamd, running_clamd
from tests.support.live import free_port

MIB = 1024 * 1024


@pytest.fixture(params=["tcp", "unix"])
def clamd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeClamd]:
    with running_clamd(tmp_path / "clamd.sock" if request.param == "unix" else None) as running:
        yield running


@pytest.mark.parametrize("content", [b"", b"x", bytes(3 * MIB + 17)])
def test_a_clean_file_is_sent_whole_and_found_clean(clamd: FakeClamd, content: bytes) -> None:
    assert Clamd(clamd.url).scan(io.BytesIO(content)) == ""
    assert clamd.scanned == [len(content)]


def test_a_signature_is_found_also_where_two_blocks_meet(clamd: FakeClamd) -> None:
    content = bytes(256 * 1024 - 10) + SIGNATURE + bytes(MIB)
    assert Clamd(clamd.url).scan(io.BytesIO(content)) == NAME


def test_what_is_larger_than_the_scanner_takes_is_said(clamd: FakeClamd) -> None:
    with pytest.raises(TooLargeToScan):
        Clamd(clamd.url).scan(io.BytesIO(bytes(64 * MIB)))
    clamd.says = b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND"
    with pytest.raises(TooLargeToScan):
        Clamd(clamd.url).scan(io.BytesIO(b"packed"))


@pytest.mark.parametrize("answer", [b"", b"stream: Can't allocate memory ERROR", b"HTTP/1.1 400 Bad Request", b"OK"])
def test_no_answer_but_the_right_one_makes_a_file_clean(clamd: FakeClamd, answer: bytes) -> None:
    clamd.says = answer or b"\0"
    with pytest.raises(ScannerDown):
        Clamd(clamd.url).scan(io.BytesIO(b"x"))


def test_it_says_its_version(clamd: FakeClamd) -> None:
    assert Clamd(clamd.url).version().startswith("ClamAV 1.4.6/")


def test_a_scanner_that_is_away_is_said(tmp_path: Path) -> None:
    for url in (f"tcp://127.0.0.1:{free_port()}", f"unix://{tmp_path}/none.sock"):
        with pytest.raises(ScannerDown):
            Clamd(url).scan(io.BytesIO(b"x"))


def test_a_file_that_cannot_be_read_is_not_the_scanners_fault(clamd: FakeClamd) -> None:
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise OSError("a bad sector")

    with pytest.raises(Unreadable, match="bad sector"):
        Clamd(clamd.url).scan(Broken())


@pytest.mark.parametrize("url", ["clamd", "tcp://", "http://127.0.0.1:3310", "unix://relative", "tcp://host:port"])
def test_an_address_that_is_none_stops_the_start(tmp_path: Path, url: str) -> None:
    given = {"CSP_WEB_DATA_DIR": str(tmp_path)}
    assert load({**given, "CSP_WEB_CLAMD_URL": "tcp://127.0.0.1:3310"}).clamd_url
    with pytest.raises(SettingsError, match="CSP_WEB_CLAMD_URL"):
        load({**given, "CSP_WEB_CLAMD_URL": url})
