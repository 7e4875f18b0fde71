"""What every kind of storage does: the same tests for the disk and for an S3-compatible store over HTTP.

What only the disk does is in test_files.py, what only S3 does in test_s3_files.py.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from csp_web.services import s3_files
from csp_web.services.files import BadKey, DiskStore, FileMissing, FileStore, FileTooLarge
from csp_web.services.s3_files import PART, S3Store
from tests.support.s3 import everything_in_bucket

MIB = 1024 * 1024


@dataclass
class OneStore:
    """A store, and what the tests have to know of it beside its interface."""

    files: Any
    monkeypatch: pytest.MonkeyPatch

    def everything(self) -> list[Any]:
        """Every trace of a file, also of one that was cut off."""
        if isinstance(self.files, DiskStore):
            return [path for path in self.files.root.rglob("*") if path.is_file()]
        return everything_in_bucket(self.files)

    def age(self, key: str, seconds: int) -> None:
        """Let time pass for a file (on the disk) or for all of them."""
        if isinstance(self.files, DiskStore):
            then = time.time() - seconds
            os.utime(self.files.path(key), (then, then))
        else:
            later = s3_files._now() + timedelta(seconds=seconds)
            self.monkeypatch.setattr(s3_files, "_now", lambda: later)


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OneStore:
    if request.param == "disk":
        return OneStore(DiskStore(tmp_path / "files"), monkeypatch)
    return OneStore(S3Store(request.getfixturevalue("s3_place")), monkeypatch)


@pytest.mark.parametrize("size", [3 * MIB + 17, PART, PART + 1])
def test_a_file_comes_back_as_it_went_in(store: OneStore, size: int) -> None:
    content = os.urandom(size)
    files: FileStore = store.files
    stored = files.save(io.BytesIO(content), max_bytes=size)
    assert stored.size == size == files.size(stored.key)
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    with files.open(stored.key) as file:
        assert file.read() == content
    assert len(store.everything()) == 1


def test_a_file_is_read_from_any_place(store: OneStore) -> None:
    content = os.urandom(2 * MIB + 9)
    stored = store.files.save(io.BytesIO(content), max_bytes=len(content))
    with store.files.open(stored.key) as file:
        for start, wanted in ((MIB + 3, 20), (0, 5), (len(content) - 4, 100), (7, MIB + 100)):
            assert file.seek(start) == start
            assert file.read(wanted) == content[start : start + wanted]
        assert file.seek(0, io.SEEK_END) == len(content)
        assert file.read(1) == b""


def test_two_files_of_the_same_content_have_names_of_their_own(store: OneStore) -> None:
    first, second = (store.files.save(io.BytesIO(b"same"), max_bytes=4) for _ in range(2))
    assert first.key != second.key
    assert first.sha256 == second.sha256


def test_an_empty_file_is_a_file(store: OneStore) -> None:
    stored = store.files.save(io.BytesIO(b""), max_bytes=0)
    assert (stored.size, stored.sha256) == (0, hashlib.sha256(b"").hexdigest())
    assert store.files.exists(stored.key)
    with store.files.open(stored.key) as file:
        assert file.read() == b""


@pytest.mark.parametrize(("limit", "excess"), [(MIB, 1), (MIB, 2 * MIB), (PART + MIB, 1)])
def test_a_file_over_the_limit_is_refused_and_leaves_nothing(store: OneStore, limit: int, excess: int) -> None:
    with pytest.raises(FileTooLarge) as refusal:
        store.files.save(io.BytesIO(bytes(limit + excess)), max_bytes=limit)
    assert refusal.value.limit == limit
    assert store.everything() == []


class EndlessStream:
    """Gives bytes for ever and remembers how many were asked for."""

    given = 0

    def read(self, size: int, /) -> bytes:
        self.given += size
        return bytes(size)


def test_a_stream_without_an_end_is_read_only_up_to_the_limit(store: OneStore) -> None:
    stream = EndlessStream()
    with pytest.raises(FileTooLarge):
        store.files.save(stream, max_bytes=4 * MIB)
    assert stream.given <= 5 * MIB


class BrokenStream:
    """An upload whose client goes away after so many blocks of a MiB."""

    def __init__(self, blocks: int) -> None:
        self._blocks = [bytes(MIB)] * blocks

    def read(self, size: int, /) -> bytes:
        if self._blocks:
            return self._blocks.pop()
        raise ConnectionResetError("gone")


@pytest.mark.parametrize("blocks", [1, 9])
def test_an_upload_that_breaks_off_leaves_nothing(store: OneStore, blocks: int) -> None:
    with pytest.raises(ConnectionResetError):
        store.files.save(BrokenStream(blocks), max_bytes=10 * MIB)
    assert store.everything() == []


@pytest.mark.parametrize(
    "key",
    ["", "..", "../../etc/passwd", "/etc/passwd", "a" * 31, "a" * 33, "A" * 32, "g" * 32, "a" * 32 + "\n", "a\0" * 16],
)
def test_only_keys_of_the_store_reach_it(store: OneStore, key: str) -> None:
    files = store.files
    for act in (files.open, files.size, files.exists, files.delete, files.path):
        with pytest.raises(BadKey):
            act(key)
    with pytest.raises(BadKey):
        files.put_back(key, io.BytesIO(b"x"))


def test_a_missing_file_is_said_to_be_missing(store: OneStore) -> None:
    assert store.files.exists("0" * 32) is False
    for act in (store.files.open, store.files.size):
        with pytest.raises(FileMissing):
            act("0" * 32)


def test_deleting_twice_is_fine(store: OneStore) -> None:
    stored = store.files.save(io.BytesIO(b"x"), max_bytes=1)
    store.files.delete(stored.key)
    store.files.delete(stored.key)
    assert not store.files.exists(stored.key)
    assert store.everything() == []


def test_b14_a_file_is_put_back_under_its_key_also_twice(store: OneStore) -> None:
    key = "0a" * 16
    for content in (b"half", b"the whole file"):
        store.files.put_back(key, io.BytesIO(content))
    with store.files.open(key) as file:
        assert file.read() == b"the whole file"
    assert len(store.everything()) == 1


@pytest.mark.parametrize("size", [5, PART + 1])
def test_a_file_of_this_machine_is_taken_over_with_its_sum_and_stays_where_it_is(
    store: OneStore, tmp_path: Path, size: int
) -> None:
    content, place = os.urandom(size), tmp_path / "whole"
    place.write_bytes(content)
    stored = store.files.adopt(place)
    assert (stored.size, stored.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert place.read_bytes() == content
    place.unlink()
    with store.files.open(stored.key) as file:
        assert file.read() == content
    assert len(store.everything()) == 1


def test_a_file_on_another_disk_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def elsewhere(*_places: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    store, place = DiskStore(tmp_path / "files"), tmp_path / "whole"
    place.write_bytes(b"content")
    linked = store.adopt(place)
    assert store.path(linked.key).samefile(place)
    monkeypatch.setattr(os, "link", elsewhere)
    copied = store.adopt(place)
    assert not store.path(copied.key).samefile(place)
    assert (copied.size, copied.sha256) == (linked.size, linked.sha256)
    assert store.path(copied.key).read_bytes() == b"content"


def test_the_sweep_sees_only_files_older_than_asked(store: OneStore) -> None:
    keys = sorted(store.files.save(io.BytesIO(b"x"), max_bytes=1).key for _ in range(2))
    assert list(store.files.keys_older_than(timedelta(hours=1))) == []
    assert list(store.files.keys_older_than(timedelta(seconds=-60))) == keys
    for key in keys:
        store.age(key, 7200)
    assert list(store.files.keys_older_than(timedelta(hours=1))) == keys
