"""Where something that must be nowhere could be: database, its logs and dump, files, what the application printed, mails."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.engine import make_url

from csp_web.db import on_sqlite, session
from tests.support.postgres import find_program

if TYPE_CHECKING:
    from csp_web.config import Settings
    from tests.support.post import Post

Place = tuple[str, bytes]


def database_places(settings: Settings, since: float) -> Iterator[Place]:
    """The database as it lies on the disk, with what it has not yet put in its place; on PostgreSQL a dump too.

    ``since``: when the test began (``time.time``); older segments of the log are other tests'.
    """
    session.rollback()
    url = make_url(settings.database_url)
    if on_sqlite():
        file = Path(str(url.database))
        yield from _files(file.parent.glob(f"{file.name}*"), file.parent)
        return
    data = Path(str(url.query["host"])) / "data"
    own = session.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
    session.execute(text("CHECKPOINT"))
    session.rollback()
    log = (each for each in (data / "pg_wal").iterdir() if each.is_file() and each.stat().st_mtime >= since)
    yield from _files([*(data / "base" / str(own)).iterdir(), *log, data.parent / "server.log"], data.parent)
    dumped = subprocess.run(
        [find_program("pg_dump"), url.set(drivername="postgresql").render_as_string()], capture_output=True, check=True
    )
    yield "pg_dump", dumped.stdout


def file_places(settings: Settings) -> Iterator[Place]:
    """Everything in the data directory: installers, attachments, sheets that wait for the worker, backups."""
    yield from _files(settings.data_dir.rglob("*"), settings.data_dir)


def mail_places(post: Post) -> Iterator[Place]:
    """The mails as they went over the line, and what their readers see."""
    for number, mail in enumerate(post.mails):
        yield f"mail {number}", mail.as_bytes()
        for part in mail.walk():
            content = part.get_payload(decode=True)
            yield f"mail {number}, {part.get_content_type()}", content if isinstance(content, bytes) else b""


def _files(paths: Iterator[Path] | list[Path], folder: Path) -> Iterator[Place]:
    for path in paths:
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def just_now() -> float:
    """An instant before everything that follows, by the clock of files."""
    return time.time() - 2
