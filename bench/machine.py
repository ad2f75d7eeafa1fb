"""What the figures were measured on: the machine, and programs' own words on their versions."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path


def machine() -> dict[str, str]:
    """The machine, by what each fact is called. No name, address or path of it."""
    return {
        "Date": datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d, %H:%M UTC"),
        "Processor": _first("/proc/cpuinfo", "model name"),
        "Cores": str(len(os.sched_getaffinity(0))),
        "Memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "Kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }


def said(command: Sequence[str]) -> str:
    """What a program says of itself; on its second stream only where the first is silent."""
    done = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or done.stderr.strip() or "not there"


def _first(path: str, key: str) -> str:
    match = re.search(rf"^{key}\s*:\s*(.*)$", Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else "unknown"
