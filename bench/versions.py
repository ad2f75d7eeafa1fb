"""What a room was measured with: the controller's programs and the lab hosts."""

from __future__ import annotations

import importlib.metadata

from bench.contestants import PYINFRA
from bench.machine import machine, said
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
        **machine(),
        "ansible-core": importlib.metadata.version("ansible-core"),
        "pyinfra": said([str(PYINFRA), "--version"]).rpartition(" ")[2].lstrip("v"),
        "ssh": said([SSH, "-V"]).partition(",")[0],
        "Lab hosts": _hosts(room),
    }


def _hosts(room: Room) -> str:
    told = [said([SSH, *peers_options(room), host, _ASK]) for host in room.hosts]
    return "; ".join(f"{told.count(line)} x Docker {line}" for line in sorted(set(told)))
