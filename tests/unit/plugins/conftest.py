"""Rooms of lab hosts that are all this machine, and runs of ansible-playbook in them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Run:
    """What one run of ansible-playbook came to."""

    status: int
    output: str
    file: Path

    @property
    def report(self) -> dict[str, t.Any]:
        """The report as it was written."""
        report: dict[str, t.Any] = json.loads(self.file.read_text())
        return report

    @property
    def lines(self) -> list[str]:
        """The report as it was printed, its lines without their indentation."""
        _, _, text = self.output.rpartition("\nREPORT ***")
        return [line.strip() for line in text.splitlines()[1:]]

    def row(self, host: str) -> list[str]:
        """Return a host's line of the table, by step."""
        head = next(line for line in self.lines if line).split()
        line = next(line for line in self.lines if line.split()[:1] == [host])
        return line.replace("not run", "not_run").split()[1 : len(head) + 1]


class Room:
    """A folder with an inventory and playbooks, under the project's own configuration.

    Attributes:
        through: the program, with its options, that starts ansible-playbook.
    """

    def __init__(self, folder: Path, hosts: t.Iterable[str], dark: t.Iterable[str] = ()) -> None:
        self.folder = folder
        self.through: tuple[str, ...] = ()
        self.file = folder / "report" / "run.json"
        # The hosts share one home, where all of them would make this folder at once.
        jobs = folder / "async"
        jobs.mkdir()
        variables = {
            "ansible_async_dir": str(jobs),
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
        }
        # Nobody listens on this port of the loopback.
        refused = {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": 1,
            # ssh looks for the user's configuration where passwd says, not in $HOME.
            "ansible_ssh_extra_args": "-F none",
        }
        everyone: dict[str, dict[str, t.Any]] = {host: {} for host in hosts}
        everyone |= dict.fromkeys(dark, refused)
        inventory = {"lab_hosts": {"hosts": everyone, "vars": variables}}
        (folder / "inventory.json").write_text(json.dumps(inventory))

    def write(self, **playbooks: str) -> None:
        """Write playbooks, by their step."""
        for step, text in playbooks.items():
            (self.folder / f"{step}.yml").write_text(textwrap.dedent(text))

    def command(self, *words: str) -> list[str]:
        """Return the command line that runs playbooks in this room."""
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        return [*self.through, program, "-i", "inventory.json", *words]

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start a run, in a process group of its own; an empty variable is left out."""
        ours = {"ANSIBLE_NOCOLOR": "1", "UPCALL_LAB_RUN_FILE": str(self.file)}
        every = {**os.environ, **ours, **environment}
        return subprocess.Popen(
            self.command(*words),
            cwd=self.folder,
            env={name: value for name, value in every.items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def end(self, process: subprocess.Popen[str]) -> Run:
        """Wait until a run has ended."""
        output, _ = process.communicate(timeout=120)
        return Run(process.returncode, output, self.file)

    def run(self, *words: str, **environment: str) -> Run:
        """Run playbooks from start to end."""
        return self.end(self.start(*words, **environment))

    def interrupt(self, process: subprocess.Popen[str], under_way: Path) -> Run:
        """Press Ctrl-C as soon as a file is there that the run makes."""
        deadline = time.monotonic() + 60
        while not under_way.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        return self.end(process)


Rooms = t.Callable[..., Room]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    """Make a room with the hosts that are named, of which those in `dark` are switched off."""

    def make(*hosts: str, dark: t.Iterable[str] = ()) -> Room:
        return Room(tmp_path_factory.mktemp("room"), hosts, dark)

    return make
