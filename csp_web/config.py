"""Settings: from the environment or a file, typed. A bad or unknown ``CSP_WEB_*`` stops the start with a sentence."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "CSP_WEB_"
ROOT = Path(__file__).resolve().parent.parent
KEYS_FILE = "keys-key"  # in the data directory: the secrets of product keys, the one in use first


class SettingsError(ValueError):
    """A setting that cannot be used; the sentence names it."""


@dataclass(frozen=True)
class Settings:
    """Everything an installation can decide. Sizes are bytes, times seconds unless the name says otherwise."""

    data_dir: Path = Path("instance")
    database_url: str = ""
    files_url: str = ""  # file:///path or s3://bucket/prefix
    s3_endpoint: str = ""  # address of a store that is not AWS's
    s3_region: str = ""
    s3_access_key: str = field(default="", repr=False)
    s3_secret_key: str = field(default="", repr=False)
    public_url: str = "http://127.0.0.1:8000"
    site_name: str = "CSP Web"
    secret_key: str = field(default="", repr=False)
    keys_key: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    mail_from: str = "csp-web@localhost"
    languages: tuple[str, ...] = ("en", "ru")
    trusted_proxies: tuple[str, ...] = ()  # addresses and networks of the reverse proxies in front
    trusted_hosts: tuple[str, ...] = ()
    processes: int = 0  # 0: as many as the machine has cores
    threads: int = 2
    session_hours: int = 12
    session_idle_minutes: int = 120
    confirm_minutes: int = 5  # for so long after the password was typed a key may be shown
    show_key_quota: int = 50  # keys that one person may show in a day (UTC)
    link_mail_quota: int = 200  # links that one person may send by mail in a day (UTC)
    link_days: int = 14
    link_downloads: int = 50
    max_upload_mb: int = 25
    max_uploads: int = 10
    max_ticket_mb: int = 100
    clamd_url: str = ""  # tcp://host:port or unix:///path of a virus scanner
    offload: str = ""  # x-accel-redirect or x-sendfile: let the server in front send files
    offload_prefix: str = "/_files/"
    style_guide: bool = False  # for developers: /styleguide shows every part of the interface

    @property
    def root(self) -> Path:
        """Where templates, static files and migrations are."""
        return ROOT

    @property
    def files_dir(self) -> Path:
        """The folder of the disk store. Raises ValueError where files are in an S3 store."""
        if not self.files_url:
            return self.data_dir / "files"
        if self.files_in_s3:
            raise ValueError("Files are not on a disk of this machine.")
        return Path(url2pathname(urlsplit(self.files_url).path))

    @property
    def files_in_s3(self) -> bool:
        """Whether files are in an S3-compatible store."""
        return self.files_url.startswith("s3://")

    @property
    def https(self) -> bool:
        """Whether people reach the site by HTTPS: cookies are then sent over it alone."""
        return self.public_url.startswith("https://")


def load(environ: Mapping[str, str] | None = None, *, make_secrets: bool = True) -> Settings:
    """Read the settings from the environment and, below it, from the file that ``CSP_WEB_CONFIG_FILE`` names.

    Secrets that are not given are made once and kept in the data directory with mode 0600; without ``make_secrets``
    those that there are not stay empty.

    Raises:
        SettingsError: a sentence that names the setting and says what it should be.
    """
    given = dict(os.environ if environ is None else environ)
    values = _from_file(given.pop(PREFIX + "CONFIG_FILE", ""))
    values |= {name: text for name, text in given.items() if name.startswith(PREFIX)}
    values.pop(PREFIX + "TEST_DATABASE", None)
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    read: dict[str, Any] = {}
    for name, text in values.items():
        plain = name.removesuffix("_FILE")
        if name not in known and not (plain != name and plain in _SECRETS):
            raise SettingsError(f"{name} is not a setting of this version.{_nearest(name, known)}")
        value = text if name in known else _read_secret(name, text)
        setting = known[name if name in known else plain]
        read[setting.name] = _parse(name, value, setting.name)
    return complete(Settings(**read), make_secrets=make_secrets)


_SECRETS = {
    PREFIX + name for name in ("SECRET_KEY", "KEYS_KEY", "SMTP_URL", "DATABASE_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY")
}
_COUNTS = {
    "processes": (0, 256),
    "threads": (1, 64),
    "session_hours": (1, 720),
    "session_idle_minutes": (5, 43200),
    "confirm_minutes": (1, 60),
    "show_key_quota": (1, 100_000),
    "link_mail_quota": (1, 100_000),
    "link_days": (1, 365),
    "link_downloads": (1, 100_000),
    "max_upload_mb": (1, 4096),
    "max_uploads": (0, 100),
    "max_ticket_mb": (1, 65536),
}


def complete(settings: Settings, *, make_secrets: bool = True) -> Settings:
    """Fill in what follows from the rest: the data directory, the database in it, secrets."""
    _refuse_half_s3(settings)
    directory = settings.data_dir.expanduser().absolute()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"CSP_WEB_DATA_DIR: {directory} cannot be made: {error.strerror}.") from error
    return Settings(
        **{
            **{f.name: getattr(settings, f.name) for f in fields(Settings)},
            "data_dir": directory,
            "database_url": settings.database_url or f"sqlite:///{directory / 'csp-web.sqlite3'}",
            "files_url": settings.files_url or (directory / "files").as_uri(),
            "secret_key": settings.secret_key or _kept_secret(directory / "secret-key", make_secrets),
            "keys_key": settings.keys_key or _kept_secret(directory / KEYS_FILE, make_secrets),
        }
    )


def _kept_secret(path: Path, make: bool) -> str:
    """Read a secret of this installation; make it on the first start. Two starts at once agree on one."""
    if not make and not path.exists():
        return ""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _wait_for_secret(path)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    return path.read_text().strip()


def _wait_for_secret(path: Path) -> str:
    import time

    for _attempt in range(50):
        if text := path.read_text().strip():
            return text
        time.sleep(0.02)
    raise SettingsError(f"{path} is empty. Restore it from a backup: without it stored keys cannot be read.")


def _from_file(name: str) -> dict[str, str]:
    if not name:
        return {}
    values: dict[str, str] = {}
    try:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SettingsError(f"CSP_WEB_CONFIG_FILE: {name} cannot be read: {error.strerror}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip().startswith(PREFIX):
            raise SettingsError(f"{name}, line {number}: a line is CSP_WEB_NAME=value.")
        values[key.strip()] = value.strip().strip("\"'")
    return values


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}: {path} cannot be read: {error.strerror}.") from error


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    return f" Did you mean {near[0]}?" if near else ""


def _parse(name: str, text: str, key: str) -> Any:
    if key == "data_dir":
        return Path(text)
    if key in _COUNTS:
        return _count(name, text, *_COUNTS[key])
    check = _CHECKS.get(key)
    return check(name, text) if check else text


def _count(name: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise SettingsError(f"{name} is {text!r}; it takes a whole number from {low} to {high}.")
    return int(text)


def _public_url(name: str, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise SettingsError(f"{name} is {text!r}; it takes an address like https://csp.example.com.")
    return text.rstrip("/")


def _database_url(name: str, text: str) -> str:
    try:
        backend = make_url(text).drivername
    except ArgumentError as error:
        raise SettingsError(f"{name} is not a database address.") from error
    if backend not in {"sqlite", "postgresql+psycopg"}:
        raise SettingsError(f"{name} starts with {backend!r}; it takes sqlite:///… or postgresql+psycopg://….")
    return text


def _files_url(name: str, text: str) -> str:
    disk = urlsplit(text).scheme == "file" and urlsplit(text).path.startswith("/")
    if not disk and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?", text):
        raise SettingsError(f"{name} is {text!r}; it takes file:///path or s3://bucket/prefix.")
    return text.rstrip("/") if not disk else text


def _s3_endpoint(name: str, text: str) -> str:
    return _public_url(name, text) if text else ""


def _refuse_half_s3(settings: Settings) -> None:
    """What belongs together is given together."""
    if bool(settings.s3_access_key) != bool(settings.s3_secret_key):
        raise SettingsError("CSP_WEB_S3_ACCESS_KEY and CSP_WEB_S3_SECRET_KEY are given together or not at all.")
    if settings.files_in_s3 and settings.offload:
        raise SettingsError(
            "CSP_WEB_OFFLOAD sends files of this machine; those of an S3 store are fetched from there. Leave it empty."
        )
    if settings.files_in_s3 and find_spec("boto3") is None:
        raise SettingsError("CSP_WEB_FILES_URL names an S3 store, which needs boto3: pip install 'csp-web[s3]'.")


def _secret(name: str, text: str) -> str:
    if len(text) < 32:
        raise SettingsError(f"{name} is too short; it takes at least 32 random characters.")
    return text


def _ring(name: str, text: str) -> str:
    """Several secrets of product keys, the one in use first, while keys are moved from one to the next."""
    for secret in text.replace(",", " ").split() or [""]:
        _secret(name, secret)
    return text


def _smtp_url(name: str, text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in {"smtp", "smtps", "smtp+starttls"} or not parts.hostname):
        raise SettingsError(f"{name} takes smtp://, smtps:// or smtp+starttls://user:password@host:port.")
    return text


def _languages(name: str, text: str) -> tuple[str, ...]:
    codes = tuple(code.strip() for code in text.split(",") if code.strip())
    if not codes or not set(codes) <= {"en", "ru"}:
        raise SettingsError(f"{name} is {text!r}; it takes en, ru or both, separated by a comma.")
    return codes


def _hosts(_name: str, text: str) -> tuple[str, ...]:
    return tuple(host.strip() for host in text.split(",") if host.strip())


def _proxies(name: str, text: str) -> tuple[str, ...]:
    import ipaddress

    given = _hosts(name, text)
    for address in given:
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError as error:
            raise SettingsError(
                f"{name} holds {address!r}; it takes addresses or networks of proxies, like 127.0.0.1 or 10.0.0.0/8."
            ) from error
    return given


def _yes(name: str, text: str) -> bool:
    if text not in {"", "0", "1"}:
        raise SettingsError(f"{name} is {text!r}; it takes 1 or 0.")
    return text == "1"


def _clamd_url(name: str, text: str) -> str:
    if text and not re.fullmatch(
        r"tcp://[^/\s:@]+(:[0-9]{1,5})?/?|tcp://\[[0-9a-fA-F:]+\]:[0-9]{1,5}/?|unix:///[^\s]+", text
    ):
        raise SettingsError(f"{name} is {text!r}; it takes tcp://host:port or unix:///path.")
    return text


def _offload(name: str, text: str) -> str:
    if text not in {"", "x-accel-redirect", "x-sendfile"}:
        raise SettingsError(f"{name} is {text!r}; it takes x-accel-redirect, x-sendfile or nothing.")
    return text


_CHECKS = {
    "public_url": _public_url,
    "database_url": _database_url,
    "files_url": _files_url,
    "s3_endpoint": _s3_endpoint,
    "secret_key": _secret,
    "keys_key": _ring,
    "smtp_url": _smtp_url,
    "languages": _languages,
    "trusted_hosts": _hosts,
    "trusted_proxies": _proxies,
    "clamd_url": _clamd_url,
    "offload": _offload,
    "style_guide": _yes,
}
