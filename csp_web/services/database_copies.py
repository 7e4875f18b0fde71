"""A consistent copy of the database while others write to it, and a database from such a copy.

A copy of the .db file alone misses what is still in the write-ahead log; SQLite's own backup and pg_dump do not.
"""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from csp_web.errors import Refused
from csp_web.i18n import gettext as _

BLOCK = 1024 * 1024
PAGES_AT_ONCE = 2000
LOOK_EVERY = 0.2  # seconds

Progress = Callable[[int, int], None]  # bytes done, of how many (0: nobody knows); ends all by raising

MEMBERS = {"sqlite": "database.sqlite3.gz", "postgresql": "database.pgdump"}


def kind_of(database_url: str) -> str:
    """``sqlite`` or ``postgresql``."""
    return make_url(database_url).get_backend_name()


def _unseen(_done: int, _total: int) -> None:
    """Nobody looks."""


def copy_database(database_url: str, target: Path, progress: Progress = _unseen) -> None:
    """Write a copy of everything that is committed now into a file.

    Raises:
        Refused: the database is damaged, or PostgreSQL's programs are not here or failed.
        OSError: the disk is full, or nothing can be written there.
    """
    if kind_of(database_url) == "sqlite":
        _copy_sqlite(Path(str(make_url(database_url).database)), target, progress)
    else:
        url = make_url(database_url)
        options = ("--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
        _run("pg_dump", *options, _address(url), url=url, look=lambda: progress(_size(target), 0))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def restore_database(copy: Path, database_url: str) -> None:
    """Make the database out of a copy, whole or not at all; there must be none yet."""
    url = make_url(database_url)
    if kind_of(database_url) == "sqlite":
        _restore_sqlite(copy, Path(str(url.database)))
    else:
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        _run("pg_restore", *options, f"--dbname={_address(url)}", str(copy), url=url)


def _copy_sqlite(source: Path, target: Path, progress: Progress) -> None:
    plain = target.with_suffix(".plain")
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(plain)) as copy:
            size = live.execute("PRAGMA page_size").fetchone()[0]
            # One read transaction over all steps: nobody is held up, nothing is half there, nothing begins again.
            live.execute("BEGIN")
            live.execute("SELECT count(*) FROM sqlite_master").fetchone()
            live.backup(
                copy,
                pages=PAGES_AT_ONCE,
                progress=lambda _state, left, total: progress((total - left) * size, 2 * total * size),
            )
            copy.execute("PRAGMA journal_mode=DELETE")
            _check_sqlite(copy)
        _pack(plain, target, progress)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, str(error)) from error
        raise
    finally:
        plain.unlink(missing_ok=True)


def _pack(plain: Path, target: Path, progress: Progress) -> None:
    """Compress a copy; the second half of the work."""
    whole = _size(plain)
    with plain.open("rb") as file, gzip.open(target, "wb", compresslevel=1) as packed:
        while block := file.read(BLOCK):
            packed.write(block)
            progress(whole + file.tell(), 2 * whole)


def _check_sqlite(connection: sqlite3.Connection) -> None:
    found = [row[0] for row in connection.execute("PRAGMA quick_check")]
    orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    if found != ["ok"] or orphans:
        raise Refused(_("The database is damaged; run csp-web doctor. Nothing was backed up."))


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


def _run(program: str, *arguments: str, url: URL, look: Callable[[], None] = lambda: None) -> None:
    """Run one of PostgreSQL's programs; ``look`` is called now and then, and ends it by raising."""
    path = find_program(program)
    secret: Mapping[str, str] = {"PGPASSWORD": str(url.password)} if url.password else {}
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(
            [path, *arguments],
            env={**os.environ, **secret},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        try:
            while _runs(running):
                look()
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()
        if running.returncode:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            why = lines[0] if lines else f"it ended with {running.returncode}"
            raise Refused(_("%(program)s failed: %(why)s", program=program, why=why))


def _runs(running: subprocess.Popen[bytes]) -> bool:
    try:
        running.wait(LOOK_EVERY)
    except subprocess.TimeoutExpired:
        return True
    return False


def find_program(name: str) -> str:
    """Where one of PostgreSQL's programs is.

    Raises:
        Refused: it is not installed; the sentence says what to install.
    """
    found = shutil.which(name)
    if found is None:
        raise Refused(
            _("%(name)s is not installed here. Install PostgreSQL's client programs (postgresql-client).", name=name)
        )
    return found
