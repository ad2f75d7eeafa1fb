"""What the figures were measured on: the machine, how busy it is, and programs' own versions."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

_QUIET, _PATIENCE = 0.5, 20.0  # share of the CPU time in use; seconds


def machine() -> dict[str, str]:
    """Return the machine, by what each fact is called. No name, address or path of it."""
    return {
        "Date": datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d, %H:%M UTC"),
        "Processor": _first("/proc/cpuinfo", "model name"),
        "Cores": str(len(os.sched_getaffinity(0))),
        "Memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "Kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }


def said(command: Sequence[str]) -> str:
    """Return what a program says of itself; its second stream only where the first is silent."""
    done = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return done.stdout.strip() or done.stderr.strip() or "not there"


def settle() -> float:
    """Wait a while until the machine is quiet; return the share of its CPU time still in use."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        idle, total = _jiffies()
        time.sleep(1)
        later_idle, later_total = _jiffies()
        share = 1 - (later_idle - idle) / max(1, later_total - total)
        if share < _QUIET or time.monotonic() > deadline:
            return share


def _jiffies() -> tuple[int, int]:
    counts = [int(word) for word in _first("/proc/stat", "cpu").split()[:8]]
    return counts[3] + counts[4], sum(counts)  # proc(5): idle and iowait


def _first(path: str, key: str) -> str:
    match = re.search(rf"^{key}[\s:]+(.*)$", Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else "unknown"
