"""One command to back up, while serving, and one to restore on an empty machine (B14, R-10)."""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import click

from csp_web import __version__, db, migrate
from csp_web.cli import archive
from csp_web.cli.archive import Manifest, Writer
from csp_web.cli.base import attach, existing_file, open_installation
from csp_web.cli.database_copies import MEMBERS, copy_database, is_empty, kind_of, restore_database
from csp_web.cli.doctor import examine
from csp_web.cli.progress import counted, progress
from csp_web.config import Settings, load
from csp_web.domain import configured
from csp_web.domain.configured import file_store
from csp_web.services.files import KEY

SECRETS = {"secrets/secret-key": "secret_key", "secrets/keys-key": "keys_key"}
FILES = "files/"


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--without-secrets", is_flag=True, help="Leave the secrets out; without them keys and links are lost.")
def backup(file: Path, without_secrets: bool) -> None:
    """Write database, files and secrets into one FILE (a tar). The portal may go on serving.

    Everything that was saved before the start is in it. The file is read back and checked before it gets its name;
    only its owner can read it, for it holds the secrets: keep it like the product keys themselves.
    """
    settings = open_installation()
    if not file.absolute().parent.is_dir():
        raise click.ClickException(f"There is no folder {file.absolute().parent}.")
    manifest = _manifest(settings)
    with tempfile.TemporaryDirectory(prefix=".csp-web-backup-", dir=file.absolute().parent) as folder:
        copy = Path(folder) / MEMBERS[manifest.database]
        copy_database(settings.database_url, copy)
        with archive.writing(file.absolute(), manifest) as writer:
            writer.add_file(copy.name, copy)
            stored = _add_files(writer)  # after the database: a row's file is always there before the row
            if not without_secrets:
                _add_secrets(writer, settings)
    click.echo(f"Backed up to {file}: database, {stored} files, {'no' if without_secrets else 'the'} secrets.")
    if without_secrets:
        click.echo(
            "Keep CSP_WEB_SECRET_KEY and CSP_WEB_KEYS_KEY elsewhere: nothing can be restored without them.", err=True
        )


def _manifest(settings: Settings) -> Manifest:
    return Manifest(
        version=__version__,
        revision=str(migrate.newest()),
        database=kind_of(settings.database_url),
        made_at=db.now().isoformat(timespec="seconds"),
        secrets={name: name_of(getattr(settings, name)) for name in SECRETS.values()},
    )


def name_of(secret: str) -> str:
    """A name by which a secret is known again and from which it cannot be found."""
    return sha256(b"csp-web backup: name of a secret\0" + secret.encode()).hexdigest()[:16]


def _add_files(writer: Writer) -> int:
    keys = [key for key in file_store().keys_older_than(timedelta(seconds=-60)) if KEY.fullmatch(key)]
    stored = 0
    with progress("Files", len(keys)) as step:
        for key in counted(keys, step):
            path = file_store().path(key)
            if path is not None and path.exists():  # an upload that was thrown away meanwhile is no loss
                writer.add_file(FILES + key, path)
                stored += 1
    return stored


def _add_secrets(writer: Writer, settings: Settings) -> None:
    for member, name in SECRETS.items():
        writer.add_text(member, getattr(settings, name))


@click.command()
@click.argument("file", type=existing_file)
def restore(file: Path) -> None:
    """Restore a backup FILE into an empty installation, then examine it.

    The backup is checked whole before anything is written. A backup made without secrets needs CSP_WEB_SECRET_KEY and
    CSP_WEB_KEYS_KEY in the environment, or in the data directory, as they were.
    """
    settings = load(make_secrets=False)
    manifest = archive.verify(file)
    _refuse_other_database(settings, manifest)
    _refuse_unknown_revision(manifest)
    _refuse_full(settings, manifest)
    _place_secrets(settings, manifest, file)
    settings = load()
    attach(settings)
    _place_files(file, manifest)
    _place_database(file, manifest, settings)
    click.echo(f"Restored the backup of {manifest.made_at}. Examining it:")
    attach(settings)
    db.refresh_statistics()
    sys.exit(0 if examine(settings, read_files=True) else 1)


def _refuse_other_database(settings: Settings, manifest: Manifest) -> None:
    here = kind_of(settings.database_url)
    if here != manifest.database:
        raise click.ClickException(
            f"This is a backup of a {manifest.database} database; CSP_WEB_DATABASE_URL names a {here} one."
        )


def _refuse_unknown_revision(manifest: Manifest) -> None:
    if manifest.revision not in migrate.revisions():
        raise click.ClickException(
            f"csp-web {manifest.version} made this backup, this is {__version__}: restore it with that version or a newer one."
        )


def _refuse_full(settings: Settings, manifest: Manifest) -> None:
    """Only an empty installation takes a backup; files of a restore that was cut off are no obstacle."""
    if not is_empty(settings.database_url):
        raise click.ClickException("The database is not empty. A backup is restored into an empty installation only.")
    configured.configure(settings)
    strange = [
        key for key in file_store().keys_older_than(timedelta(seconds=-60)) if FILES + key not in manifest.members
    ]
    if strange:
        raise click.ClickException(
            f"There are files in {settings.files_url}. A backup is restored into an empty installation only."
        )


def _place_secrets(settings: Settings, manifest: Manifest, file: Path) -> None:
    """Write the secrets that are not given; those that are given must be the ones of the backup."""
    for member, name in SECRETS.items():
        setting, given = f"CSP_WEB_{name.upper()}", getattr(settings, name)
        if given and name_of(given) != manifest.secrets[name]:
            raise click.ClickException(
                f"{setting} (or {name.replace('_', '-')} in the data directory) is another secret than the one of this backup. "
                "With it stored keys and links could not be read. Nothing was restored."
            )
        if not given and member not in manifest.members:
            raise click.ClickException(
                f"This backup holds no secrets. Set {setting} to what it was. Nothing was restored."
            )
    for member, name in SECRETS.items():
        if not getattr(settings, name):
            _write_secret(settings.data_dir / name.replace("_", "-"), archive.read_text(file, member))


def _write_secret(path: Path, secret: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())


def _place_files(file: Path, manifest: Manifest) -> None:
    targets = {}
    for name in manifest.members:
        key = name.removeprefix(FILES)
        path = file_store().path(key) if name.startswith(FILES) and KEY.fullmatch(key) else None
        if path is not None:
            targets[name] = path
    archive.extract(file, targets)


def _place_database(file: Path, manifest: Manifest, settings: Settings) -> None:
    """The database comes last: until it is there, the restore can be repeated."""
    member = MEMBERS[manifest.database]
    with tempfile.TemporaryDirectory(prefix=".csp-web-restore-", dir=settings.data_dir) as folder:
        copy = Path(folder) / member
        archive.extract(file, {member: copy})
        db.session.remove()
        db.engine().dispose()
        restore_database(copy, settings.database_url)
    if manifest.revision != migrate.newest():
        migrate.upgrade(settings.database_url)
        click.echo(f"Upgraded from {manifest.revision} to {migrate.newest()}.")
