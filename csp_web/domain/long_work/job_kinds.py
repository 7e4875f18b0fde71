"""Which kinds of long work there are: what they are called, who may, what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from csp_web.i18n import N_, ngettext
from csp_web.i18n import gettext as _
from csp_web.models import JobState


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work. ``permission`` is needed to start it and to fetch what came of it; ``alone``: one at a time."""

    name: str
    permission: str
    of_operator: bool = False
    alone: bool = False
    bytes_counted: bool = False  # else rows
    lasting: bool = False  # done in many transactions: what was done stays when it is cancelled


KINDS = {
    "import_keys": Kind(N_("Import of keys"), "operator.manage", of_operator=True),
    "import_price_sheet": Kind(N_("Import of a price sheet"), "operator.manage", of_operator=True),
    "import_customers": Kind(N_("Import of customers"), "customers.add"),
    "export_software": Kind(N_("Export of software"), "software.see"),
    "make_backup": Kind(N_("Backup"), "operator.manage", of_operator=True, alone=True, bytes_counted=True),
    "check_backup": Kind(N_("Check of a backup"), "operator.manage", of_operator=True, alone=True, bytes_counted=True),
    "rotate_keys": Kind(N_("New secret for the keys"), "operator.manage", of_operator=True, alone=True, lasting=True),
}

STATES = {
    JobState.QUEUED: N_("Waiting"),
    JobState.RUNNING: N_("Running"),
    JobState.DONE: N_("Done"),
    JobState.FAILED: N_("Failed"),
    JobState.CANCELLED: N_("Cancelled"),
}

STEPS = {
    "reading": N_("Reading"),
    "checking": N_("Checking"),
    "storing": N_("Storing"),
    "writing": N_("Writing"),
    "packing": N_("Packing the workbook"),
    "database": N_("Copying the database"),
    "files": N_("Copying the files"),
    "proving": N_("Reading it back"),
    "moving": N_("Encrypting anew"),
}

COUNTS = {
    "rows": N_("Rows"),
    "damaged": N_("Could not be read"),
    "added": N_("Added"),
    "unchanged": N_("Unchanged"),
    "ended": N_("Older prices ended"),
    "corrected": N_("Prices corrected"),
    "new_products": N_("New products"),
    "new_skus": N_("New SKUs"),
    "retitled": N_("Changed titles"),
    "not_named": N_("Prices in force that the sheet does not name"),
    "filled": N_("Lines that got keys"),
    "files": N_("Files"),
}


def counted(kind: str, done: int, total: int) -> str:
    """How far it is in numbers: "12,400 of 50,000 rows"; empty for a step that counts nothing."""
    from csp_web.i18n import format_number, format_size

    if not done and not total:
        return ""
    if KINDS[kind].bytes_counted:
        if not total:
            return format_size(done)
        return _("%(done)s of %(total)s", done=format_size(done), total=format_size(total))
    if not total:
        return ngettext("%(num)s row", "%(num)s rows", done)
    return ngettext("%(done)s of %(num)s row", "%(done)s of %(num)s rows", total, done=format_number(done))


def pace(kind: str, done: int, total: int, seconds: float) -> str:
    """How fast it goes, and how long it will go on: "6,200 rows per second, about 6 seconds left"; empty at the start."""
    from csp_web.i18n import format_size

    if done <= 0 or seconds < 1:
        return ""
    speed = done / seconds
    if KINDS[kind].bytes_counted:
        said = _("%(size)s per second", size=format_size(int(speed)))
    else:
        said = ngettext("%(num)s row per second", "%(num)s rows per second", max(1, round(speed)))
    return f"{said}, {left(round((total - done) / speed))}" if total > done else said


def left(seconds: int) -> str:
    """About how long it will go on."""
    if seconds < 100:
        return ngettext("about %(num)s second left", "about %(num)s seconds left", max(1, seconds))
    return ngettext("about %(num)s minute left", "about %(num)s minutes left", round(seconds / 60))


def counts(result: dict[str, object] | None) -> Sequence[tuple[str, int]]:
    """What came of it in numbers, with labels."""
    given = result or {}
    return [(_(label), value) for name, label in COUNTS.items() if isinstance(value := given.get(name), int)]
