"""A skipped test proves nothing, so it fails the run; so does one that is expected to fail."""

from __future__ import annotations

import pytest

NOT_RUN = ("skipped", "xfailed", "xpassed")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turn a green run with skipped tests red."""
    if _not_run(session.config) and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which tests did not run."""
    if names := _not_run(config):
        terminalreporter.section("skipped tests fail the run", red=True)
        for name in names:
            terminalreporter.write_line(name)


def _not_run(config: pytest.Config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # a worker process: the main one counts
        return []
    return [report.nodeid for outcome in NOT_RUN for report in reporter.stats.get(outcome, [])]
