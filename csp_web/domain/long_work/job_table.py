"""Which function does which kind of long work."""

from __future__ import annotations

import threading

from csp_web.domain.long_work import exports, job_imports, job_rotation, job_work
from csp_web.domain.upkeep import backups

WORK: dict[str, job_work.Work] = {
    "import_keys": job_imports.import_key_sheet,
    "import_price_sheet": job_imports.import_prices,
    "import_customers": job_imports.import_customer_sheet,
    "export_software": exports.export_software,
    "make_backup": backups.make_backup,
    "check_backup": backups.check_backup,
    "rotate_keys": job_rotation.rotate_keys,
}


def work(stop: threading.Event) -> None:
    """Do the long work of this installation until told to stop."""
    job_work.work(stop, WORK)


def work_once() -> int:
    """Do what waits now; returns how many jobs were worked on."""
    return job_work.work_once(threading.Event(), WORK)
