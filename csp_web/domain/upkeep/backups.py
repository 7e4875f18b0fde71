"""Backups: a copy of everything in one file, made while the portal serves (B14, R-10).

Those that the browser makes lie in ``backups`` in the data directory and hold no secrets: whoever fetches one cannot
read product keys with it (D11). The command ``csp-web backup`` writes them wherever it is told, with the secrets.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from csp_web import __version__, migrate
from csp_web.config import Settings
from csp_web.db import now, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.long_work.job_work import Task
from csp_web.domain.stock import vault
from csp_web.domain.upkeep import configured
from csp_web.domain.upkeep.configured import file_store
from csp_web.errors import NotFound, Refused
from csp_web.i18n import gettext as _
from csp_web.services import archive
from csp_web.services.archive import Damaged, Manifest, Writer
from csp_web.services.database_copies import MEMBERS, copy_database, kind_of
from csp_web.services.files import KEY, FileMissing, room

SECRETS = {"secrets/secret-key": "secret_key", "secrets/keys-key": "keys_key"}
FILES = "files/"
LEFT_FOR = timedelta(days=1)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.tar")


class Reporter(Protocol):
    """Who is told how far it is."""

    def step(self, name: str, total: int = 0) -> None:
        """A new step begins."""

    def progress(self, done: int, total: int | None = None) -> None:
        """So many bytes of the step are done."""


def write_backup(file: Path, *, settings: Settings, with_secrets: bool, tell: Reporter) -> int:
    """Write database, files and perhaps secrets into a file; returns how many files of the store are in it.

    Raises:
        Refused: the database is damaged, what copies it is not installed, or the secret of product keys was changed
            meanwhile, so that the one in the backup might not read its keys. Nothing is left behind then.
        StorageFull: the disk is full. Nothing is left behind.
    """
    settings = _with_newest_secret(settings)
    manifest = _manifest(settings)
    with room(), tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder:
        copy = Path(folder) / MEMBERS[manifest.database]
        tell.step("database")
        copy_database(settings.database_url, copy, tell.progress)
        _refuse_new_secret(settings)
        tell.step("files", copy.stat().st_size + _stored_bytes())
        with archive.writing(file, manifest, _summed(tell), lambda made: prove(made, tell)) as writer:
            writer.add_file(copy.name, copy)
            stored = _add_files(writer)  # after the database: a row's file is always there before the row
            if with_secrets:
                _add_secrets(writer, settings)
    return stored


def _with_newest_secret(settings: Settings) -> Settings:
    """The settings, with the secrets of keys as they are now: they may have been changed since the server started."""
    file = vault.secrets_file()
    return replace(settings, keys_key=file.read_text().strip()) if file is not None else settings


def _refuse_new_secret(settings: Settings) -> None:
    """Refuse when the copied keys may be under a secret that came into use since the backup began."""
    if vault.split(_with_newest_secret(settings).keys_key)[:1] != vault.split(settings.keys_key)[:1]:
        raise Refused(
            _("The secret of product keys was changed at the same moment. Nothing was backed up."),
            advice=_("Make another backup."),
        )


def prove(file: Path, tell: Reporter) -> Manifest:
    """Read a backup whole. Raises Damaged."""
    tell.step("proving", file.stat().st_size)
    return archive.verify(file, _summed(tell))


def _summed(tell: Reporter) -> Callable[[int], None]:
    done = 0

    def more(size: int) -> None:
        nonlocal done
        done += size
        tell.progress(done)

    return more


def _manifest(settings: Settings) -> Manifest:
    return Manifest(
        version=__version__,
        revision=str(migrate.newest()),
        database=kind_of(settings.database_url),
        made_at=now().isoformat(timespec="seconds"),
        secrets={name: name_of(getattr(settings, name)) for name in SECRETS.values()},
    )


def name_of(secret: str) -> str:
    """A name by which a secret is known again and from which it cannot be found."""
    return sha256(b"csp-web backup: name of a secret\0" + secret.encode()).hexdigest()[:16]


def _keys() -> list[str]:
    return [key for key in file_store().keys_older_than(timedelta(seconds=-60)) if KEY.fullmatch(key)]


def _stored_bytes() -> int:
    return sum(map(_size, _keys()))


def _size(key: str) -> int:
    with suppress(FileMissing):
        return file_store().size(key)
    return 0


def _add_files(writer: Writer) -> int:
    stored = 0
    for key in _keys():
        with suppress(FileMissing), file_store().open(key) as file:  # an upload thrown away meanwhile is no loss
            writer.add_stream(FILES + key, file, file_store().size(key))
            stored += 1
    return stored


def _add_secrets(writer: Writer, settings: Settings) -> None:
    for member, name in SECRETS.items():
        writer.add_text(member, getattr(settings, name))


# ---------------------------------------------------------------- in the browser


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup in the data directory. ``problem`` says why it is none, where the end of the file shows that."""

    name: str
    size: int
    made_at: datetime
    version: str = ""
    with_secrets: bool = False
    problem: str = ""


