"""A room of a test's own: made and removed by sandbox/room, and a whole site.yml run over it."""

from __future__ import annotations

import json
import subprocess
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.lab_hosts import TOP, environment, run_command


@dataclass(frozen=True)
class Room:
    """Lab hosts that a test may stop, break and repair as it likes."""

    name: str
    hosts: list[str]

    @property
    def state(self) -> Path:
        """Folder of the generated files: inventory, SSH configuration, and what the tests add."""
        return TOP / ".cache" / self.name

    @property
    def inventory(self) -> Path:
        return self.state / "inventory.yml"

    @property
    def captures(self) -> Path:
        return self.state / "captures"

    @property
    def archive(self) -> Path:
        """The lab's image on the controller; it is not there before the first run."""
        return self.state / "upcall-lab.tar.gz"

    @property
    def variables(self) -> dict[str, t.Any]:
        """What keeps a run over this room out of the user's own folders."""
        return {
            "lab_capture_directory": str(self.captures),
            "lab_upcall_image_archive": str(self.archive),
        }

    @property
    def environment(self) -> dict[str, str]:
        return environment() | {"UPCALL_LAB_RUN_FILE": str(self.state / "run.json")}

    @property
    def _prefix(self) -> str:
        return self.hosts[0].rpartition("-")[0]

    def up(self) -> subprocess.CompletedProcess[str]:
        """Complete the room again: sandbox/room up."""
        return room_script("up", self.name, str(len(self.hosts)), self._prefix)

    def grown(self, count: int) -> Room:
        """Return the same room with so many hosts."""
        larger = Room(self.name, named(self._prefix, count))
        made = larger.up()
        assert made.returncode == 0, made.stdout
        return larger

    def play(self, *arguments: str, timeout: int = 900) -> subprocess.CompletedProcess[str]:
        """Run ansible-playbook over the room; output and errors come back together."""
        extra = f"--extra-vars={json.dumps(self.variables)}"
        return self.run(
            ["ansible-playbook", f"--inventory={self.inventory}", extra, *arguments], timeout
        )

    def run(self, command: list[str] | str, timeout: int = 900) -> subprocess.CompletedProcess[str]:
        """Run a command, or a line as a user pastes it into a shell, as a user of the project."""
        return run_command(command, timeout, self.environment)

    def on(self, host: str, script: str) -> str:
        """Return what a script says that root runs on a lab host. Raises CalledProcessError."""
        command = ["docker", "exec", "--interactive", host, "bash", "-euo", "pipefail"]
        done = subprocess.run(command, input=script, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    def report(self) -> dict[str, t.Any]:
        """Return what the run before told in its file."""
        return t.cast(dict[str, t.Any], json.loads((self.state / "run.json").read_text()))

    def received(self, host: str) -> int:
        """Bytes that a lab host has received over its network since it booted."""
        return int(self.on(host, "cat /sys/class/net/eth0/statistics/rx_bytes"))


def named(prefix: str, count: int) -> list[str]:
    """Return what sandbox/room calls the hosts of a room."""
    return [f"{prefix}-{number}" for number in range(1, count + 1)]


def room_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run sandbox/room; output and errors come back together."""
    return run_command([TOP / "sandbox" / "room", *arguments], timeout=900)


@contextmanager
def new_room(name: str, prefix: str, count: int) -> Iterator[Room]:
    """Make a room from nothing and remove it afterwards, whatever happened."""
    try:
        made = room_script("create", name, str(count), prefix)
        assert made.returncode == 0, made.stdout
        yield Room(name, named(prefix, count))
    finally:
        removed = room_script("destroy", name)
    assert removed.returncode == 0, removed.stdout
