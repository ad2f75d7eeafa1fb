"""A window closes when nobody holds it: never silently open until its own end."""

from __future__ import annotations

import fcntl
import os
import time
import typing as t
from pathlib import Path

import pytest

from tests.support.loading import load, load_utility

UTILS = ("lab_look_processes", "lab_look_session")


@pytest.fixture(scope="module")
def capture() -> t.Any:
    """Return the window, with what it uses under the names that they have on a lab host."""
    for name in UTILS:
        load_utility(name)
    return load("plugins/module_utils/lab_capture_window.py")


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(capture: t.Any, monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(capture.time, "monotonic", made.monotonic)
    return made


def come_and_go(path: Path) -> None:
    """Do as lab_capture_hold_window does, in less time than the session takes between two looks."""
    with path.open() as window:
        fcntl.flock(window, fcntl.LOCK_SH)
        os.utime(path, ns=(time.time_ns(), time.time_ns() + 1_000))


def test_who_came_and_went_between_two_looks_is_missed(
    capture: t.Any, clock: Clock, tmp_path: Path
) -> None:
    path = tmp_path / "window"
    window = capture.Window(str(path))
    with window:
        assert not window.is_abandoned()
        come_and_go(path)
        assert not window.is_abandoned()
        clock.now += 6
        assert window.is_abandoned()


def test_who_stays_keeps_it_open(capture: t.Any, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "window"
    window = capture.Window(str(path))
    with window, path.open() as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        for _ in range(5):
            clock.now += 100
            assert not window.is_abandoned()
        fcntl.flock(held, fcntl.LOCK_UN)
        assert not window.is_abandoned()
        clock.now += 6
        assert window.is_abandoned()


def test_a_window_to_which_nobody_comes_closes(
    capture: t.Any, clock: Clock, tmp_path: Path
) -> None:
    window = capture.Window(str(tmp_path / "window"))
    with window:
        clock.now += 119
        assert not window.is_abandoned()
        clock.now += 2
        assert window.is_abandoned()
