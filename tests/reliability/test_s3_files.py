"""What only an S3-compatible store does: signed addresses, uploads in parts, sentences for what it refuses."""

from __future__ import annotations

import hashlib
import io
import os
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from csp_web.errors import Busy, StorageFull
from csp_web.services import s3_files
from csp_web.services.s3_files import PART, S3Place, S3Store
from tests.support.live import free_port
from tests.support.s3 import client_of, everything_in_bucket, fetch

MIB = 1024 * 1024


@pytest.fixture
def store(s3_place: S3Place) -> S3Store:
    return S3Store(s3_place)


def test_objects_lie_under_the_prefix_and_others_are_left_alone(store: S3Store, s3_place: S3Place) -> None:
    stored = store.save(io.BytesIO(b"x"), max_bytes=1)
    client_of(s3_place).put_object(
        Bucket=s3_place.bucket, Key=s3_place.prefix[:-3] + "two/" + "0" * 32, Body=b"of somebody else"
    )
    client_of(s3_place).put_object(Bucket=s3_place.bucket, Key=s3_place.prefix + "/README", Body=b"not a stored file")
    assert f"one/{stored.key}" in everything_in_bucket(store)
    assert list(store.keys_older_than(timedelta(seconds=-60))) == [stored.key]
    assert store.path(stored.key) is None


def test_a_signed_address_gives_the_file_as_a_download_and_in_ranges(store: S3Store) -> None:
    content = os.urandom(1000)
    key = store.save(io.BytesIO(content), max_bytes=1000).key
    address = store.address(key, disposition='attachment; filename="setup.iso"', seconds=60)
    status, headers, body = fetch(address)
    assert (status, body) == (200, content)
    assert headers["content-disposition"] == 'attachment; filename="setup.iso"'
    assert headers["content-type"] == "application/octet-stream"
    status, headers, body = fetch(address, Range="bytes=10-19")
    assert (status, body) == (206, content[10:20])
    assert "tests-secret" not in address


def test_uploads_in_parts_that_a_crash_cut_off_are_swept(store: S3Store, s3_place: S3Place) -> None:
    """moto says of every upload that it began in 2010, so the young one is told by a longer age."""
    name = "one/" + "0" * 32
    client_of(s3_place).create_multipart_upload(Bucket=s3_place.bucket, Key=f"{s3_place.prefix}/{'0' * 32}")
    assert store.sweep_incoming(timedelta(days=365 * 500)) == 0
    assert everything_in_bucket(store) == ["upload " + name]
    assert store.sweep_incoming(timedelta(days=1)) == 1
    assert everything_in_bucket(store) == []


class Zeros:
    """A stream of so many bytes that lie nowhere."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int, /) -> bytes:
        block = bytes(min(size, self.left))
        self.left -= len(block)
        return block


def test_a_file_of_several_parts_is_whole_and_is_read_across_their_borders(
    store: S3Store, s3_place: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file of more than 5 GB is sent, with the smallest parts that stores take."""
    monkeypatch.setattr(s3_files, "PART", 5 * MIB)
    content = os.urandom(10 * MIB + 123)
    stored = store.save(io.BytesIO(content), max_bytes=len(content))
    assert (stored.size, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    found = client_of(s3_place).head_object(Bucket=s3_place.bucket, Key=f"{s3_place.prefix}/{stored.key}")
    assert found["ETag"].strip('"').endswith("-3")
    address = store.address(stored.key, disposition="attachment", seconds=60)
    for asked, expected in (
        (f"bytes={5 * MIB - 2}-{5 * MIB + 1}", content[5 * MIB - 2 : 5 * MIB + 2]),
        ("bytes=-125", content[-125:]),
    ):
        assert fetch(address, Range=asked)[::2] == (206, expected)
    with store.open(stored.key) as file:
        assert file.read() == content


def test_memory_stays_flat_whatever_the_size(store: S3Store) -> None:
    size = 4 * PART
    store.save(io.BytesIO(b"x"), max_bytes=1)  # the client itself is made before
    tracemalloc.start()
    try:
        store.save(Zeros(size), max_bytes=size)
        assert tracemalloc.get_traced_memory()[1] < 2 * PART + 4 * MIB
    finally:
        tracemalloc.stop()


def test_a_file_that_arrived_short_is_not_taken(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    api = store._api()
    put = api.put_object
    monkeypatch.setattr(api, "put_object", lambda **given: put(**{**given, "Body": given["Body"][:-1]}))
    with pytest.raises(Busy, match="whole file"):
        store.save(io.BytesIO(b"some bytes"), max_bytes=100)
    assert everything_in_bucket(store) == []


def test_reading_goes_on_after_the_store_closed_the_connection(store: S3Store) -> None:
    content = os.urandom(3 * MIB)
    key = store.save(io.BytesIO(content), max_bytes=len(content)).key
    with store.open(key) as file:
        raw: Any = file.raw  # type: ignore[attr-defined]
        assert file.read(10) == content[:10]
        raw._body._raw_stream.close()
        assert file.read() == content[10:]


@pytest.mark.parametrize(
    ("status", "code", "error", "words"),
    [
        (507, "InsufficientStorage", StorageFull, "full"),
        (403, "QuotaExceeded", StorageFull, "full"),
        (403, "AccessDenied", Busy, "AccessDenied"),
        (404, "NoSuchBucket", Busy, "NoSuchBucket"),
        (500, "InternalError", Busy, "InternalError"),
    ],
)
def test_b6_what_the_store_refuses_is_a_sentence(
    store: S3Store, status: int, code: str, error: type[Exception], words: str
) -> None:
    with Stubber(store._api()) as stub:
        stub.add_client_error("put_object", service_error_code=code, http_status_code=status)
        with pytest.raises(error, match=words):
            store.save(io.BytesIO(b"x"), max_bytes=1)


def test_f20_a_store_that_cannot_be_reached_is_a_sentence(s3_place: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_files, "ATTEMPTS", 1)
    store = S3Store(replace(s3_place, endpoint=f"http://127.0.0.1:{free_port()}"))
    for act in (lambda: store.save(io.BytesIO(b"x"), max_bytes=1), lambda: list(store.keys_older_than(timedelta(0)))):
        with pytest.raises(Busy, match="does not answer") as refusal:
            act()
        assert refusal.value.status == 503


def test_the_secret_is_in_no_picture_of_the_settings(s3_place: S3Place) -> None:
    assert "tests-secret" not in repr(s3_place)
