"""Lists as files for spreadsheets: exactly what a page shows, narrowed in the same way. Never a key (S-4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from csp_web.db import now, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.delivery.software import Filters, Line, count_lines, every_line
from csp_web.domain.long_work.csv_files import Pieces, pieces
from csp_web.domain.long_work.job_files import store
from csp_web.domain.long_work.job_work import Task
from csp_web.domain.sales.catalogue import TERM_NAMES
from csp_web.i18n import N_
from csp_web.i18n import gettext as _
from csp_web.models import ProductFamily

AT_ONCE = 2000  # rows that the request itself writes; more are work for later
LARGEST_FILE = 16 * 1024**3  # bytes
NAME = "software"

COLUMNS = (
    N_("Customer"),
    N_("Customer ID"),
    N_("Product"),
    N_("SKU"),
    N_("Quantity"),
    N_("Term"),
    N_("Ends (UTC)"),
    N_("Keys"),
    N_("Right to cancel until (UTC)"),
    N_("Cancelled (UTC)"),
    N_("Cancellation requested in"),
    N_("Subscription ID"),
)
KEYS = {
    "none": "",
    "not taken": N_("Not taken yet"),
    "waiting": N_("Waiting"),
    "ready": N_("Ready"),
    "shown": N_("Shown"),
    "revoked": N_("Revoked"),
}


def software_table(lines: Iterable[Line]) -> Iterator[bytes]:
    """The file of the list of software, in pieces, in the language of the reader."""
    terms = {code: _(name) for code, name in TERM_NAMES.items()}
    keys = {code: _(name) if name else "" for code, name in KEYS.items()}
    return pieces([_(name) for name in COLUMNS], (_cells(line, terms, keys) for line in lines))


def _cells(line: Line, terms: dict[str, str], keys: dict[str, str]) -> tuple[Any, ...]:
    return (
        line.company_name,
        line.customer,
        line.product,
        line.sku,
        line.quantity,
        terms.get(line.term, line.term),
        line.ends_at,
        keys[line.keys],
        line.cancel_until,
        line.cancelled_at,
        line.requested_in,
        line.guid,
    )


def file_name() -> str:
    """What the file is called: what it is of, and the day."""
    return f"{NAME}-{now():%Y-%m-%d}.csv"


def export_now(actor: Actor, filters: Filters) -> bytes:
    """The whole file of a list of at most ``AT_ONCE`` lines, and a row of the log; opens its own transaction."""
    require(actor, "software.see")
    content = b"".join(software_table(every_line(actor, filters)))
    with transaction():
        _record(actor, filters, count_lines(actor, filters, up_to=AT_ONCE))
    return content


def export_software(task: Task) -> None:
    """Write the list of software into a file of the job."""
    require(task.actor, "software.see")
    filters = filters_of(task.arguments)
    task.step("writing", count_lines(task.actor, filters))
    passed = Passed(task.counted(every_line(task.actor, filters)))
    stored = store().save(Pieces(software_table(passed)), max_bytes=LARGEST_FILE)
    try:
        with transaction():
            _record(task.actor, filters, passed.count)
            file = (stored.key, stored.size, stored.sha256)
            task.finish({"rows": passed.count}, file=file, file_name=file_name())
    except BaseException:
        session.rollback()
        store().delete(stored.key)
        raise


class Passed(Iterable[Line]):
    """Lines, counted as they pass."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = lines
        self.count = 0

    def __iter__(self) -> Iterator[Line]:
        for line in self._lines:
            self.count += 1
            yield line


def _record(actor: Actor, filters: Filters, rows: int) -> None:
    asked = {name: value for name, value in arguments_of(filters).items() if value}
    audit.record("export_software", by=actor, resource=("software", ""), rows=rows, filters=asked or None)


def arguments_of(filters: Filters) -> dict[str, Any]:
    """What a list is narrowed to, as a job keeps it."""
    return {
        "text": filters.text,
        "family": filters.family.value if filters.family else "",
        "waiting": filters.waiting,
        "deadline_days": filters.deadline_days,
    }


def filters_of(arguments: dict[str, Any]) -> Filters:
    """What a list is narrowed to, as a job kept it."""
    family = arguments.get("family")
    return Filters(
        text=str(arguments.get("text", "")),
        family=ProductFamily(family) if family else None,
        waiting=bool(arguments.get("waiting")),
        deadline_days=int(arguments.get("deadline_days", 0)),
    )
