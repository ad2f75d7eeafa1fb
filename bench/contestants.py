"""Who is measured: one command each, started as a user would start it."""

from __future__ import annotations

import os
import re
import sys
import typing as t
from pathlib import Path

from bench import goals
from bench.room import TOP, Room, peers_options

PEERS = TOP / "bench" / "peers"
PYINFRA = TOP / ".cache" / "bench-venv" / "bin" / "pyinfra"
FOLDER = "@FOLDER@"  # in a command: the folder of this one run
TIMEOUT = 1800.0  # seconds; a contestant that hangs does not hang the benchmark


class Contestant(t.NamedTuple):
    """A command. Output that matches ``unwanted`` says that a host was not prepared after all."""

    name: str
    what: str
    command: list[str]
    unwanted: str = ""
    captures: bool = False

    def trouble(self, status: int, said: str, folder: Path) -> str:
        """Why a run of it does not count; empty if it does."""
        last = "\n".join(said.strip().splitlines()[-15:])
        if status != 0:
            return f"it ended with status {status}:\n{last}"
        if self.unwanted and re.search(self.unwanted, said, re.MULTILINE):
            return f"it changed something, and there should be nothing to change:\n{said.strip()}"
        if self.captures and len(list(folder.glob("*/upcall.pcap"))) != goals.HOSTS:
            return f"it did not bring {goals.HOSTS} captures:\n{last}"
        return ""


def contestants(room: Room, many: Room) -> list[Contestant]:
    """All of them; ``many`` is the room with the 48 names."""
    captures = f"{FOLDER}/captures"
    ssh = peers_options(room)
    play = [str(Path(sys.executable).with_name("ansible-playbook")), "--inventory"]
    warm = [*play, str(room.inventory), "bench/warm.yml"]
    changed = r"^changed: \["
    return [
        Contestant(
            goals.START_UP,
            "ansible-playbook with a play without a task",
            [*play, str(room.inventory), "bench/nothing.yml"],
        ),
        Contestant(
            goals.CONNECT,
            "`ssh host true` on all hosts at once",
            [str(PEERS / "connect"), *ssh, "--", *room.hosts],
        ),
        Contestant(
            goals.FLOOR,
            "`ssh host sudo bash -s` on all hosts at once, one script that checks the same",
            [str(PEERS / "floor"), *ssh, "--", *room.hosts],
        ),
        Contestant(
            goals.PYINFRA,
            "pyinfra with the same checks, as many hosts at once as it likes",
            [
                str(PYINFRA),
                "-y",
                str(PEERS / "pyinfra/inventory.py"),
                str(PEERS / "pyinfra/deploy.py"),
            ],
            unwanted=r"\] Success",
        ),
        Contestant(goals.WARM, "prepare.yml and deploy.yml, 6 hosts", warm, unwanted=changed),
        Contestant(
            goals.MANY,
            "the same, 48 names for the 6 hosts, a connection for each",
            [*play, str(many.inventory), "bench/warm.yml"],
            unwanted=changed,
        ),
        Contestant(
            goals.UNTRUSTED,
            "the same roles, each task sent whatever the look saw (not the image)",
            [*warm, "--extra-vars", '{"lab_look_trusted": false}'],
        ),
        Contestant(
            goals.CAPTURE,
            "playbooks/capture.yml, 6 hosts",
            [
                *play,
                str(room.inventory),
                "playbooks/capture.yml",
                "--extra-vars",
                f"lab_capture_directory={captures}",
            ],
            captures=True,
        ),
        Contestant(
            goals.CAPTURE_SSH,
            "one ssh script that captures the same, on all hosts at once",
            [str(PEERS / "capture"), captures, *ssh, "--", *room.hosts],
            captures=True,
        ),
    ]


def environment(room: Room, folder: Path) -> dict[str, str]:
    """What each contestant is started with: nothing of Ansible's but what the Makefile sets.

    ssh's control sockets lie in ``folder``, which is new for each process, so none is open before.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return kept | {
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(TOP / "ansible.cfg"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "UPCALL_LAB_RUN_FILE": str(folder / "run.json"),
        "UPCALL_BENCH_HOSTS": " ".join(room.hosts),
        "UPCALL_BENCH_SSH_CONFIG": str(room.ssh_config),
    }
