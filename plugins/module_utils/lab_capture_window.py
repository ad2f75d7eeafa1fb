"""The window of a session in mode watch: a file that is there while students may type.

Whoever waits for the session holds its window, so that it closes where nobody waits any more.
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
_FIRST_GRACE = 120  # seconds until somebody has to hold it: in a large room it takes a while
_GRACE = 5  # seconds until it has to be held again, as by an ansible-playbook that reconnects


def is_unread(timeout: float = 0) -> bool:
    """Return whether nobody reads any more what this module says, as soon as that is seen.

    When an SSH connection ends, sshd closes the other end of this module's output and sends no
    signal. poll(2) tells it: POLLERR of a pipe, POLLHUP of a socket or a terminal.
    """
    output = select.poll()
    output.register(_STDOUT, 0)
    return bool(output.poll(timeout * 1000))


class Window:
    """A file that is there while the window is open, locked by those who hold it."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: t.TextIO | None = None
        self._opened = 0  # the file's time, which whoever holds it changes
        self._until = 0.0  # when it is abandoned, unless somebody holds it

    def __enter__(self) -> None:
        """Open the window."""
        if self._path is not None:
            self._file = open(self._path, "x", encoding="ascii")
            self._opened = os.fstat(self._file.fileno()).st_mtime_ns
            self._until = time.monotonic() + _FIRST_GRACE

    def __exit__(self, *_: object) -> None:
        """Close the window."""
        if self._file is not None:
            self._file.close()
            Path(self._file.name).unlink(missing_ok=True)
            self._file = None

    def is_abandoned(self) -> bool:
        """Return whether nobody has held the window in time, or nobody holds it any more."""
        if self._file is None:
            return False
        now = time.monotonic()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._until = now + _GRACE
            return False
        fcntl.flock(self._file, fcntl.LOCK_UN)
        # It may have been held and left between two looks.
        touched = os.fstat(self._file.fileno()).st_mtime_ns
        if touched != self._opened:
            self._opened = touched
            self._until = now + _GRACE
        return now > self._until


def expire_abandoned_window(who: str) -> None:
    """Have a window that ``who`` opened close soon, unless somebody holds it.

    Nobody does if the run was interrupted between opening the window and holding it.
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
