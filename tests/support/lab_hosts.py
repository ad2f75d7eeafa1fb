"""Lab hosts as the instructor meets them: through the project's playbooks and over SSH."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

from tests.support.terminal import Terminal

TOP = Path(__file__).resolve().parents[2]
STATE = TOP / ".cache" / os.environ.get("UPCALL_LAB_TEST_ROOM", "lab-hosts")
CAPTURES = TOP / ".cache" / "captures"
IMAGE_ARCHIVE = STATE / "upcall-lab.tar.gz"

LAB = "/opt/upcall-lab"
GREETING = "/etc/profile.d/upcall-lab.sh"
COMPOSE = f"docker compose -f {LAB}/compose/upcall.yml"
SHELL = r"\$ (\x1b\[K)?$"  # on a login's terminal: the shell waits


def playbook_command(name: str, host: str, variables: dict[str, t.Any] | None = None) -> list[str]:
    """Return the command line that runs one of the project's playbooks on one lab host."""
    places = {
        "lab_capture_directory": str(CAPTURES),
        "lab_upcall_image_archive": str(IMAGE_ARCHIVE),
    }
    extra = places | (variables or {})
    return [
        "ansible-playbook",
        f"--inventory={STATE / 'inventory.yml'}",
        f"--limit={host}",
        f"--extra-vars={json.dumps(extra)}",
        str(TOP / "playbooks" / f"{name}.yml"),
    ]


def environment() -> dict[str, str]:
    """Return the environment in which a user runs the project's playbooks."""
    # Molecule has variables of its own, which would hide the project's configuration.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return kept | {
        "ANSIBLE_CONFIG": str(TOP / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "UPCALL_LAB_RUN_FILE": str(STATE / "run.json"),
    }


def run_playbook(
    name: str, host: str, variables: dict[str, t.Any] | None = None, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run one of the project's playbooks on one lab host; output and errors come back together."""
    return run_command([*playbook_command(name, host, variables), *options])


def run_command(
    command: t.Sequence[str | Path] | str,
    timeout: float = 300,
    env: t.Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a user's command in the project's folder; output and errors come back together.

    A text is a line as a user pastes it into a shell.
    """
    return subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=TOP,
        env=environment() if env is None else env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def login(host: str) -> Terminal:
    """Return a login to a lab host, at a terminal that shows just what is written."""
    options = ["-tt", "-o", "ControlPath=none", "-F", str(STATE / "ssh_config")]
    return Terminal(["ssh", *options, host], os.environ | {"TERM": "dumb"})


def repair(host: str, *expected: str, variables: dict[str, t.Any] | None = None) -> str:
    """Run deploy.yml, which must change what is expected, and again, which changes nothing."""
    first, second = (run_playbook("deploy", host, variables) for _ in range(2))
    assert first.returncode == 0, first.stdout
    changed = [
        block.splitlines()[0] for block in first.stdout.split("TASK [") if "\nchanged:" in block
    ]
    assert len(changed) == len(expected), changed
    for line, part in zip(changed, expected, strict=True):
        assert part in line
    assert recap(second.stdout, host)["changed"] == 0, second.stdout
    return first.stdout


def recap(output: str, host: str) -> dict[str, int]:
    """Ansible's counts for one host, from the last lines of a run."""
    line = next(line for line in reversed(output.splitlines()) if line.startswith(f"{host} "))
    pairs = (word.split("=") for word in line.partition(":")[2].split())
    return {name: int(count) for name, count in pairs}


def one_line(output: str) -> str:
    """Return a run's output with white space folded, since Ansible breaks long messages."""
    return " ".join(output.split())
