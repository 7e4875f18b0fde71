"""Where the files of long work lie: what was sent in (encrypted), what comes out, and how far it is.

They are in a folder of their own, ``jobs`` in the data directory: a backup holds none of them, and every process of
the installation sees them.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select

from csp_web.db import session
from csp_web.domain.stock import vault
from csp_web.domain.upkeep import configured
from csp_web.errors import Refused
from csp_web.i18n import gettext as _
from csp_web.models import Job
from csp_web.services.files import DiskStore, FileMissing, Readable, room
from csp_web.services.job_board import JobBoard
from csp_web.services.sealed_files import Opened, Sealing

LARGEST_INPUT = 4 * 1024**3  # bytes; forms take less


def board() -> JobBoard:
    """How far the jobs of this installation are."""
    return _board(configured.settings().data_dir)


def store() -> DiskStore:
    """The files of the jobs of this installation."""
    return _store(configured.settings().data_dir)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for what is needed only while work goes on; nothing is left of it, but by a process that is killed."""
    folder = _scratch()
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as made, room():
        yield Path(made)


def sweep_scratch(age: timedelta) -> None:
    """Delete what killed processes left in scratch folders longer ago than ``age``."""
    for folder in _scratch().glob("*"):
        if folder.stat().st_mtime < time.time() - age.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)


def _scratch() -> Path:
    return configured.settings().data_dir / "jobs" / "scratch"


@lru_cache(maxsize=8)
def _board(data_dir: Path) -> JobBoard:
    return JobBoard(data_dir / "jobs")


@lru_cache(maxsize=8)
def _store(data_dir: Path) -> DiskStore:
    return DiskStore(data_dir / "jobs" / "files")


@contextmanager
def incoming(stream: Readable) -> Iterator[tuple[str, int]]:
    """Keep what was sent in for a job, encrypted; gives its key and about how many rows it has.

    Use it as ``with incoming(stream) as (key, rows), transaction(): start(…, input_key=key)``: nothing is left of it if
    no job was started. Raises StorageFull.
    """
    sealing = Sealing(stream, _key_of)
    stored = store().save(sealing, max_bytes=LARGEST_INPUT)
    try:
        yield stored.key, sealing.lines
    finally:
        if session.scalar(select(Job.id).where(Job.input_key == stored.key).limit(1)) is None:
            store().delete(stored.key)
        session.rollback()


def open_input(key: str | None) -> Opened:
    """What was sent in, in clear. Raises Refused: it is not there (any more)."""
    try:
        if key is None:
            raise FileMissing("a job without an input")
        return Opened(store().open(key), _key_of)
    except FileMissing as error:
        raise Refused(
            _("The file is not on the server any more. Nothing was done."), advice=_("Send it again.")
        ) from error


def _key_of(nonce: bytes) -> bytes:
    """Only who has the secret of the installation can read what waits."""
    return base64.urlsafe_b64decode(vault.token("input of a job", nonce) + "=")
