"""The worker: the one process that does what no request waits for (``background`` of the server).

One thread does what comes round; long work (``job_table``) has threads of its own, so that mails do not wait behind a
backup, nor a small export behind a large one.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from csp_web import db
from csp_web.config import Settings
from csp_web.db import transaction
from csp_web.domain import outbox
from csp_web.domain.access import sessions, throttle
from csp_web.domain.delivery import scanning, transfers, uploads
from csp_web.domain.long_work import job_table, jobs, periodic
from csp_web.domain.support import attachments
from csp_web.domain.upkeep import backups, configured
from csp_web.services.mail import SmtpServer

MAIL_EVERY = timedelta(seconds=5)
GIVE_BACK_EVERY = timedelta(minutes=5)
SCAN_EVERY = timedelta(seconds=10)
TIDY_EVERY = timedelta(hours=1)
UPLOADS_KEPT = timedelta(days=1)
AT_ONCE = 2  # jobs


def run_worker(stop: threading.Event, settings: Settings) -> None:
    """Point this process at the installation, and do the periodic jobs until told to stop."""
    db.configure(settings.database_url)
    configured.configure(settings)
    register_jobs(settings)
    long_work = [threading.Thread(target=job_table.work, args=(stop,), daemon=True) for _each in range(AT_ONCE)]
    long_work.append(threading.Thread(target=periodic.work, args=(stop, [scans()]), daemon=True))
    for thread in long_work:
        thread.start()
    try:
        periodic.work(stop)
    finally:
        stop.set()
        for thread in long_work:
            thread.join()


def register_jobs(settings: Settings) -> None:
    """Everything that comes round in this installation. Without a mail server mails wait, and a page says so."""
    if settings.smtp_url:
        server = SmtpServer.of(settings.smtp_url, sender=settings.mail_from)
        periodic.register("mails", every=MAIL_EVERY, job=lambda at: send_mails(at, server))
    periodic.register("downloads", every=GIVE_BACK_EVERY, job=give_back_downloads)
    periodic.register("old sign-ins", every=TIDY_EVERY, job=forget_old_sign_ins)
    periodic.register("files", every=TIDY_EVERY, job=sweep_files)
    periodic.register("uploads", every=TIDY_EVERY, job=uploads.sweep_uploads)
    periodic.register("jobs", every=TIDY_EVERY, job=jobs.forget_old)
    periodic.register("backups", every=TIDY_EVERY, job=backups.sweep_left)
    if db.on_sqlite():
        periodic.register("statistics", every=TIDY_EVERY, job=lambda _at: db.refresh_statistics())


def scans() -> periodic.Round:
    """New files are scanned by a thread of their own: a large one takes minutes, and mails do not wait for it."""
    return periodic.Round("virus scans", SCAN_EVERY, scanning.scan_new)


def send_mails(at: datetime, server: SmtpServer) -> None:
    """Send everything that is due now."""
    while outbox.work_once(at, server=server) == outbox.BATCH:
        pass


def forget_old_sign_ins(at: datetime) -> None:
    """Forget failed attempts and ended sessions that mean nothing any more."""
    with transaction():
        throttle.forget_old_failures(at)
        sessions.forget_old_sessions(at)


def give_back_downloads(at: datetime) -> None:
    """Give back the count of downloads that brought nothing (D2)."""
    with transaction():
        transfers.settle_ended(at)


def sweep_files(at: datetime) -> None:
    """Forget files of forms that were never sent, and delete files that no row names."""
    with transaction():
        attachments.forget_unsent(at)
    store = configured.file_store()
    attachments.sweep_orphans(store)
    store.sweep_incoming(UPLOADS_KEPT)
