"""One whole process, measured: from start to end, with the CPU time of all that it starts."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


class Measured(t.NamedTuple):
    """A process that has ended.

    Attributes:
        seconds: wall clock.
        cpu: seconds of CPU time, user and system.
        status: of the process; negative where a signal ended it.
        said: what it wrote, errors included.
        megabytes: memory of its largest process, and no less than what this one has.
    """

    seconds: float
    cpu: float
    status: int
    said: str
    megabytes: float = 0.0


def adopt() -> None:
    """Become the parent of descendants that lose theirs.

    ssh's ControlMaster processes leave the process that started them and outlive it. As children of
    this process they can be ended and waited for, and so their CPU time counts, too.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def measure(command: Sequence[str], environment: Mapping[str, str], timeout: float) -> Measured:
    """Run a command to its end, after ``adopt``; what it leaves behind is ended.

    Its CPU time is that of its own process, of the children it waited for, and of those it left
    behind. Lab hosts that are containers on this machine are no descendants: theirs is not in it.
    """
    before = _children_cpu()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        alarm = threading.Timer(timeout, process.kill)
        alarm.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            alarm.cancel()
            _end_children()
        said.seek(0)
        cpu = _children_cpu() - before
        return Measured(seconds, cpu, process.returncode, said.read(), used.ru_maxrss * 1024 / 1e6)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _end_children() -> None:
    """End every child. Those of a child that ends become children of this process."""
    while children := _children():
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)


def _children() -> list[int]:
    ids = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            parent = stat.read_text(errors="replace").rpartition(")")[2].split()[1]  # proc(5)
            ids += [int(stat.parent.name)] * (int(parent) == os.getpid())
    return ids
