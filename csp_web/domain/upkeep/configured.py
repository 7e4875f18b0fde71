"""What the domain knows of the settings: secrets, limits, where files lie. Given once per process, at start."""

from __future__ import annotations

from csp_web.config import Settings
from csp_web.domain.stock import vault
from csp_web.services.antivirus import Clamd
from csp_web.services.files import DiskStore, FileStore

_settings: Settings | None = None
_store: FileStore | None = None


def configure(settings: Settings) -> None:
    """Take the settings of an installation: in the application and in every command, after a fork."""
    global _settings, _store
    _settings = settings
    _store = _store_of(settings)
    vault.configure(settings)


def _store_of(settings: Settings) -> FileStore:
    if not settings.files_in_s3:
        return DiskStore(settings.files_dir)
    from csp_web.services.s3_files import S3Place, S3Store

    bucket, _slash, prefix = settings.files_url.removeprefix("s3://").partition("/")
    access = (settings.s3_access_key, settings.s3_secret_key)
    return S3Store(S3Place(bucket, prefix.strip("/"), settings.s3_endpoint, settings.s3_region, *access))


def settings() -> Settings:
    """The settings in force."""
    if _settings is None:
        raise RuntimeError("configured.configure() was not called at start")
    return _settings


def scanner() -> Clamd | None:
    """The virus scanner, where the installation has one."""
    return Clamd(settings().clamd_url) if settings().clamd_url else None


def file_store() -> FileStore:
    """Where files lie."""
    if _store is None:
        raise RuntimeError("configured.configure() was not called at start")
    return _store
