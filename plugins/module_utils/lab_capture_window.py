"""The window of a session in mode watch: a file that exists while students may type.

The run that waits for the session holds its window, so that it closes if nothing waits any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import time
import typing as t
from pathlib import Path

from ansible.module_utils.lab_look_session import LOCK_PATH, holder

_STDOUT = 1
_FIRST_GRACE = 120  # seconds until it must be held: in a large room that takes a while
_GRACE = 5  # seconds until it must be held again, as by an ansible-playbook that reconnects


def is_unread(timeout: float = 0) -> bool:
    """Return whether nobody reads this module's output any more, as soon as that shows.

    When an SSH connection ends, sshd closes the other end of this module's output and sends no
    signal. poll(2) reports it: POLLERR of a pipe, POLLHUP of a socket or a terminal.
    """
    output = select.poll()
    output.register(_STDOUT, 0)
    return bool(output.poll(timeout * 1000))


class Window:
    """A file that exists while the window is open, locked by the processes that hold it."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: t.TextIO | None = None
        self._last_touch = 0  # the file's time, which every holder changes
        self._until = 0.0  # when it is abandoned, unless it is held

    def __enter__(self) -> None:
        """Open the window."""
        if self._path is not None:
            self._file = open(self._path, "x", encoding="ascii")
            self._last_touch = os.fstat(self._file.fileno()).st_mtime_ns
            self._until = time.monotonic() + _FIRST_GRACE

    def __exit__(self, *_: object) -> None:
        """Close the window."""
        if self._file is not None:
            self._file.close()
            Path(self._file.name).unlink(missing_ok=True)
            self._file = None

    def is_abandoned(self) -> bool:
        """Return whether the window was not held in time, or is no longer held."""
        if self._file is None:
            return False
        now = time.monotonic()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._until = now + _GRACE
            return False
        fcntl.flock(self._file, fcntl.LOCK_UN)
        # It may have been held and released between two checks.
        touched = os.fstat(self._file.fileno()).st_mtime_ns
        if touched != self._last_touch:
            self._last_touch = touched
            self._until = now + _GRACE
        return now > self._until


def expire_abandoned_window(who: str) -> None:
    """Have a window that ``who`` opened close soon, unless it is held.

    It is not held if the run was interrupted between opening the window and holding it.
    """
    held = holder()
    if held is None or held["who"] != who:
        return
    for window in Path(LOCK_PATH).parent.glob("window-*"):
        with contextlib.suppress(FileNotFoundError):
            os.utime(window)


def hold_window(path: str, timeout: float) -> None:
    """Hold a window until it closes, the time is over, or the connection ends."""
    deadline = time.monotonic() + timeout
    with contextlib.suppress(FileNotFoundError), open(path, encoding="ascii") as window:
        fcntl.flock(window, fcntl.LOCK_SH)
        os.utime(path)
        while os.path.exists(path) and holder() is not None and time.monotonic() < deadline:
            if is_unread(0.1):
                return
