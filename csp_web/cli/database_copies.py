"""A consistent copy of the database while others write to it, and a database from such a copy.

A copy of the .db file alone misses what is still in the write-ahead log; SQLite's own backup and pg_dump do not.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import click
from sqlalchemy import inspect
from sqlalchemy.engine import URL, make_url

from csp_web import db

BLOCK = 1024 * 1024
MEMBERS = {"sqlite": "database.sqlite3.gz", "postgresql": "database.pgdump"}


def kind_of(database_url: str) -> str:
    """``sqlite`` or ``postgresql``."""
    return make_url(database_url).get_backend_name()


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


def copy_database(database_url: str, target: Path) -> None:
    """Write a copy of everything that is committed now into a file."""
    if kind_of(database_url) == "sqlite":
        _copy_sqlite(Path(str(make_url(database_url).database)), target)
    else:
        url = make_url(database_url)
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", _address(url), url=url)


def restore_database(copy: Path, database_url: str) -> None:
    """Make the database out of a copy, whole or not at all; there must be none yet."""
    url = make_url(database_url)
    if kind_of(database_url) == "sqlite":
        _restore_sqlite(copy, Path(str(url.database)))
    else:
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        _run("pg_restore", *options, f"--dbname={_address(url)}", str(copy), url=url)


def _copy_sqlite(source: Path, target: Path) -> None:
    plain = target.with_suffix(".plain")
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(plain)) as copy:
            live.backup(copy)  # one read transaction: nobody is held up, nothing is half there
            copy.execute("PRAGMA journal_mode=DELETE")
            _check_sqlite(copy)
        with plain.open("rb") as file, gzip.open(target, "wb", compresslevel=1) as packed:
            shutil.copyfileobj(file, packed, BLOCK)
    finally:
        plain.unlink(missing_ok=True)


def _check_sqlite(connection: sqlite3.Connection) -> None:
    found = [row[0] for row in connection.execute("PRAGMA quick_check")]
    orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    if found != ["ok"] or orphans:
        raise click.ClickException("The database is damaged; run csp-web doctor. Nothing was backed up.")


def _restore_sqlite(copy: Path, target: Path) -> None:
    """Unpack beside the place, then rename into it: a crash leaves no half database."""
    plain = target.with_name(f"{target.name}.restoring")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with gzip.open(copy, "rb") as packed, plain.open("wb") as file:
        shutil.copyfileobj(packed, file, BLOCK)
        file.flush()
        os.fsync(file.fileno())
    for rest in ("-wal", "-shm"):  # an empty database's; with the restored one they would be taken for its log
        target.with_name(target.name + rest).unlink(missing_ok=True)
    plain.replace(target)
    flush_folder(target.parent)


def flush_folder(folder: Path) -> None:
    """Put a folder's names on the disk."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _address(url: URL) -> str:
    """The address as PostgreSQL's programs take it, without the password: others see arguments."""
    return url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)


def _run(program: str, *arguments: str, url: URL) -> None:
    path = find_program(program)
    secret: Mapping[str, str] = {"PGPASSWORD": str(url.password)} if url.password else {}
    done = subprocess.run(
        [path, *arguments],
        env={**os.environ, **secret},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise click.ClickException(f"{program} failed: {said[0] if said else f'it ended with {done.returncode}'}")


def find_program(name: str) -> str:
    """Where one of PostgreSQL's programs is.

    Raises:
        ClickException: it is not installed; the sentence says what to install.
    """
    found = shutil.which(name)
    if found is None:
        raise click.ClickException(
            f"{name} is not installed here. Install PostgreSQL's client programs (postgresql-client)."
        )
    return found
