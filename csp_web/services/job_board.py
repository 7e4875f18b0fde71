"""How far long work is, and who wants it to stop: small files beside the database (docs/decisions/0012).

SQLite has one writer. What a job does in one transaction would keep its own progress, and a wish to cancel it, waiting
until it is over; in files both are seen at once, on either database and from every process of the installation.
Nothing here has to survive: the row of the job says what came of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from csp_web.services.writer_queue import FileLock


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is. ``since`` and ``at`` are seconds since 1970: when the step began, when this was written."""

    step: str
    done: int
    total: int  # 0: nobody knows
    since: float
    at: float


class JobBoard:
    """The files of a folder: ``<job>.progress``, ``<job>.cancel`` (who asked), ``<job>.lock``, ``person-<id>``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def post(self, job: int, progress: Progress) -> None:
        """Say how far a job is; readers see all of it or what was there before. A full disk is no reason to stop."""
        place = self._place(job, "progress")
        temporary = place.with_suffix(".progress-new")
        with suppress(OSError):
            temporary.write_text(json.dumps(asdict(progress)))
            temporary.replace(place)

    def read(self, job: int) -> Progress | None:
        """How far a job is; None: nothing was said yet."""
        try:
            return Progress(**json.loads(self._place(job, "progress").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def ask_to_cancel(self, job: int, person: int) -> None:
        """Leave word that a person wants a job cancelled; who comes second changes nothing."""
        self._make_folder()
        with suppress(FileExistsError):
            descriptor = os.open(self._place(job, "cancel"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(str(person))

    def asked_to_cancel(self, job: int) -> int | None:
        """The person who wants a job cancelled, if somebody does."""
        try:
            text = self._place(job, "cancel").read_text()
        except OSError:
            return None
        return int(text) if text.isdigit() else 0

    def clear(self, job: int) -> None:
        """Forget a job that is over."""
        for kind in ("progress", "cancel", "lock"):
            self._place(job, kind).unlink(missing_ok=True)

    def known(self) -> set[int]:
        """The numbers of all jobs of which something is kept here."""
        names = (path.stem for path in self._folder.glob("*.*") if path.suffix in {".progress", ".cancel", ".lock"})
        return {int(name) for name in names if name.isdigit()}

    @contextmanager
    def claim(self, job: int) -> Iterator[bool]:
        """Have a job to oneself, as long as this process lives: the system gives it back when the process is killed.

        False: another worker has it. Whoever gets it looks at the row of the job next: it may be over by now.
        """
        self._make_folder()
        place = self._place(job, "lock")
        lock = FileLock(place, like=place)
        try:
            yield lock.acquire(0)
        finally:
            lock.close()

    def note_person(self, person: int) -> None:
        """Note that a person may have work under way, so that pages of everybody else need not ask the database."""
        self._make_folder()
        self._person(person).touch()

    def may_have_work(self, person: int) -> bool:
        """Whether it is worth asking the database for work of a person."""
        return self._person(person).exists()

    def forget_person(self, person: int) -> None:
        """Nothing of this person is under way any more."""
        self._person(person).unlink(missing_ok=True)

    def _person(self, person: int) -> Path:
        return self._folder / f"person-{person}"

    def _place(self, job: int, kind: str) -> Path:
        return self._folder / f"{job}.{kind}"

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
