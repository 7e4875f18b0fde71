"""Files of tickets: any type, stored under random names, served inert, within limits that the form states (D13, T11-T13).

A file is on the disk before its row is written, so a row without a file cannot be; a file without a row is swept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from sqlalchemy import delete, func, select

from csp_web.config import Settings
from csp_web.db import now, session
from csp_web.domain.access.actors import Actor
from csp_web.domain.delivery.file_names import clean_file_name
from csp_web.domain.upkeep import configured
from csp_web.errors import Blocked, Invalid
from csp_web.i18n import gettext as _
from csp_web.i18n import ngettext
from csp_web.models import DownloadOption, PendingFile, Ticket, TicketFile, TicketNote
from csp_web.services.files import FileStore, FileTooLarge, Readable, StoredFile

MIB = 1024 * 1024
KEPT_FOR = timedelta(hours=24)
MARGIN = timedelta(hours=1)  # a form sent in its last second still finds its files


@dataclass(frozen=True, slots=True)
class Limits:
    """How many files at a time, bytes of each, bytes of all files of a ticket (D13)."""

    files: int = 10
    each: int = 25 * MIB
    together: int = 100 * MIB

    @property
    def stated(self) -> tuple[int, int, int]:
        """As the form says it: files, MiB each, MiB together."""
        return self.files, self.each // MIB, self.together // MIB


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that the store has taken and that no row names yet."""

    name: str
    stored: StoredFile


def limits_of(settings: Settings) -> Limits:
    """The limits of this installation."""
    return Limits(settings.max_uploads, settings.max_upload_mb * MIB, settings.max_ticket_mb * MIB)


def store() -> FileStore:
    """Where files of tickets lie: with all other files of the installation."""
    return configured.file_store()


def receive(
    uploads: Iterable[tuple[str, Readable]], *, store: FileStore, limits: Limits, already: Sequence[int] = (), room: int
) -> tuple[list[NewFile], list[str]]:
    """Take uploads into the store, before and outside any transaction.

    ``uploads`` are names and streams, ``already`` the sizes of files that the form has kept, ``room`` the bytes that
    the ticket can still take. Returns what was taken, and a sentence for every file that was not.
    """
    taken: list[NewFile] = []
    problems: list[str] = []
    count, left = len(already), room - sum(already)
    for raw_name, stream in uploads:
        name = clean_file_name(raw_name)
        if count >= limits.files:
            problems.append(_too_many(limits, name))
            continue
        try:
            stored = store.save(stream, max_bytes=max(min(limits.each, left), 0))
        except FileTooLarge:
            problems.append(_too_large(limits, name, left))
            continue
        if stored.size == 0:
            store.delete(stored.key)
            problems.append(_("“%(name)s” is empty.", name=name))
            continue
        taken.append(NewFile(name, stored))
        count, left = count + 1, left - stored.size
    return taken, problems


def _too_many(limits: Limits, name: str) -> str:
    most = ngettext("%(num)s file", "%(num)s files", limits.files)
    return _("“%(name)s” was left out: at most %(most)s can be added at a time.", name=name, most=most)


def _too_large(limits: Limits, name: str, left: int) -> str:
    __, each, together = limits.stated
    if left < limits.each:
        return _(
            "“%(name)s” was left out: all files of a request together may have %(most)s MiB.", name=name, most=together
        )
    return _("“%(name)s” was left out: a file may have at most %(most)s MiB.", name=name, most=each)


def room_in(ticket: Ticket | None, limits: Limits) -> int:
    """How many bytes of files a ticket can still take."""
    if ticket is None:
        return limits.together
    used = select(func.sum(TicketFile.size)).where(TicketFile.ticket_id == ticket.id)
    return max(limits.together - int(session.scalar(used) or 0), 0)


def keep(files: Iterable[NewFile], *, by: Actor, token: str, at: datetime) -> None:
    """Keep files for a person and a form until the form is sent without errors, for a day at most."""
    for file in files:
        session.add(
            PendingFile(
                user_id=by.id,
                form_token=token,
                original_name=file.name,
                size=file.stored.size,
                sha256=file.stored.sha256,
                storage_key=file.stored.key,
                added_at=at,
            )
        )
    session.flush()


