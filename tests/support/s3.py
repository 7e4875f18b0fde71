"""An S3 store for tests: moto's server as a process of its own, reached over HTTP like any other."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from csp_web.config import Settings
from csp_web.domain.upkeep import configured
from csp_web.services import s3_files
from csp_web.services.files import FileStore
from csp_web.services.s3_files import S3Place, S3Store
from tests.support.live import free_port

START_SECONDS = 60
BUCKET, KEYS = "files-of-tests", ("tests", "tests-secret")


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running store, started for the first test that asks."""
    port = free_port()
    log = tmp_path_factory.mktemp("s3") / "server.log"
    plain = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    with log.open("wb") as output:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=plain)
        try:
            _wait(server, port, log)
            client_of(S3Place(BUCKET, "", f"http://127.0.0.1:{port}", "", *KEYS)).create_bucket(Bucket=BUCKET)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/moto-api/data.json")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    pytest.fail(f"moto's server does not answer:\n{log.read_text()}")


@pytest.fixture
def s3_place(s3_endpoint: str) -> S3Place:
    """A prefix that only this test uses."""
    return S3Place(BUCKET, f"{uuid.uuid4().hex}/one", s3_endpoint, "", *KEYS)


@pytest.fixture
def s3_settings(settings: Settings, s3_place: S3Place) -> Settings:
    """An installation of this test whose files are in the store."""
    url = f"s3://{s3_place.bucket}/{s3_place.prefix}"
    access, secret = s3_place.access_key, s3_place.secret_key
    return replace(settings, files_url=url, s3_endpoint=s3_place.endpoint, s3_access_key=access, s3_secret_key=secret)


@pytest.fixture(name="s3_files")
def s3_files_of_test(s3_settings: Settings, database: None) -> FileStore:
    """The store of this test's installation: ask for it before what stores files."""
    configured.configure(s3_settings)
    return configured.file_store()


def client_of(place: S3Place) -> Any:
    """The store as its owner sees it."""
    return s3_files.client_of(os.getpid(), place.endpoint, "", *KEYS)


def everything_in_bucket(store: S3Store) -> list[str]:
    """Names of the test's objects, and of its uploads that have not ended, without the test's own prefix."""
    place = store._place
    own = place.prefix.removesuffix("one")
    api, where = client_of(place), {"Bucket": place.bucket, "Prefix": own}
    objects = api.list_objects_v2(**where).get("Contents", [])
    uploads = api.list_multipart_uploads(**where).get("Uploads", [])
    names = [each["Key"] for each in objects], [each["Key"] for each in uploads]
    return sorted(
        [*(key.removeprefix(own) for key in names[0]), *("upload " + key.removeprefix(own) for key in names[1])]
    )


def fetch(address: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """GET an address like a browser would: status, headers by their small names, body."""
    parts = urlsplit(address)
    connection = HTTPConnection(str(parts.hostname), int(parts.port or 80), timeout=20)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()
    finally:
        connection.close()
