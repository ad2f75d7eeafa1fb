"""The suites' lab hosts: made once for all of them, with every step of the lab applied."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.rooms import hosts
from tests.support.lab_hosts import TOP
from tests.support.on_lab_hosts import (  # noqa: F401  # pytest finds them here
    _sockets,
    host,
    pytest_configure,
    pytest_generate_tests,
)

HERE = Path(__file__).parent
ORDER: list[str] = yaml.safe_load((TOP / "sandbox" / "order.yml").read_text("utf-8"))["suite_order"]


@pytest.fixture(scope="session")
def lab_hosts(testrun_uid: str) -> None:
    """Have the lab hosts, with the lab on them: the first test of a run that asks makes them."""
    hosts.make(testrun_uid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the suites into the order of a lab host's life."""
    items.sort(key=lambda item: ORDER.index(item.path.relative_to(HERE).parts[0]))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse a suite without tests or without a place in the order."""
    if not hasattr(session.config, "workerinput"):
        there = {file.parent.name for file in HERE.glob("*/test_*.py")}
        folders = {path.name for path in HERE.iterdir() if path.is_dir() and path.name[0] != "_"}
        if wrong := sorted(folders ^ there | there ^ set(ORDER)):
            raise pytest.UsageError(
                f"{', '.join(wrong)}: a suite is a folder tests/rooms/NAME with test_*.py in it,"
                " and NAME in sandbox/order.yml"
            )
        hosts.forget()


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[t.Any]:
    """Remove the lab hosts that were handed over or used, whatever happened (KEEP=1: they stay)."""
    yield
    if hasattr(session.config, "workerinput"):
        return
    if not (hosts.are_used() or os.environ.get("HAND_OVER")):
        return
    if os.environ.get("KEEP"):
        print("\nThe lab hosts are kept (KEEP is set); remove them with: molecule destroy")
    elif not hosts.remove():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
