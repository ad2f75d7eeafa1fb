"""The lock of a host's lab: one session at a time holds it, and leaves nothing behind.

Every process that a session starts has its id in the environment, so that the next session finds
the leftovers, whatever happened to the session itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
import typing as t

from ansible.module_utils.lab_look_processes import Process, environment, processes

MARK = "UPCALL_LAB_SESSION"
LOCK_PATH = "/run/upcall-lab/session.lock"

# The programs that a session starts: only their environment is read.
_STARTED = ("tcpdump", "python", "docker")


class HeldError(Exception):
    """Another session holds the lab; ``holder`` says who, since when, and in which process."""

    def __init__(self, holder: dict[str, t.Any]) -> None:
        super().__init__("another session holds the lab")
        self.holder = holder


def holder() -> dict[str, t.Any] | None:
    """Return who holds the lab now (keys ``who``, ``since``, ``pid``), or None."""
    try:
        descriptor = os.open(LOCK_PATH, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "r", encoding="utf-8", errors="replace") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _read_holder(lock)
    return None


def _read_holder(lock: t.TextIO) -> dict[str, t.Any]:
    try:
        content = json.loads(lock.read(4096))
    except ValueError:
        content = None
    entries = content if isinstance(content, dict) else {}
    return {key: entries.get(key, "unknown") for key in ("who", "since", "pid")}


def hold(who: str, since: str, timeout: float) -> t.TextIO:
    """Take the lab within ``timeout`` seconds, or raise HeldError.

    The lab is held until the returned file is closed.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            return _hold(who, since)
        except HeldError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _hold(who: str, since: str) -> t.TextIO:
    os.makedirs(os.path.dirname(LOCK_PATH), mode=0o755, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.fdopen(os.open(LOCK_PATH, flags, 0o644), "r+", encoding="utf-8", errors="replace")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        with lock:
            raise HeldError(_read_holder(lock)) from None
    lock.truncate(0)
    json.dump({"who": who, "since": since, "pid": os.getpid()}, lock)
    lock.flush()
    return lock


def marked(among: list[Process] | None = None, session: str | None = None) -> list[Process]:
    """Return the processes that a session started: one session, or any."""
    started = []
    for process in processes() if among is None else among:
        if os.path.basename(process.arguments[0]).startswith(_STARTED):
            mark = environment(process.pid).get(MARK)
            if mark is not None and session in (None, mark):
                started.append(process)
    return started


def end(processes: list[Process], timeout: float) -> None:
    """Interrupt processes as Ctrl-C does; kill those that last longer than ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    for process in processes:
        _signal(process, signal.SIGINT)
    while any(os.path.exists(f"/proc/{process.pid}") for process in processes):
        if time.monotonic() > deadline:
            for process in processes:
                _signal(process, signal.SIGKILL)
            return
        time.sleep(0.02)


def _signal(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)
