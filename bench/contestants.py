"""What is measured on a room: one command each, started as a user would start it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench import goals
from bench.results import START_UP
from bench.room import TOP, Room, peers_options
from bench.runner import FOLDER, Contestant

PEERS = TOP / "bench" / "peers"
PYINFRA = TOP / ".cache" / "bench-venv" / "bin" / "pyinfra"


def contestants(room: Room, many: Room) -> list[Contestant]:
    """Return all of them; ``many`` is the room with the 48 names."""
    captures = f"{FOLDER}/captures"
    ssh = peers_options(room)
    play = [str(Path(sys.executable).with_name("ansible-playbook")), "--inventory"]
    warm = [*play, str(room.inventory), "bench/warm.yml"]
    changed = r"^changed: \["
    return [
        Contestant(
            START_UP,
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
            captures=goals.HOSTS,
        ),
        Contestant(
            goals.CAPTURE_SSH,
            "one ssh script that captures the same, on all hosts at once",
            [str(PEERS / "capture"), captures, *ssh, "--", *room.hosts],
            captures=goals.HOSTS,
        ),
    ]


def environment(room: Room) -> dict[str, str]:
    """Return what each contestant is started with: nothing of Ansible's but what the Makefile sets.

    ssh's control sockets lie in the run's folder, which is new, so none is open before.
    """
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME")},
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(TOP / "ansible.cfg"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{FOLDER}/cp",
        "UPCALL_LAB_RUN_FILE": f"{FOLDER}/run.json",
        "UPCALL_BENCH_HOSTS": " ".join(room.hosts),
        "UPCALL_BENCH_SSH_CONFIG": str(room.ssh_config),
    }
