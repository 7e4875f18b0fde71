"""Files are stored whole, flushed and under a name of their own, or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import resource
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp_web.services.files import BadKey, DiskStore, FileMissing, FileStore, FileTooLarge, StorageFull

MIB = 1024 * 1024


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "files")


def everything_in(store: DiskStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


def test_a_file_comes_back_as_it_went_in(store: DiskStore) -> None:
    content = os.urandom(3 * MIB + 17)
    stored = store.save(io.BytesIO(content), max_bytes=len(content))
    assert stored.size == len(content) == store.size(stored.key)
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    with store.open(stored.key) as file:
        assert file.read() == content


def test_the_disk_store_is_a_file_store(store: DiskStore) -> None:
    general: FileStore = store
    assert general.exists("0" * 32) is False


def test_names_are_random_and_spread_over_two_levels_of_folders(store: DiskStore) -> None:
    first, second = (store.save(io.BytesIO(b"same"), max_bytes=4) for _ in range(2))
    assert first.key != second.key
    for stored in (first, second):
        place = store.path(stored.key).relative_to(store.root)
        assert place.parts == (stored.key[:2], stored.key[2:4], stored.key)


def test_an_empty_file_is_a_file(store: DiskStore) -> None:
    stored = store.save(io.BytesIO(b""), max_bytes=0)
    assert (stored.size, stored.sha256) == (0, hashlib.sha256(b"").hexdigest())
    assert store.exists(stored.key)


@pytest.mark.parametrize("excess", [1, 2 * MIB])
def test_a_file_over_the_limit_is_refused_and_leaves_nothing(store: DiskStore, excess: int) -> None:
    with pytest.raises(FileTooLarge) as refusal:
        store.save(io.BytesIO(bytes(MIB + excess)), max_bytes=MIB)
    assert refusal.value.limit == MIB
    assert everything_in(store) == []


class EndlessStream:
    """Gives bytes for ever and remembers how many were asked for."""

    given = 0

    def read(self, size: int, /) -> bytes:
        self.given += size
        return bytes(size)


def test_a_stream_without_an_end_is_read_only_up_to_the_limit(store: DiskStore) -> None:
    stream = EndlessStream()
    with pytest.raises(FileTooLarge):
        store.save(stream, max_bytes=4 * MIB)
    assert stream.given <= 5 * MIB


class BrokenStream:
    """An upload whose client goes away after the first block."""

    def __init__(self) -> None:
        self._blocks = [bytes(MIB)]

    def read(self, size: int, /) -> bytes:
        if self._blocks:
            return self._blocks.pop()
        raise ConnectionResetError("gone")


def test_an_upload_that_breaks_off_leaves_nothing(store: DiskStore) -> None:
    with pytest.raises(ConnectionResetError):
        store.save(BrokenStream(), max_bytes=10 * MIB)
    assert everything_in(store) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "mkdir"])
def test_a_full_disk_is_said_as_such_and_leaves_nothing(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    store.save(io.BytesIO(b"first"), max_bytes=5)
    before = everything_in(store)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(StorageFull, match="full"):
        store.save(io.BytesIO(b"second"), max_bytes=6)
    assert everything_in(store) == before


FILL = """
import io, signal, sys
from csp_web.services.files import DiskStore, StorageFull
try:
    DiskStore(sys.argv[1]).save(io.BytesIO(bytes(3 << 20)), max_bytes=4 << 20)
except StorageFull:
    print("full")
"""


def test_when_the_system_itself_takes_no_more_bytes_nothing_is_left(store: DiskStore) -> None:
    """A real refusal in the middle of the file, after a part of the block was written."""
    limit = MIB + MIB // 2
    said = subprocess.run(
        [sys.executable, "-c", FILL, str(store.root)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stdout.strip() == "full"
    assert everything_in(store) == []


def test_other_errors_of_the_disk_are_not_called_full(store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="broken"):
        store.save(io.BytesIO(b"x"), max_bytes=1)
    assert everything_in(store) == []


def test_the_file_is_flushed_before_it_gets_its_name_and_the_folder_after(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def flush(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def name(self: Path, target: Path) -> Path:
        steps.append("name")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(Path, "rename", name)
    store.save(io.BytesIO(b"x"), max_bytes=1)
    assert steps[0] == "file"
    assert steps.index("name") > steps.index("file")
    assert steps[-1] == "folder"


@pytest.mark.parametrize(
    "key",
    ["", "..", "../../etc/passwd", "/etc/passwd", "a" * 31, "a" * 33, "A" * 32, "g" * 32, "a" * 32 + "\n", "a\0" * 16],
)
def test_only_keys_of_the_store_reach_the_disk(store: DiskStore, key: str) -> None:
    for act in (store.open, store.size, store.exists, store.delete, store.path):
        with pytest.raises(BadKey):
            act(key)


@given(st.text(max_size=40))
def test_no_text_leads_out_of_the_store(key: str) -> None:
    store = DiskStore("files")
    try:
        place = store.path(key)
    except BadKey:
        return
    assert place == Path("files") / key[:2] / key[2:4] / key
    assert ".." not in place.parts


def test_a_missing_file_is_said_to_be_missing(store: DiskStore) -> None:
    for act in (store.open, store.size):
        with pytest.raises(FileMissing):
            act("0" * 32)


def test_deleting_twice_is_fine(store: DiskStore) -> None:
    stored = store.save(io.BytesIO(b"x"), max_bytes=1)
    store.delete(stored.key)
    store.delete(stored.key)
    assert not store.exists(stored.key)


def age(path: Path, seconds: int) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_the_sweep_sees_only_files_older_than_asked(store: DiskStore) -> None:
    old, young = (store.save(io.BytesIO(b"x"), max_bytes=1) for _ in range(2))
    age(store.path(old.key), 7200)
    (store.path(young.key).parent / "README").write_text("not a stored file")
    assert list(store.keys_older_than(timedelta(hours=1))) == [old.key]
    assert sorted(store.keys_older_than(timedelta(seconds=-60))) == sorted([old.key, young.key])


def test_what_a_crash_left_half_written_is_swept(store: DiskStore) -> None:
    store.save(io.BytesIO(b"x"), max_bytes=1)
    crashed, running = store.root / "incoming" / "crashed", store.root / "incoming" / "running"
    crashed.write_bytes(b"half")
    running.write_bytes(b"half")
    age(crashed, 7200)
    assert store.sweep_incoming(timedelta(hours=1)) == 1
    assert not crashed.exists()
    assert running.exists()


def test_others_on_the_machine_cannot_read_the_files(store: DiskStore) -> None:
    stored = store.save(io.BytesIO(b"x"), max_bytes=1)
    place = store.path(stored.key)
    assert stat.S_IMODE(place.stat().st_mode) & 0o027 == 0
    assert stat.S_IMODE(place.parent.stat().st_mode) & 0o007 == 0