def kept(*, by: Actor, token: str) -> list[PendingFile]:
    """The files that a form has kept, in their order; the same file chosen twice counts once."""
    rows = session.scalars(
        select(PendingFile)
        .where(
            PendingFile.user_id == by.id,
            PendingFile.form_token == token,
            PendingFile.added_at > now() - KEPT_FOR,
        )
        .order_by(PendingFile.id)
    )
    return list({(row.original_name, row.sha256): row for row in rows}.values())


def drop(ids: Iterable[int], *, by: Actor, token: str) -> None:
    """Forget files that the person took out of the form again; the sweep deletes them."""
    wanted = [number for number in ids if 0 < number < 2**63]
    dropped = [row for row in kept(by=by, token=token) if row.id in wanted]
    for row in dropped:
        session.execute(
            delete(PendingFile).where(
                PendingFile.user_id == by.id,
                PendingFile.form_token == token,
                PendingFile.sha256 == row.sha256,
                PendingFile.original_name == row.original_name,
            )
        )


def attach_kept(ticket: Ticket, *, note: TicketNote | None = None, by: Actor, token: str, at: datetime) -> int:
    """Make the files that a form has kept files of its ticket, in the transaction of the ticket or note; says how many.

    Raises:
        Invalid: they are more than fits now; other files may have come to the form or the ticket meanwhile (D13).
    """
    rows = kept(by=by, token=token)
    _refuse_too_much(ticket, rows)
    for row in rows:
        session.add(
            TicketFile(
                ticket_id=ticket.id,
                note_id=note.id if note else None,
                original_name=row.original_name,
                size=row.size,
                sha256=row.sha256,
                storage_key=row.storage_key,
                added_at=at,
                added_by_id=by.id,
            )
        )
        session.delete(row)
    session.flush()
    return len(rows)


def _refuse_too_much(ticket: Ticket, rows: Sequence[PendingFile]) -> None:
    limits = limits_of(configured.settings())
    if len(rows) > limits.files:
        raise Invalid({"files": _too_many(limits, rows[limits.files].original_name)})
    if rows and sum(row.size for row in rows) > (left := room_in(ticket, limits)):
        raise Invalid({"files": _too_large(limits, rows[-1].original_name, min(left, limits.each - 1))})


def refuse_blocked(file: TicketFile) -> None:
    """What a virus scanner found something in is never served, to nobody. Raises Blocked."""
    if file.is_blocked:
        raise Blocked(
            _("The virus scanner found %(finding)s in this file. It is not handed out.", finding=file.scan_note),
            advice=_("Check the computer that it came from, and send a clean file."),
        )


def forget_unsent(at: datetime) -> int:
    """Forget the files of forms that were never sent; says how many. The sweep deletes them afterwards."""
    old = delete(PendingFile).where(PendingFile.added_at < at - KEPT_FOR - MARGIN).returning(PendingFile.id)
    return len(session.execute(old).all())


def sweep_orphans(store: FileStore) -> int:
    """Delete files older than a day that no row names; says how many. It only reads the database."""
    swept = 0
    for keys in _in_hundreds(store.keys_older_than(KEPT_FOR)):
        for key in set(keys) - _named(keys):
            store.delete(key)
            swept += 1
    return swept


def _in_hundreds(keys: Iterable[str]) -> Iterable[list[str]]:
    batch: list[str] = []
    for key in keys:
        batch.append(key)
        if len(batch) == 100:
            yield batch
            batch = []
    if batch:
        yield batch


def _named(keys: list[str]) -> set[str]:
    """Which of the keys any row of the installation names."""
    # Kept files first: one that becomes a ticket's between two statements is seen in the second.
    columns = (PendingFile.storage_key, TicketFile.storage_key, DownloadOption.storage_key)
    return set(chain.from_iterable(session.scalars(select(column).where(column.in_(keys))) for column in columns))
