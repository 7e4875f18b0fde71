"""What the domain knows of the settings: secrets, limits, where files lie. Given once per process, at start."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import url2pathname

from csp_web.config import Settings
from csp_web.domain import vault
from csp_web.services.files import DiskStore, FileStore

_settings: Settings | None = None
_store: FileStore | None = None


def configure(settings: Settings) -> None:
    """Take the settings of an installation: in the application and in every command, after a fork."""
    global _settings, _store
    _settings = settings
    _store = DiskStore(url2pathname(urlsplit(settings.files_url).path))
    vault.configure(settings)


def settings() -> Settings:
    """The settings in force."""
    if _settings is None:
        raise RuntimeError("configured.configure() was not called at start")
    return _settings


def file_store() -> FileStore:
    """Where files lie."""
    if _store is None:
        raise RuntimeError("configured.configure() was not called at start")
    return _store
