"""New files are scanned for viruses soon after they came, when CSP_WEB_CLAMD_URL is set; what is blocked is never served.

A file of a product or a ticket is unscanned, clean or blocked. While the scanner is away files stay unscanned and are
tried again; one that it does not take stays unscanned, with the reason. **Scan again** looks at a file once more: after
the signatures or the limits of the scanner were changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select

from csp_web.db import for_update, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.outbox import queue_mail
from csp_web.domain.upkeep.configured import file_store, scanner, settings
from csp_web.errors import DomainError, Refused
from csp_web.i18n import N_, use_place
from csp_web.i18n import gettext as _
from csp_web.models import DownloadOption, Partner, Role, Scan, TicketFile, User, UserRole
from csp_web.services.antivirus import Clamd, ScannerDown, TooLargeToScan, Unreadable
from csp_web.services.files import FileMissing

Model = type[DownloadOption] | type[TicketFile]

BATCH: Final = 50
MODELS: Final[tuple[Model, ...]] = (TicketFile, DownloadOption)  # the small ones first
TOO_LARGE: Final = N_("too large for the scanner")
UNREADABLE: Final = N_("it could not be read")

log = structlog.get_logger("csp_web")
_put_off: dict[tuple[Model, int], None] = {}  # files at which the scanner gave up, oldest first: others come before


def scan_new(at: datetime) -> int:
    """The periodic job: scan what came since; says how many files were looked at. Nothing without a scanner."""
    clamd, looked_at = scanner(), 0
    if clamd is None:
        return 0
    for model, number, key in _new():
        try:
            _note(model, number, *_look(clamd, key), at)
        except (ScannerDown, DomainError) as error:
            log.warning("files are not scanned; tried again soon", why=str(error))
            _put_behind(model, number)
            break
        _put_off.pop((model, number), None)
        looked_at += 1
    return looked_at


def _new() -> Iterator[tuple[Model, int, str]]:
    """Files that wait, those that were put off last. A scan takes its time: nothing is locked or open meanwhile."""
    for model in MODELS:
        late = [number for kind, number in _put_off if kind is model]
        waiting = select(model.id, model.storage_key).where(model.scan_at.is_(None), model.id.not_in(late))
        rows = session.execute(waiting.order_by(model.id).limit(BATCH)).all()
        session.rollback()
        yield from ((model, row.id, row.storage_key) for row in rows)
    for model, number in list(_put_off):
        key = session.scalar(select(model.storage_key).where(model.id == number, model.scan_at.is_(None)))
        session.rollback()
        if key is None:
            del _put_off[model, number]
        else:
            yield model, number, key


def _put_behind(model: Model, number: int) -> None:
    """Let all others go first from now on: one file on which the scanner dies must not keep them unscanned."""
    _put_off.pop((model, number), None)
    _put_off[model, number] = None
    if len(_put_off) > BATCH:
        del _put_off[next(iter(_put_off))]


def _look(clamd: Clamd, key: str) -> tuple[Scan, str]:
    """The state of a file and a note. Raises ScannerDown, Busy."""
    try:
        with file_store().open(key) as stream:
            finding = clamd.scan(stream)
    except TooLargeToScan:
        return Scan.UNSCANNED, TOO_LARGE
    except (FileMissing, Unreadable):
        return Scan.UNSCANNED, UNREADABLE
    return (Scan.BLOCKED, finding[:200]) if finding else (Scan.CLEAN, "")


def _note(model: Model, number: int, state: Scan, note: str, at: datetime) -> None:
    with transaction():
        file = for_update(model, number)
        known = (file.scan, file.scan_note)
        file.scan, file.scan_note, file.scan_at = state, note, at
        session.flush()
        if state is Scan.BLOCKED and known != (state, note):
            _tell(file)


def why_not_again(option: DownloadOption) -> str:
    """Why a file cannot be scanned once more; empty when it can."""
    if not settings().clamd_url:
        return _("This installation has no virus scanner.")
    if option.scan_at is None:
        return _("It is scanned as soon as the scanner answers.")
    return _("This file has already been withdrawn.") if option.withdrawn_at else ""


def scan_again(option: DownloadOption, *, by: Actor) -> None:
    """Have a file looked at once more, soon. Until then what is known of it stays true: a blocked one is not served.

    Raises:
        Forbidden: only an operator admin keeps files. Refused: it waits already, it is withdrawn, there is no scanner.
    """
    require(by, "operator.manage")
    file = for_update(DownloadOption, option.id)
    if reason := why_not_again(file):
        raise Refused(reason)
    file.scan_at = None
    session.flush()
    audit.record("scan_again", by=by, resource=("download_option", file.id), file_name=file.file_name, state=file.scan)


def _tell(file: DownloadOption | TicketFile) -> None:
    """Into the log, and to the operator and whoever brought the file."""
    audit.record(
        "block_file",
        by=None,
        resource=("download_option", file.id) if isinstance(file, DownloadOption) else ("ticket", file.ticket.number),
        file_name=_name(file),
        finding=file.scan_note,
    )
    for person in _readers(file):
        with use_place(person.language, person.time_zone):
            subject = _("A harmful file was blocked: %(name)s", name=_name(file))
            queue_mail(recipient=person.email, subject=subject, body=_body(file), partner_id=person.partner_id)


def _name(file: DownloadOption | TicketFile) -> str:
    return file.file_name if isinstance(file, DownloadOption) else file.original_name


def _body(file: DownloadOption | TicketFile) -> str:
    place = "/admin/files" if isinstance(file, DownloadOption) else f"/tickets/{file.ticket.number}"
    said = _("The virus scanner found %(finding)s in “%(name)s”.", finding=file.scan_note, name=_name(file))
    advice = _("Nobody can download it any more. Check the computer that it came from.")
    return f"{said} {advice}\n{settings().public_url}{place}"


def _readers(file: DownloadOption | TicketFile) -> list[User]:
    operators = (
        select(User)
        .join(UserRole, UserRole.user_id == User.id)
        .join(Partner, Partner.id == User.partner_id)
        .where(Partner.is_operator, UserRole.role == Role.OPERATOR_ADMIN, User.disabled_at.is_(None))
        .order_by(User.id)
    )
    found = list(session.scalars(operators))
    uploader = session.get(User, file.added_by_id) if file.added_by_id else None
    if uploader is not None and uploader.disabled_at is None and uploader not in found:
        found.append(uploader)
    return found
