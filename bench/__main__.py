"""Measures the contestants on the room named bench, which ``make bench`` makes."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import tempfile
from pathlib import Path

from bench import goals
from bench.contestants import PYINFRA, contestants, environment
from bench.machine import machine, said
from bench.results import Heading
from bench.room import SSH, TOP, NoRoomError, Room, aliases, find, peers_options
from bench.runner import Benchmark, options, run

HEADING = Heading(
    "Benchmark",
    "make bench",
    """\
Each starts without an open SSH connection, as a lecturer's run does. The lab hosts are containers
on this machine, so they and the controller share its cores. All are prepared: nothing is missing.
Their health checks are part of what the machine did before each process.

CPU is what the controller's processes used, ssh and its ControlMaster processes included, lab hosts
not. The peers' ssh has the options of ansible.cfg, those for multiplexing excepted.
""",
)
# One line a host: its distribution, its engine, its sshd.
_ASK = (
    '. /etc/os-release; echo "$(sudo docker version --format {{.Server.Version}})'
    " on $ID $VERSION_ID, $(ssh -V 2>&1 | cut -d, -f1), Python"
    " $(python3 -c 'import platform; print(platform.python_version())')\""
)


def facts(room: Room) -> dict[str, str]:
    """Return the machine and the versions, without a name, address or path of either."""
    return {
        **machine(),
        "ansible-core": importlib.metadata.version("ansible-core"),
        "pyinfra": said([str(PYINFRA), "--version"]).rpartition(" ")[2].lstrip("v"),
        "ssh": said([SSH, "-V"]).partition(",")[0],
        "Lab hosts": _hosts(room),
    }


def _hosts(room: Room) -> str:
    told = [said([SSH, *peers_options(room), host, _ASK]) for host in room.hosts]
    return "; ".join(f"{told.count(line)} x Docker {line}" for line in sorted(set(told)))


def main() -> None:
    """Measure, and write what came out."""
    asked = options("bench", goals.CONTESTANTS)
    os.chdir(TOP)
    try:
        room = find(goals.HOSTS)
    except NoRoomError as error:
        sys.exit(f"bench: {error}")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        everyone = contestants(room, aliases(room, goals.ALIASES, Path(name)))
        results = TOP / "bench" / "RESULTS.md"
        run(
            Benchmark(HEADING, goals.GOALS, everyone, environment(room), facts(room), results),
            asked,
        )


if __name__ == "__main__":
    main()
