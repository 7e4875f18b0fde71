"""Long work for the checks of pages: done, refused, checked, and one that goes on as long as the tests run."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

from csp_web.db import now, select, session, transaction
from csp_web.domain.long_work.job_files import board
from csp_web.domain.sheets import RowError
from csp_web.domain.upkeep import backups
from csp_web.i18n import gettext as _
from csp_web.i18n import ngettext
from csp_web.models import Job, JobState, User
from csp_web.said import stored
from csp_web.services.job_board import Progress

_held = ExitStack()  # the lock of the job that goes on: the server's worker leaves it alone


def _errors() -> list[str]:
    """As a worker writes them down."""
    cells = _("“%(value)s” is not a GUID.", value="x")
    width = _("This row has %(found)s fields, the header has %(expected)s.", found=3, expected=4)
    return [stored(str(error)) for error in (RowError(3, cells, "Microsoft ID"), RowError(7, width))]


def add_jobs() -> dict[str, str]:
    """Add what is missing; the names of their addresses."""
    done = _job("alice@contoso.example", "export_software", JobState.DONE, subject="software", result={"rows": 1250})
    refused = {"errors": _errors(), "error_count": 2}
    failed = _job("alice@contoso.example", "import_customers", JobState.FAILED, subject="customers.csv", result=refused)
    going = _job("olga@northwind.example", "make_backup", JobState.RUNNING, subject="csp-web-20261122-120000.tar")
    board().post(going, Progress("files", 1_250_000_000, 3_100_000_000, 0.0, 20.0))
    board().note_person(_person("olga@northwind.example"))
    (backups.folder() / "cut-off.tar").write_bytes(b"cut off")
    return {"job_done": str(done), "job_failed": str(failed), "job_going": str(going)}


def _nothing_taken() -> str:
    one = "Nothing was imported: %(num)s row cannot be taken."
    return ngettext(one, "Nothing was imported: %(num)s rows cannot be taken.", 2)


def _person(email: str) -> int:
    return session.scalars(select(User.id).filter_by(email=email)).one()


def _job(email: str, kind: str, state: JobState, *, subject: str, result: dict[str, object] | None = None) -> int:
    person = _person(email)
    found = session.scalars(select(Job.id).filter_by(owner_id=person, kind=kind, subject=subject)).first()
    session.rollback()
    if found is not None:
        return found
    with transaction():
        row = Job(
            kind=kind,
            state=state,
            owner_id=person,
            partner_id=session.get_one(User, person).partner_id,
            of_operator=kind == "make_backup",
            subject=subject,
            result=result,
            error=stored(_nothing_taken()) if state is JobState.FAILED else "",
            ended_at=None if state is JobState.RUNNING else now() + timedelta(seconds=1),
        )
        session.add(row)
        session.flush()
        if state is JobState.RUNNING:  # before a worker of the server can see the row
            assert _held.enter_context(board().claim(row.id)), "the job that goes on is somebody else's"
        return row.id
