"""The room of lab hosts that is measured on, and the same hosts under many names."""

from __future__ import annotations

import configparser
import json
import shlex
import shutil
import subprocess
import typing as t
from pathlib import Path

import yaml

TOP = Path(__file__).resolve().parent.parent
NAME = "bench"
SSH = shutil.which("ssh") or "/usr/bin/ssh"
_SSH_ARGS = "ansible_ssh_common_args"


class Room(t.NamedTuple):
    """Where a room's inventory and ssh_config lie, and its hosts."""

    inventory: Path
    ssh_config: Path
    hosts: list[str]


class NoRoomError(Exception):
    """There is no such room; the text says how to make it."""


def find(hosts: int) -> Room:
    """Return the room that ``sandbox/room`` has made. Raises NoRoomError."""
    folder = TOP / ".cache" / NAME
    try:
        inventory = yaml.safe_load((folder / "inventory.yml").read_text(encoding="utf-8"))
        names = list(inventory["lab_hosts"]["hosts"])
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise NoRoomError(
            f"There is no room named {NAME}: {error}.\n"
            f"`make bench` makes one, measures and removes it (KEEP=1: it stays)."
        ) from error
    if len(names) != hosts:
        raise NoRoomError(
            f"The room {NAME} has {len(names)} hosts, and {hosts} are measured on.\n"
            f"Remove it with sandbox/room destroy {NAME}, then run make bench again."
        )
    return Room(folder / "inventory.yml", folder / "ssh_config", names)


def aliases(room: Room, count: int, folder: Path) -> Room:
    """Make a room in ``folder`` with ``count`` names for another's hosts, a connection for each."""
    config, names = [], []
    # One letter after the other, so that neighbours in the inventory are different hosts.
    for number in range(count):
        host = room.hosts[number % len(room.hosts)]
        name = f"{host}-{'abcdefghijklmnopqrstuvwxyz'[number // len(room.hosts)]}"
        told = _ssh_says(room.ssh_config, host)
        config.append(f"Host {name}\n  HostName {told['hostname']}\n  HostKeyAlias {host}\n")
        names.append(name)
    config.append(f'Host *\n  Include "{room.ssh_config}"\n')
    made = Room(folder / "inventory.yml", folder / "ssh_config", names)
    made.ssh_config.write_text("".join(config), encoding="utf-8")
    group = yaml.safe_load(room.inventory.read_text(encoding="utf-8"))["lab_hosts"]
    ssh_args = f"-F {shlex.quote(str(made.ssh_config))}"
    group = {
        "hosts": {name: {} for name in names},
        "vars": {**group.get("vars", {}), _SSH_ARGS: ssh_args},
    }
    # JSON is YAML.
    made.inventory.write_text(json.dumps({"lab_hosts": group}, indent=2), encoding="utf-8")
    return made


def _ssh_says(config: Path, host: str) -> dict[str, str]:
    said = subprocess.run(
        [SSH, "-F", str(config), "-G", host], check=True, capture_output=True, text=True
    )
    return dict(line.split(" ", 1) for line in said.stdout.splitlines() if " " in line)


def peers_options(room: Room) -> list[str]:
    """Options of ssh for the peers: the room's, and those of ansible.cfg but for multiplexing.

    A peer has one connection to each host, so there is nothing to multiplex.
    """
    ansible = configparser.ConfigParser(interpolation=None)
    ansible.read(TOP / "ansible.cfg", encoding="utf-8")
    words = shlex.split(ansible.get("ssh_connection", "ssh_args", fallback=""))
    pairs = zip(words[::2], words[1::2], strict=True)
    kept = [word for pair in pairs if not pair[1].startswith("Control") for word in pair]
    return ["-F", str(room.ssh_config), "-o", "ControlPath=none", *kept]
