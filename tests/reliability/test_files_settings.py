"""Where files lie is a setting; what cannot work is refused at the start with a sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from csp_web import config
from csp_web.config import SettingsError, load
from csp_web.domain.upkeep import configured
from csp_web.services.files import DiskStore
from csp_web.services.s3_files import S3Store

S3 = {
    "CSP_WEB_FILES_URL": "s3://shop-files/one/",
    "CSP_WEB_S3_ENDPOINT": "https://s3.example.com",
    "CSP_WEB_S3_ACCESS_KEY": "GK31c2f218a2e44f485b94239e",
    "CSP_WEB_S3_SECRET_KEY": "b892c0665f0ada8a4755dae98baa3b133590e11dae3bcc1f9d769d67f16c3835",
}


def read(tmp_path: Path, **changed: str) -> config.Settings:
    return load({"CSP_WEB_DATA_DIR": str(tmp_path / "data"), **changed})


def test_files_lie_in_the_data_directory_or_where_the_setting_says(tmp_path: Path) -> None:
    for changed, folder in (
        ({}, tmp_path / "data" / "files"),
        ({"CSP_WEB_FILES_URL": f"file://{tmp_path}/some%20files"}, tmp_path / "some files"),
    ):
        settings = read(tmp_path, **changed)
        assert settings.files_dir == folder
        configured.configure(settings)
        store = configured.file_store()
        assert isinstance(store, DiskStore)
        assert store.root == folder


def test_an_s3_store_is_named_by_bucket_and_prefix_and_its_keys_may_lie_in_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(S3["CSP_WEB_S3_SECRET_KEY"] + "\n")
    given = {**S3, "CSP_WEB_S3_SECRET_KEY_FILE": str(tmp_path / "secret")}
    del given["CSP_WEB_S3_SECRET_KEY"]
    settings = read(tmp_path, **given)
    configured.configure(settings)
    store = configured.file_store()
    assert isinstance(store, S3Store)
    place = store._place
    assert (place.bucket, place.prefix, place.endpoint) == ("shop-files", "one", "https://s3.example.com")
    assert place.secret_key == S3["CSP_WEB_S3_SECRET_KEY"]
    assert store.origin() == "https://s3.example.com"
    for secret in (S3["CSP_WEB_S3_SECRET_KEY"], S3["CSP_WEB_S3_ACCESS_KEY"]):
        assert secret not in repr(settings)


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"CSP_WEB_FILES_URL": "ftp://host/files"}, "CSP_WEB_FILES_URL"),
        ({"CSP_WEB_FILES_URL": "s3://"}, "CSP_WEB_FILES_URL"),
        ({"CSP_WEB_FILES_URL": "s3://Bucket?x=1"}, "CSP_WEB_FILES_URL"),
        ({"CSP_WEB_S3_ENDPOINT": "s3.example.com"}, "CSP_WEB_S3_ENDPOINT"),
        ({"CSP_WEB_S3_SECRET_KEY": ""}, "CSP_WEB_S3_ACCESS_KEY"),
        ({"CSP_WEB_OFFLOAD": "x-accel-redirect"}, "CSP_WEB_OFFLOAD"),
    ],
)
def test_what_cannot_work_stops_the_start(tmp_path: Path, changed: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read(tmp_path, **{**S3, **changed})


def test_a_missing_boto3_is_said_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="boto3"):
        read(tmp_path, **S3)
