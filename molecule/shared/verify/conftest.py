"""Loaded by every scenario's verify step: a run in which no test passed is a failure.

The folder of this file is always among the paths that the verifier hands to pytest, so pytest runs
(and exits with 5, no tests collected) even for a scenario without a single test file, which
Molecule by itself passes over. Tests that were all skipped are caught here.
"""

from __future__ import annotations

import pytest
import testinfra
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


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


class _HostAfterHost(LoadScopeScheduling):  # type: ignore[misc]  # xdist is untyped
    """Runs lab hosts side by side, and the tests of each one after the other, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        """The lab host that a test runs on, which its id names."""
        options = self.config.option
        hosts = testinfra.get_hosts([options.hosts], ansible_inventory=options.ansible_inventory)
        names = [host.backend.get_pytest_id() for host in hosts]
        return next((name for name in names if name in nodeid), nodeid)


class _Scheduled:
    """Tells xdist how tests are spread."""

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> _HostAfterHost:
        """Never two tests at a time on one lab host."""
        return _HostAfterHost(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Let the counter hear of all tests, in the process that all others report to."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Passed())
        config.pluginmanager.register(_Scheduled())
