"""A classroom before its first contact: a user has a password, the controller knows no host key."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

from testinfra.host import Host

from tests.support.captures import name_of
from tests.support.lab_hosts import STATE, TOP, environment
from tests.support.terminal import Terminal

USER = "lecturer"
PASSWORD = "Four horses, 1 staple"  # noqa: S105  # of a user who lives as long as one test
PATIENCE = 240  # seconds: a run, on a busy machine


class Room:
    """A classroom of one machine, under one or more names, and a controller that never saw it.

    Attributes:
        known_hosts: where the controller's ssh keeps host keys; not there at first.
        key: the private key; its public part lies beside it.
    """

    def __init__(self, host: Host, folder: Path, sockets: Path) -> None:
        self.host = host
        self.known_hosts = folder / "known_hosts"
        self.key = folder / "id_ed25519"
        self.address = address_of(host)
        self._remembered: dict[str, str] = {}
        self._inventory = folder / "inventory.yml"
        # SSH sockets have short paths, and each controller its own: nothing open is shared.
        self._sockets = sockets
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        self.seats("seat-1")

    def seats(self, *names: str, **variables: dict[str, t.Any]) -> None:
        """Name the machine in the inventory, once for each name; variables are by name."""
        options = (
            f"-F none -o GlobalKnownHostsFile=none -o UserKnownHostsFile={self.known_hosts}"
            " -o IdentitiesOnly=yes -o IdentityAgent=none -o UpdateHostKeys=no -o HostKeyAlias="
        )
        hosts = {name: {"ansible_ssh_common_args": options + name} for name in names}
        for name, more in variables.items():
            hosts[name] |= more
        common = {
            "ansible_host": self.address,
            "ansible_user": USER,
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_python_interpreter": "/usr/bin/python3",
            "lab_enroll_timeout": 60,
            **self._remembered,
        }
        self._inventory.write_text(json.dumps({"lab_hosts": {"hosts": hosts, "vars": common}}))

    def remember(self, **passwords: str) -> None:
        """Have passwords in the inventory, for runs that nobody types at."""
        self._remembered = passwords
        self.seats("seat-1")

    def command(self, *options: str, **variables: t.Any) -> list[str]:
        """Return the command line that enrolls the room."""
        extra = [f"--extra-vars={json.dumps(variables)}"] if variables else []
        playbook = str(TOP / "playbooks" / "enroll.yml")
        return ["ansible-playbook", f"--inventory={self._inventory}", *extra, *options, playbook]

    def _environment(self) -> dict[str, str]:
        more = {"ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._sockets), "ANSIBLE_TIMEOUT": "60"}
        return environment() | more

    def forget_open_connections(self) -> None:
        """Let the next run open connections of its own."""
        self._sockets /= "next"

    def run(self, *options: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
        """Enroll the room where nobody can be asked."""
        return subprocess.run(
            self.command(*options, **variables),
            cwd=TOP,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def sit_down(self, *options: str, **variables: t.Any) -> Terminal:
        """Enroll the room at a terminal."""
        return Terminal(self.command(*options, **variables), self._environment(), PATIENCE)

    def fingerprint(self, kind: str = "ed25519") -> str:
        """Return the fingerprint that a lecturer reads at the machine."""
        with self.host.sudo():
            shown = self.host.check_output(f"ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub")
        return str(shown.split()[1])

    def keys_there(self) -> str:
        """Return the user's ``authorized_keys`` on the machine, empty if there is none."""
        with self.host.sudo():
            return str(self.host.run(f"cat /home/{USER}/.ssh/authorized_keys").stdout)

    def is_untouched(self) -> bool:
        """Return whether the run left no trace: no host key here, nothing of the user's there."""
        with self.host.sudo():
            return not self.known_hosts.exists() and not self.host.file(f"/home/{USER}/.ssh").exists

    def log_in(self) -> bool:
        """Return whether ssh gets in with the key alone, on a connection of its own."""
        done = subprocess.run(
            [
                *("ssh", "-F", "none", "-i", self.key, "-o", "IdentitiesOnly=yes"),
                *("-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o", "HostKeyAlias=seat-1"),
                *(
                    "-o",
                    "StrictHostKeyChecking=yes",
                    "-o",
                    f"UserKnownHostsFile={self.known_hosts}",
                ),
                *("-o", "PasswordAuthentication=no", f"{USER}@{self.address}", "true"),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode == 0


def address_of(host: Host) -> str:
    """Return the lab host's address, from the configuration of the tests' own ssh."""
    told = subprocess.run(
        ["ssh", "-G", "-F", STATE / "ssh_config", name_of(host)],
        capture_output=True,
        text=True,
        check=True,
    )
    return next(ln.split()[1] for ln in told.stdout.splitlines() if ln.startswith("hostname "))
