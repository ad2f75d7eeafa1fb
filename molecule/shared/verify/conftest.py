"""Loaded by every scenario's verify step: a run in which no test passed is a failure.

The folder of this file is always among the paths that the verifier hands to pytest, so pytest runs
(and exits with 5, no tests collected) even for a scenario without a single test file, which
Molecule by itself passes over. Tests that were all skipped are caught here.
"""

from __future__ import annotations

import pytest


class _Passed:
    """Counts the tests that ran to their end.

    A plugin of its own: the hooks of a conftest.py hear of the tests below its own folder only.
    """

    def __init__(self) -> None:
        self.count = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one result."""
        if report.when == "call" and report.passed:
            self.count += 1

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Turn success into failure when nothing was tested."""
        if exitstatus == pytest.ExitCode.OK and not self.count:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say why the run failed, and what to do."""
        if not self.count:
            terminalreporter.write_line(
                "No test of this scenario passed on any lab host: give it a tests/test_*.py; if it "
                "has one, see whether the lab hosts are up (molecule create).",
                red=True,
            )


def pytest_configure(config: pytest.Config) -> None:
    """Let the counter hear of all tests."""
    config.pluginmanager.register(_Passed())
