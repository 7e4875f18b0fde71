"""One command to back up, while serving, and one to restore on an empty machine (B14, R-10)."""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import timedelta
from functools import partial
from pathlib import Path

import click
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from csp_web import __version__, db, migrate
from csp_web.cli.base import attach, existing_file, open_installation
from csp_web.cli.doctor import examine
from csp_web.cli.progress import Bars
from csp_web.config import Settings, load
from csp_web.domain.long_work import jobs
from csp_web.domain.upkeep import configured
from csp_web.domain.upkeep.backups import FILES, SECRETS, name_of, write_backup
from csp_web.domain.upkeep.configured import file_store
from csp_web.i18n import gettext as _
from csp_web.services import archive
from csp_web.services.archive import Manifest
from csp_web.services.database_copies import MEMBERS, kind_of, restore_database
from csp_web.services.files import KEY

STEPS = {"database": "Database", "files": "Files", "proving": "Reading it back"}


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
    with Bars(STEPS) as bars:
        stored = write_backup(file.absolute(), settings=settings, with_secrets=not without_secrets, tell=bars)
    click.echo(f"Backed up to {file}: database, {stored} files, {'no' if without_secrets else 'the'} secrets.")
    if without_secrets:
        click.echo(
            "Keep CSP_WEB_SECRET_KEY and CSP_WEB_KEYS_KEY elsewhere: nothing can be restored without them.", err=True
        )


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
    with db.transaction():
        jobs.give_up_open(_("The installation was restored from a backup that was made while this was under way."))
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


def is_empty(database_url: str) -> bool:
    """Whether the database holds no table. SQLite's file is not made by looking."""
    path = make_url(database_url).database
    if kind_of(database_url) == "sqlite" and not (path and Path(path).exists()):
        return True
    engine = db.configure(database_url)
    try:
        return not inspect(engine).get_table_names()
    finally:
        engine.dispose()


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
    keys = {name: name.removeprefix(FILES) for name in manifest.members if name.startswith(FILES)}
    store = file_store()
    archive.hand_out(file, {name: partial(store.put_back, key) for name, key in keys.items() if KEY.fullmatch(key)})


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