def folder() -> Path:
    """Where the browser's backups lie; other ones may be put there."""
    made = configured.settings().data_dir / "backups"
    made.mkdir(mode=0o700, exist_ok=True)
    return made


def new_name(at: datetime) -> str:
    """What a backup that begins now is called."""
    return f"csp-web-{at:%Y%m%d-%H%M%S}.tar"


def list_backups(*, by: Actor) -> Sequence[Backup]:
    """The backups in the data directory, newest first. Raises Forbidden."""
    require(by, "operator.manage")
    found = [_described(path) for path in folder().glob("*.tar") if _NAME.fullmatch(path.name) and path.is_file()]
    return sorted(found, key=lambda backup: (backup.made_at, backup.name), reverse=True)


def find_backup(name: str, *, by: Actor) -> Backup:
    """One of them. Raises Forbidden, NotFound."""
    require(by, "operator.manage")
    return _described(_path(name))


def _path(name: str) -> Path:
    path = folder() / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NotFound
    return path


def _described(path: Path) -> Backup:
    status = path.stat()
    at = datetime.fromtimestamp(status.st_mtime, UTC)
    try:
        manifest = _peeked(path, status.st_size, status.st_mtime_ns)
    except Damaged as error:
        return Backup(path.name, status.st_size, at, problem=error.sentence.replace(str(path), path.name))
    except OSError as error:  # the command made it as another user
        problem = _("%(name)s: the portal cannot read it (%(why)s).", name=path.name, why=error.strerror or error)
        return Backup(path.name, status.st_size, at, problem=problem)
    secrets = any(member.startswith("secrets/") for member in manifest.members)
    return Backup(path.name, status.st_size, datetime.fromisoformat(manifest.made_at), manifest.version, secrets)


@lru_cache(maxsize=200)
def _peeked(path: Path, _size: int, _changed: int) -> Manifest:
    """What a file says of itself, read once; what is wrong with one is asked anew, in the reader's language."""
    return archive.peek(path)


def delete_backup(name: str, *, by: Actor) -> None:
    """Delete one: the log says so first, in a transaction of its own. Raises Forbidden, NotFound."""
    require(by, "operator.manage")
    path = _path(name)
    with transaction():
        audit.record("delete_backup", by=by, resource=("backup", name), size=path.stat().st_size)
    path.unlink(missing_ok=True)


def record_download(name: str, *, by: Actor) -> None:
    """Write into the log who fetched one, inside the caller's transaction. Raises Forbidden."""
    require(by, "operator.manage")
    audit.record("download_backup", by=by, resource=("backup", name))


def make_backup(task: Task) -> None:
    """Make one; what a worker that died left of it is thrown away first."""
    require(task.actor, "operator.manage")
    file = folder() / str(task.arguments["name"])
    _sweep(file)
    stored = write_backup(file, settings=configured.settings(), with_secrets=False, tell=task)
    try:
        with transaction():
            audit.record("make_backup", by=task.actor, resource=("backup", file.name), size=file.stat().st_size)
            task.finish({"files": stored, "size": file.stat().st_size})
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def check_backup(task: Task) -> None:
    """Read one whole and compare every part with what it says of itself. Raises Damaged."""
    require(task.actor, "operator.manage")
    file = _path(str(task.arguments["name"]))
    try:
        manifest = prove(file, task)
    except Damaged as error:
        raise Damaged(error.sentence.replace(str(file), file.name)) from error
    with transaction():
        audit.record("check_backup", by=task.actor, resource=("backup", file.name))
        task.finish({"files": sum(name.startswith(FILES) for name in manifest.members)})


def sweep_left(at: datetime) -> None:
    """The periodic job: delete what makers of backups that were killed left more than a day ago."""
    for left in folder().glob(".*.tar.*"):
        if at.timestamp() - left.stat().st_mtime > LEFT_FOR.total_seconds():
            _throw_away(left)


def _sweep(file: Path) -> None:
    for left in file.parent.glob(f".{file.name}.*"):
        _throw_away(left)


def _throw_away(left: Path) -> None:
    if left.is_dir():
        shutil.rmtree(left)
    else:
        left.unlink()
