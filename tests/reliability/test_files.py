"""Files are stored whole, flushed and under a name of their own, or not at all."""

from __future__ import annotations

import errno
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

from csp_web.services.files import BadKey, DiskStore, FileStore, StorageFull

MIB = 1024 * 1024


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "files")


def everything_in(store: DiskStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


def test_the_disk_store_is_a_file_store(store: DiskStore) -> None:
    general: FileStore = store
    assert general.exists("0" * 32) is False


def test_names_are_random_and_spread_over_two_levels_of_folders(store: DiskStore) -> None:
    first, second = (store.save(io.BytesIO(b"same"), max_bytes=4) for _ in range(2))
    assert first.key != second.key
    for stored in (first, second):
        place = store.path(stored.key).relative_to(store.root)
        assert place.parts == (stored.key[:2], stored.key[2:4], stored.key)


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


@given(st.text(max_size=40))
def test_no_text_leads_out_of_the_store(key: str) -> None:
    store = DiskStore("files")
    try:
        place = store.path(key)
    except BadKey:
        return
    assert place == Path("files") / key[:2] / key[2:4] / key
    assert ".." not in place.parts


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
