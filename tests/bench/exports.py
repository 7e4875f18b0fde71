"""``python -m tests.bench.exports``: the list of all software of a large installation as CSV and as XLSX, by the worker.

Prints rows per second, the peak of memory (resident), the size of the file and what the disk held meanwhile.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from csp_web import db
from csp_web.app import create_app
from csp_web.config import Settings, complete
from csp_web.db import session, transaction
from csp_web.domain.access.actors import actor_of
from csp_web.domain.delivery.software_filters import COLUMNS
from csp_web.domain.long_work import exports, job_table, jobs
from csp_web.models import Job, JobState, User
from tests.bench.filling import fill

LINES, FEW = 1_000_000, 10_000
VIEWS: dict[str, list[str]] = {"usual columns": [], "every column": list(COLUMNS)}


@dataclass(frozen=True)
class Cost:
    """What one export took."""

    rows: int
    seconds: float
    cpu: float
    file: float  # MB
    memory: float = 0.0  # MB of its own at most
    resident: float = 0.0  # MB at most, with the pages of the database's file that SQLite maps
    disk: float = 0.0  # MB at most in the folder of jobs


def main() -> None:
    """Fill an installation of few lines and one of many, and export both."""
    options = argparse.ArgumentParser(prog="python -m tests.bench.exports", description=__doc__)
    options.add_argument("--lines", type=int, default=LINES)
    options.add_argument("--keep", type=Path, help="a folder in which the installations stay for the next run")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for count in (FEW, chosen.lines):
            settings = complete(Settings(data_dir=(chosen.keep or Path(folder)) / str(count)))
            _fill(settings, count)
            for name, columns in VIEWS.items():
                for form in exports.FORMATS:
                    _tell(name, form, export(settings, form, columns))


def _fill(settings: Settings, lines: int) -> None:
    start = time.monotonic()
    if (settings.data_dir / "filled").exists():
        return
    fill(settings, customers=max(1, lines // 10), subscriptions=lines, tickets=max(1, lines // 10))
    session.remove()
    db.engine().dispose()
    (settings.data_dir / "filled").touch()
    print(f"filled {lines:,} lines in {time.monotonic() - start:.0f} s", flush=True)


def _tell(name: str, form: str, cost: Cost) -> None:
    print(
        f"{cost.rows:>9,} rows, {name:<13} {form:<4} {cost.seconds:7.1f} s {cost.rows / cost.seconds:8,.0f} rows/s, "
        f"CPU {cost.cpu:6.1f} s, memory {cost.memory:4.0f} MB (resident {cost.resident:4.0f}), "
        f"file {cost.file:6.1f} MB, disk {cost.disk:6.0f} MB",
        flush=True,
    )


def export(settings: Settings, form: str, columns: list[str]) -> Cost:
    """Export the whole list in a process of its own, which has held nothing before."""
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    process = processes.Process(target=_work, args=(settings, form, columns, theirs))
    disk, memory, resident = _Disk(settings.data_dir / "jobs"), 0.0, 0.0
    process.start()
    try:
        while not ours.poll(0.2) and process.is_alive():
            disk.look()
            own, all_of_it = _memory(process.pid)
            memory, resident = max(memory, own), max(resident, all_of_it)
        cost: Cost = ours.recv()
    finally:
        process.join(10)
    return replace(cost, memory=memory, resident=resident, disk=disk.most / 1e6)


def _memory(pid: int | None) -> tuple[float, float]:
    """What a process holds of its own and with mapped files, in MB."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0, 0.0
    facts = dict(line.split(":", 1) for line in text.splitlines())
    own, resident = (int(facts.get(name, "0").split()[0]) / 1024 for name in ("RssAnon", "VmHWM"))
    return own, resident


class _Disk:
    """How much a folder held at most."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.most = folder, 0
        self._before = self._held()

    def look(self) -> None:
        """Look now."""
        self.most = max(self.most, self._held() - self._before)

    def _held(self) -> int:
        held = 0
        for path in self._folder.rglob("*"):
            try:
                held += path.stat().st_size if path.is_file() else 0
            except FileNotFoundError:
                continue
        return held


def _work(settings: Settings, form: str, columns: list[str], tell: Connection) -> None:
    create_app(settings)
    with transaction():
        alice = actor_of(session.query(User).filter_by(email="alice@contoso.example").one())
        arguments = {"format": form, "columns": columns}
        number = jobs.start("export_software", by=alice, subject="bench", arguments=arguments).id
    start, before = time.monotonic(), time.process_time()
    job_table.work_once()
    seconds, cpu = time.monotonic() - start, time.process_time() - before
    row = session.get_one(Job, number, populate_existing=True)
    if row.state is not JobState.DONE:
        raise RuntimeError(f"the export ended {row.state}: {row.error}")
    tell.send(Cost(row.done, seconds, cpu, row.file_size / 1e6))


if __name__ == "__main__":
    main()
