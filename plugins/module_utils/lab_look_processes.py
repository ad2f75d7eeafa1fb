"""A host's processes, and those that listen on a port, read from /proc (see proc(5))."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

from ansible.module_utils.lab_text import escape_unprintable

_LONGEST = 200  # characters of a command line
_LISTEN = "0A"  # the state TCP_LISTEN in /proc/net/tcp


class Process(t.NamedTuple):
    """One process. ``started`` is Unix time in seconds; ``arguments`` its command line."""

    pid: int
    arguments: list[str]
    started: float

    @property
    def command(self) -> str:
        """Return the command line, shortened and fit to be printed."""
        return escape_unprintable(" ".join(self.arguments), _LONGEST)


def _boot_time() -> float:
    with open("/proc/stat", encoding="ascii", errors="replace") as stat:
        for line in stat:
            if line.startswith("btime "):
                return float(line.split()[1])
    return time.time()


def processes() -> list[Process]:
    """Return the host's processes that have a command line, without those that end meanwhile."""
    boot, ticks = _boot_time(), os.sysconf("SC_CLK_TCK")
    running = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            words = Path(entry.path, "cmdline").read_bytes().split(b"\0")[:-1]
            stat = Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if words:
            # The second field is a name in parentheses that may hold anything, so count after it.
            started = boot + int(stat.rpartition(")")[2].split()[19]) / ticks
            arguments = [word.decode(errors="replace") for word in words]
            running.append(Process(int(entry.name), arguments, started))
    return running


def environment(pid: int) -> dict[str, str]:
    """Return the environment that a process was started with; empty if it cannot be seen."""
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return {}
    split = (pair.decode(errors="replace").partition("=") for pair in pairs)
    return {name: value for name, _, value in split}


def _listening_inodes(pid: int, port: int) -> set[str]:
    """Return the inodes of sockets that listen on a TCP port in a process's network namespace."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    return inodes


def _sockets(pid: int) -> set[str]:
    names = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            names.add(os.readlink(entry.path))
    except OSError:
        # Files close, and processes end, in the meantime.
        return names
    return names


def listener(pid: int, port: int, among: list[Process]) -> Process | None:
    """Return the process that listens on a TCP port in the network namespace of ``pid``."""
    inodes = _listening_inodes(pid, port)
    if not inodes:
        return None
    for process in among:
        if inodes & _sockets(process.pid):
            return process
    return Process(0, ["a process that this host does not show"], time.time())
