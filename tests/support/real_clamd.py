"""Debian's clamd itself, with a signature of our own: no database of the world's viruses, no internet.

The harmless file that every scanner is tried with is put together here, so that no scanner finds it in the source.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from csp_web.services.antivirus import Clamd, ScannerDown

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD" + b"-ANTIVIRUS-" + b"TEST-FILE!$H+H*"
FOUND = "Csp-Web.Eicar-Test.UNOFFICIAL"
LONGEST_STREAM = 2 * 1024 * 1024  # bytes
START_SECONDS = 30
CONFIGURATION = """Foreground yes
DatabaseDirectory {folder}
LocalSocket {folder}/s
TemporaryDirectory {folder}
StreamMaxLength {longest}
AlertExceedsMax yes
MaxThreads 2
SelfCheck 0
"""


@dataclass
class RealClamd:
    """A clamd that is running, or was."""

    folder: Path
    signature: bytes = EICAR  # what it finds
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/s"

    def start(self) -> None:
        """Start it; returns when it answers."""
        configuration = self.folder / "clamd.conf"
        configuration.write_text(CONFIGURATION.format(folder=self.folder, longest=LONGEST_STREAM))
        (self.folder / "own.ndb").write_text(f"Csp-Web.Eicar-Test:0:*:{self.signature.hex()}\n")
        program = shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "clamd"
        with (self.folder / "said").open("wb") as said:
            self._process = subprocess.Popen([program, "-c", str(configuration)], stdout=said, stderr=said)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"clamd did not start:\n{(self.folder / 'said').read_text(errors='replace')}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return Clamd(self.url).version().startswith("ClamAV")
        except ScannerDown:
            return False

    def stop(self) -> None:
        """End it; nobody answers any more."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)
            self._process = None
            (self.folder / "s").unlink(missing_ok=True)


@contextmanager
def real_clamd(folder: Path) -> Iterator[RealClamd]:
    """One that runs while the block does. Its folder needs a short path: sockets have names of at most 107 bytes."""
    scanner = RealClamd(folder)
    scanner.start()
    try:
        yield scanner
    finally:
        scanner.stop()
