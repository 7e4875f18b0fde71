"""Examine an installation and say what is wrong with it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import func, select, text

from csp_web import db, migrate
from csp_web.cli.base import open_installation
from csp_web.cli.stored_files import damaged_files
from csp_web.config import Settings
from csp_web.domain import audit
from csp_web.domain.stock import key_rotation, vault
from csp_web.domain.upkeep import configured, invariants
from csp_web.errors import DomainError
from csp_web.models import DownloadOption, OutboxMessage, OutboxState, ProductKey, Scan, TicketFile
from csp_web.services.antivirus import ScannerDown

ENOUGH_BYTES = 500_000_000
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and what is wrong with it, if anything; a note is not wrong but worth knowing."""

    subject: str
    problem: str = ""
    note: str = ""

    def __str__(self) -> str:
        state = "FAIL" if self.problem else "note" if self.note else "ok  "
        said = self.problem or self.note
        return f"{state}  {self.subject}{': ' + said if said else ''}"


@click.command()
@click.option("--read-files", is_flag=True, help="Read every stored file and compare its SHA-256; takes a while.")
def doctor(read_files: bool) -> None:
    """Examine the installation and say what is wrong with it. Exits 1 when something is."""
    sys.exit(0 if examine(open_installation(), read_files=read_files) else 1)


def examine(settings: Settings, *, read_files: bool = False) -> bool:
    """Print a line per thing that was looked at; True when nothing is wrong."""
    healthy = True
    for finding in _findings(settings, read_files):
        healthy = healthy and not finding.problem
        click.echo(str(finding))
    db.session.remove()
    return healthy


def _findings(settings: Settings, read_files: bool) -> Iterator[Finding]:
    yield Finding("database is whole", _integrity())
    yield Finding("tables are as this version needs them", _named(map(str, _differences(settings))))
    yield Finding("activity log is unbroken", _named(f"row {seq}" for seq in audit.broken_links()))
    yield Finding("rules hold", _named(f"{sentence} ({count})" for sentence, count in invariants.broken()))
    yield Finding("stored keys can be read", _keys(), _under_older_secret())
    yield Finding("files are there and whole", _named(damaged_files(read=read_files)))
    yield Finding("secrets are private", _private(settings.data_dir))
    yield Finding("disk has room", _room(settings.data_dir))
    yield Finding("mail goes out", note=_mail(settings))
    if settings.clamd_url:
        yield Finding("files are scanned for viruses", _scanner(), _scans())


def _named(found: Iterator[str]) -> str:
    """The first few of what was found, and how many more there are."""
    everything = list(found)
    more = len(everything) - MOST_NAMED
    return "; ".join(everything[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _differences(settings: Settings) -> Iterator[object]:
    found = migrate.differences(settings.database_url)
    db.configure(settings.database_url)
    yield from found


def _integrity() -> str:
    if not db.on_sqlite():
        return ""
    found = db.session.execute(text("PRAGMA integrity_check")).scalars().all()
    orphans = db.session.execute(text("PRAGMA foreign_key_check")).all()
    return _named(
        iter([line for line in found if line != "ok"] + [f"row without its parent: {row}" for row in orphans])
    )


def _keys() -> str:
    """Whether the secret in use is the one that the stock was encrypted under: one key of each secret is read."""
    samples = select(func.min(ProductKey.id)).group_by(ProductKey.key_id)
    for key in db.session.scalars(select(ProductKey).where(ProductKey.id.in_(samples))):
        try:
            vault.unseal(vault.Sealed(key.ciphertext, key.key_id), sku=key.sku_id)
        except DomainError as refusal:
            return f"{refusal.sentence} {refusal.advice}"
    return ""


def _under_older_secret() -> str:
    older = key_rotation.outdated()
    return f"{older} are under an older secret; run csp-web keys rotate" if older else ""


def _private(folder: Path) -> str:
    secrets = (folder / "secret-key", folder / "keys-key")
    open_ones = [str(path) for path in secrets if path.exists() and path.stat().st_mode & 0o077]
    return f"others can read {', '.join(open_ones)}; run chmod 600 on them" if open_ones else ""


def _room(folder: Path) -> str:
    free = shutil.disk_usage(folder).free
    return f"only {free // 1_000_000} MB are free" if free < ENOUGH_BYTES else ""


def _mail(settings: Settings) -> str:
    states = select(OutboxMessage.state, func.count()).group_by(OutboxMessage.state)
    counts = {row[0]: row[1] for row in db.session.execute(states)}
    said = [] if settings.smtp_url else ["CSP_WEB_SMTP_URL is not set, mails wait"]
    waiting, failed = counts.get(OutboxState.WAITING, 0), counts.get(OutboxState.FAILED, 0)
    said += [f"{waiting} waiting"] if waiting and not settings.smtp_url else []
    said += [f"{failed} given up"] if failed else []
    return ", ".join(said)


def _scanner() -> str:
    clamd = configured.scanner()
    try:
        return "" if clamd is None or clamd.version() else "clamd says nothing of itself"
    except ScannerDown as error:
        return f"{error}; new files stay unscanned until it does"


def _scans() -> str:
    counts = {Scan.BLOCKED: 0, Scan.UNSCANNED: 0}
    for model in (DownloadOption, TicketFile):
        for state, count in db.session.execute(select(model.scan, func.count()).group_by(model.scan)):
            counts[state] = counts.get(state, 0) + count
    return ", ".join(f"{counts[state]} {state}" for state in (Scan.BLOCKED, Scan.UNSCANNED) if counts[state])
