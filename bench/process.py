"""One whole process, measured: from start to end, with the CPU time of all that it starts."""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_END = 10.0  # seconds that what stays behind has to end


class Measured(t.NamedTuple):
    """A process that has ended: seconds of wall clock, and of ``cpu`` time, user and system."""

    seconds: float
    cpu: float
    status: int
    said: str


def adopt() -> None:
    """Become the parent of descendants that lose theirs.

    ssh's ControlMaster processes leave the process that started them and outlive it. As children of
    this process they can be ended and waited for, and so their CPU time counts, too.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def measure(command: list[str], environment: dict[str, str], timeout: float) -> Measured:
    """Run a command to its end; what it leaves behind is ended. ``adopt`` comes first, once.

    Its CPU time is that of its own process, of the children it waited for, and of those it left
    behind. Lab hosts that are containers on this machine are no descendants: theirs is not in it.

    Raises:
        subprocess.TimeoutExpired: it took longer than ``timeout`` seconds.
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
        try:
            if not _ended(process.pid, timeout):
                raise subprocess.TimeoutExpired(command, timeout)
            seconds = time.perf_counter() - started
            status = process.wait()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
            _end_left_behind()
        said.seek(0)
        return Measured(seconds, _children_cpu() - before, status, said.read())


def _ended(pid: int, timeout: float) -> bool:
    """Wait until a child has ended, and see it at once: Popen.wait looks every 50 ms."""
    descriptor = os.pidfd_open(pid)
    try:
        end = select.poll()
        end.register(descriptor, select.POLLIN)
        return bool(end.poll(timeout * 1000))
    finally:
        os.close(descriptor)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _end_left_behind() -> None:
    deadline = time.monotonic() + _END
    number = signal.SIGTERM
    while children := _children():
        for child in children:
            os.kill(child, number)
        # Children of a child that ends are handed to us, so look again after each.
        while not _reap() and time.monotonic() < deadline:
            time.sleep(0.01)
        if time.monotonic() >= deadline:
            number = signal.SIGKILL


def _reap() -> bool:
    try:
        child, _ = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return child != 0


def _children() -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():  # proc(5): state, then the parent
            found.append(int(stat.parent.name))
    return found


def busy(seconds: float) -> float:
    """Share of this machine's CPU time that was used within the next ``seconds``, 0 to 1."""
    idle, total = _jiffies()
    time.sleep(seconds)
    later_idle, later_total = _jiffies()
    return 1 - (later_idle - idle) / max(1, later_total - total)


def _jiffies() -> tuple[int, int]:
    with Path("/proc/stat").open(encoding="ascii") as stat:
        counts = [int(word) for word in stat.readline().split()[1:9]]
    return counts[3] + counts[4], sum(counts)  # proc(5): idle and iowait
