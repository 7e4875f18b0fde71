"""Files in an S3-compatible store: Garage, SeaweedFS, RustFS, Ceph, AWS. Needs the extra ``s3`` (boto3).

What stores other than AWS's need is set: signature version 4, the bucket in the path, checksums only when required.
An object appears whole or not at all; a file of more than one part is sent part by part, so memory stays flat.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from csp_web.errors import Busy, StorageFull
from csp_web.i18n import gettext as _
from csp_web.services.files import BLOCK, KEY, BadKey, FileMissing, FileTooLarge, Readable, StoredFile

PART = 8 * 1024 * 1024  # bytes; 10,000 parts, the most that S3 takes, are 80 GiB
ATTEMPTS = 3
TRIES = 4  # reads of a body that breaks off
MISSING = {"404", "NoSuchKey", "NotFound"}
FULL = {"507", "InsufficientStorage", "QuotaExceeded", "StorageFull", "XMinioStorageFull"}
TIMEOUTS = {"connect_timeout": 5, "read_timeout": 30}  # seconds

log = logging.getLogger("csp_web.files")


@dataclass(frozen=True)
class S3Place:
    """Where objects lie. Without keys boto3 looks for them as it always does: environment, profile, machine's role."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)


class S3Store:
    """Objects ``<prefix>/<key>`` in a bucket. Every verb raises Busy where the store cannot be reached or refuses."""

    def __init__(self, place: S3Place) -> None:
        self._place = place

    def save(self, stream: Readable, *, max_bytes: int) -> StoredFile:
        """Store a stream, hashing it on the way, with at most one part in memory.

        Raises:
            FileTooLarge: there are more than ``max_bytes`` bytes; nothing is left behind.
            StorageFull: the store or its quota is full; nothing is left behind.
        """
        key = secrets.token_hex(16)
        source = _Parts(stream, max_bytes)
        self._send(key, source)
        return StoredFile(key, source.size, source.digest.hexdigest())

    def adopt(self, path: Path) -> StoredFile:
        """Store a file of this machine. Raises StorageFull."""
        with path.open("rb") as file:
            return self.save(file, max_bytes=path.stat().st_size)

    def put_back(self, key: str, stream: Readable) -> None:
        """Store a stream under the key that it had. Raises BadKey, StorageFull."""
        self._name(key)
        self._send(key, _Parts(stream, None))

    def open(self, key: str) -> BinaryIO:
        """Open for reading; positions are reached by ranges. Raises FileMissing, BadKey."""
        body = _Body(self._api(), {"Bucket": self._place.bucket, "Key": self._name(key)}, self.size(key))
        return cast("BinaryIO", io.BufferedReader(body, BLOCK))

    def size(self, key: str) -> int:
        """Bytes. Raises FileMissing, BadKey."""
        name = self._name(key)
        with _said(key):
            return int(self._api().head_object(Bucket=self._place.bucket, Key=name)["ContentLength"])

    def exists(self, key: str) -> bool:
        """Whether the object is there. Raises BadKey."""
        with suppress(FileMissing):
            self.size(key)
            return True
        return False

    def delete(self, key: str) -> None:
        """Remove the object; fine when it is gone already. Raises BadKey."""
        name = self._name(key)
        with _said(key):
            self._api().delete_object(Bucket=self._place.bucket, Key=name)

    def path(self, key: str) -> Path | None:
        """None: there is no file on this machine. Raises BadKey."""
        self._name(key)
        return None

    def address(self, key: str, *, disposition: str, seconds: int) -> str:
        """An address that gives the object to whoever has it, for so long, as a download. Raises BadKey."""
        asked = {
            "Bucket": self._place.bucket,
            "Key": self._name(key),
            "ResponseContentDisposition": disposition,
            "ResponseContentType": "application/octet-stream",
            "ResponseCacheControl": "private, no-store",
        }
        with _said(key):
            return str(self._api().generate_presigned_url("get_object", Params=asked, ExpiresIn=seconds))

    def origin(self) -> str:
        """Scheme and host of those addresses."""
        parts = urlsplit(self._api().meta.endpoint_url)
        return f"{parts.scheme}://{parts.netloc}"

    def keys_older_than(self, age: timedelta) -> Iterator[str]:
        """Keys of objects stored longer ago than ``age`` by the store's clock, in the order of their names."""
        before = _now() - age
        with _said():
            pages = self._api().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._place.bucket, Prefix=self._prefix):
                for each in page.get("Contents", ()):
                    key = each["Key"].removeprefix(self._prefix)
                    if KEY.fullmatch(key) and each["LastModified"] < before:
                        yield key

    def sweep_incoming(self, age: timedelta) -> int:
        """Abort uploads in parts that began longer ago than ``age`` and never ended; says how many."""
        before, swept = _now() - age, 0
        with _said():
            pages = self._api().get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._place.bucket, Prefix=self._prefix):
                for each in page.get("Uploads", ()):
                    if each["Initiated"] < before:
                        self._abort({"Bucket": self._place.bucket, "Key": each["Key"], "UploadId": each["UploadId"]})
                        swept += 1
        return swept

    # ------------------------------------------------------------ sending

    def _send(self, key: str, source: _Parts) -> None:
        where = {"Bucket": self._place.bucket, "Key": self._name(key)}
        with _said(key):
            if len(source.next()) < PART:
                self._api().put_object(**where, Body=source.part, ContentType="application/octet-stream")
            else:
                self._send_parts(where, source)
            self._prove(where, source.size)

    def _send_parts(self, where: dict[str, Any], source: _Parts) -> None:
        api = self._api()
        upload = api.create_multipart_upload(**where, ContentType="application/octet-stream")
        where = {**where, "UploadId": upload["UploadId"]}
        parts: list[dict[str, Any]] = []
        try:
            while source.part:
                number = len(parts) + 1
                sent = api.upload_part(**where, PartNumber=number, Body=source.part)
                parts.append({"PartNumber": number, "ETag": sent["ETag"]})
                source.next()
            api.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
        except BaseException:
            self._abort(where)
            raise

    def _abort(self, upload: dict[str, Any]) -> None:
        """Give up an upload in parts; where that fails too, the sweep does it a day later."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._api().abort_multipart_upload(**upload)
        except (BotoCoreError, ClientError) as error:
            log.warning("An upload in parts was not aborted: %s", error)

    def _prove(self, where: dict[str, Any], size: int) -> None:
        """The object that is there now has the size that was sent, or is deleted again."""
        found = int(self._api().head_object(**where)["ContentLength"])
        if found != size:
            self._api().delete_object(**where)
            log.error("The file store kept %s of %s bytes.", found, size)
            raise Busy(_("The file store did not keep the whole file. Nothing was saved; please try again."))

    # ------------------------------------------------------------ reaching it

    @property
    def _prefix(self) -> str:
        return f"{self._place.prefix}/" if self._place.prefix else ""

    def _name(self, key: str) -> str:
        if not KEY.fullmatch(key):
            raise BadKey("This is not the key of a stored file.")
        return self._prefix + key

    def _api(self) -> Any:
        place = self._place
        return client_of(os.getpid(), place.endpoint, place.region, place.access_key, place.secret_key)


@lru_cache(maxsize=4)
def client_of(_process: int, endpoint: str, region: str, access_key: str, secret_key: str) -> Any:
    """A client for all threads of a process: it takes a third of a second to make, and no fork may share its connections."""
    from boto3.session import Session
    from botocore.config import Config

    # Signed payloads: the store compares each part with its SHA-256, over plain HTTP and TLS alike.
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path", "payload_signing_enabled": True},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        **TIMEOUTS,
    )
    session = Session(
        aws_access_key_id=access_key or None,
        aws_secret_access_key=secret_key or None,
        region_name=region or None,
    )
    region = session.region_name or "us-east-1"  # what stores that have no regions expect
    return session.client("s3", endpoint_url=endpoint or None, region_name=region, config=config)


class _Parts:
    """A stream in parts of equal size, hashed and counted, one in memory. ``max_bytes`` None: without a limit."""

    def __init__(self, stream: Readable, max_bytes: int | None) -> None:
        self._stream, self._most = stream, max_bytes
        self.digest, self.size = hashlib.sha256(), 0
        self.part = bytearray()

    def next(self) -> bytearray:
        """Turn to the next part; it is empty at the end. Raises FileTooLarge."""
        part = self.part = bytearray()
        while len(part) < PART and (block := self._stream.read(min(BLOCK, PART - len(part)))):
            self.size += len(block)
            if self._most is not None and self.size > self._most:
                raise FileTooLarge(self._most)
            self.digest.update(block)
            part += block
        return part


class _Body(io.RawIOBase):
    """An object as a file. One request gives what is read in a row; a seek, or a break, begins another."""

    def __init__(self, api: Any, where: dict[str, str], size: int) -> None:
        super().__init__()
        self._api, self._where, self._size = api, where, size
        self._position = 0
        self._body: Any = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset != self._position:
            self._drop()
            self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position >= self._size:
            return 0
        with _said(self._where["Key"]):
            block = self._read(len(buffer))
        buffer[: len(block)] = block
        self._position += len(block)
        return len(block)

    def _read(self, most: int) -> bytes:
        from botocore.exceptions import HTTPClientError, IncompleteReadError

        for attempt in range(1, TRIES + 1):
            try:
                if block := self._opened().read(most):
                    return bytes(block)
            except (HTTPClientError, IncompleteReadError, OSError):
                if attempt == TRIES:
                    raise
            self._drop()
        raise Busy(_("The file store does not answer at the moment. Please try again."))

    def _opened(self) -> Any:
        if self._body is None:
            self._body = self._api.get_object(**self._where, Range=f"bytes={self._position}-")["Body"]
        return self._body

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def close(self) -> None:
        self._drop()
        super().close()


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _said(key: str = "") -> Iterator[None]:
    """Make what the store says a sentence; the log has the rest. Never what is signed or secret."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        if key and code in MISSING:
            raise FileMissing(f"There is no file {key} in the store.") from error
        log.error("The file store refused: %s", error)
        if {code, status} & FULL:
            raise StorageFull(_("The file store is full. Nothing was saved; tell your administrator.")) from error
        raise Busy(
            _("The file store refused the request (%(code)s). Tell your administrator.", code=code or status)
        ) from error
    except BotoCoreError as error:
        log.error("The file store cannot be reached: %s", error)
        raise Busy(_("The file store does not answer at the moment. Please try again.")) from error
