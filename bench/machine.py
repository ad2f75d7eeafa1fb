"""What the figures were measured on: this machine, the programs, the lab hosts."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

from bench.contestants import PYINFRA
from bench.room import SSH, Room, peers_options

# One line a host: its distribution, its engine, its sshd.
_ASK = (
    '. /etc/os-release; echo "$(sudo docker version --format {{.Server.Version}})'
    " on $ID $VERSION_ID, $(ssh -V 2>&1 | cut -d, -f1), Python"
    " $(python3 -c 'import platform; print(platform.python_version())')\""
)


def facts(room: Room) -> dict[str, str]:
    """What RESULTS.md tells of the machine and of versions. No name, address or path of either."""
    return {
        "Date": datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d, %H:%M UTC"),
        "Processor": _first("/proc/cpuinfo", "model name"),
        "Cores": str(len(os.sched_getaffinity(0))),
        "Memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "Kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "ansible-core": importlib.metadata.version("ansible-core"),
        "pyinfra": _last_word(_say([str(PYINFRA), "--version"])),
        "ssh": _say([SSH, "-V"]).partition(",")[0],
        "Lab hosts": _hosts(room),
    }


def _hosts(room: Room) -> str:
    said = [_say([SSH, *peers_options(room), host, _ASK]) for host in room.hosts]
    return "; ".join(f"{said.count(line)} x Docker {line}" for line in sorted(set(said)))


def _first(path: str, key: str) -> str:
    match = re.search(rf"^{key}\s*:\s*(.*)$", Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else "unknown"


def _say(command: list[str]) -> str:
    done = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout.strip()


def _last_word(text: str) -> str:
    return text.rpartition(" ")[2].lstrip("v") or "not there"
