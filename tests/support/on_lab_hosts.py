"""What all tests on lab hosts share, as fixtures and hooks that a conftest.py takes over.

``host`` is each lab host of ``sandbox/hosts.yml`` in turn. Lab hosts are tested side by side, with
never two tests at a time on one of them. A folder in which no test passed is a failure: pytest by
itself is content with tests that were all skipped.
"""

from __future__ import annotations

import tempfile
import typing as t
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest
import testinfra
import yaml
from testinfra.host import Host
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support.lab_hosts import STATE, TOP

_LISTED = yaml.safe_load((TOP / "sandbox" / "hosts.yml").read_text(encoding="utf-8"))
NAMES: list[str] = sorted(host["name"] for host in _LISTED["sandbox_host_list"])


@pytest.fixture(scope="session")
def lab_hosts() -> None:
    """Have the lab hosts. Here, whoever runs the tests has made them."""


@pytest.fixture(scope="session")
def _sockets() -> Iterator[Path]:
    """Return a folder for SSH connections that stay open; sockets have short paths."""
    with tempfile.TemporaryDirectory(prefix="ssh-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def host(_lab_host: str, lab_hosts: None, _sockets: Path) -> Host:  # noqa: ARG001
    """Return a lab host as the instructor reaches it."""
    return testinfra.get_host(
        f"ssh://{_lab_host}",
        ssh_config=str(STATE / "ssh_config"),
        controlpath=str(_sockets / "%%h"),
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a lab host on each of them."""
    if "_lab_host" in metafunc.fixturenames:
        metafunc.parametrize("_lab_host", NAMES, scope="module")


def pytest_configure(config: pytest.Config) -> None:
    """Listen and schedule in the process that all others report to."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Passed())
        config.pluginmanager.register(_Scheduled())


class _Passed:
    """Counts the tests that passed, by folder.

    A plugin of its own: the hooks of a conftest.py hear of the tests below its own folder only.
    """

    def __init__(self) -> None:
        self._passed: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    @property
    def _in_vain(self) -> list[str]:
        return [folder for folder in self._seconds if not self._passed[folder]]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one result."""
        folder = str(PurePath(report.nodeid.partition("::")[0]).parent)
        self._passed[folder] += report.when == "call" and report.passed
        self._seconds[folder] += report.duration

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Turn success into failure where nothing was tested."""
        if exitstatus == pytest.ExitCode.OK and self._in_vain:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell the seconds of each folder, summed over lab hosts, and where nothing was tested."""
        for folder, seconds in self._seconds.items():
            terminalreporter.write_line(f"{folder:40} {seconds:7.0f} s")
        for folder in self._in_vain:
            terminalreporter.write_line(f"{folder}: no test passed on any lab host", red=True)


class _HostAfterHost(LoadScopeScheduling):  # type: ignore[misc]  # xdist is untyped
    """Runs lab hosts side by side, and the tests of each one after the other, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        """Return the lab host that a test runs on, which its id names, or else its folder."""
        folder = str(PurePath(nodeid.partition("::")[0]).parent)
        return next((name for name in NAMES if name in nodeid), folder)


class _Scheduled:
    """Tells xdist how tests are spread."""

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> t.Any:
        """Never two tests at a time on one lab host."""
        return _HostAfterHost(config, log)
