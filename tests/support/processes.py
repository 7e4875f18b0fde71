"""What a server's processes hold, as the kernel tells it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def family(pid: int) -> list[int]:
    """A process and all that come from it."""
    found = [pid]
    for task in (PROC / str(pid) / "task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def memory(pids: list[int]) -> int:
    """Bytes of memory that these processes have, what they share counted once (PSS), without pages of files."""
    total = 0
    for pid in pids:
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss_Anon:"):
                total += int(line.split()[1]) * 1024
    return total


def cpu(pids: list[int]) -> float:
    """Seconds of CPU that these processes have used, in user and in system mode."""
    used = 0
    for pid in pids:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


def spooled(pids: list[int]) -> int:
    """Bytes on the disk in files that have no name any more: what was put aside in temporary files."""
    return sum(_nameless(entry) for pid in pids for entry in (PROC / str(pid) / "fd").iterdir())


def _nameless(entry: Path) -> int:
    with suppress(OSError):
        facts = entry.stat()
        if entry.readlink().name.endswith(" (deleted)"):
            return facts.st_blocks * 512
    return 0
