"""Both handouts, followed letter for letter at four terminals; the capture gets full points."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support import laptop
from tests.support.captures import name_of, on_one_host
from tests.support.handout import Step, pattern, steps
from tests.support.lab_hosts import LAB, SHELL, TOP, login, run_playbook
from tests.support.laptop import a_laptop, image_for_captures
from tests.support.terminal import CTRL_C, Terminal

HANDOUTS = sorted((TOP / "docs").glob("handout.*.md"))
FEWEST_PACKETS = 10  # a handshake, two messages and their upcalls, a close
BRIDGE_DIGITS = re.compile("[0-9a-f]{12}")


class Student:
    """Follows a handout: on a lab host, or on the laptop that it stands for."""

    def __init__(self, host: str, stack: ExitStack, folder: str = LAB, at: str = "") -> None:
        self._host = host
        self._stack = stack
        self._folder = folder
        self._at = at  # what brings a login to where the student works
        self._terminals: dict[str, Terminal] = {}
        self.bridge = ""

    def follow(self, step: Step) -> None:
        """Follow one line of the handout."""
        terminal = self._terminal(step.terminal)
        if step.kind == "shell":
            terminal.match(SHELL)
            terminal.say(step.text.replace("<bridge_name>", self.bridge))
        elif step.kind == "prompt":
            terminal.expect(step.prompt)
            terminal.say(step.text)
        elif step.kind == "key":
            self._stands_still(terminal)
            terminal.type(CTRL_C)
        else:
            shown = terminal.match(pattern(step.text))[0]
            if BRIDGE_DIGITS.fullmatch(shown):
                self.bridge = f"br-{shown}"

    def _terminal(self, name: str) -> Terminal:
        """Log in anew: membership of Docker's group counts from the login on."""
        if name not in self._terminals:
            opened = self._stack.enter_context(login(self._host))
            self._terminals[name] = opened
            if self._at:
                opened.match(SHELL)
                opened.say(self._at)
            if name != "lab":
                opened.match(SHELL)
                opened.say(f"cd {self._folder}")
        return self._terminals[name]

    def done(self) -> None:
        """Check that the last command of each terminal has ended."""
        for terminal in self._terminals.values():
            terminal.match(SHELL)

    def _stands_still(self, tcpdump: Terminal) -> None:
        """Wait as a person does: packets have been counted, and then nothing new for a while."""
        while int(tcpdump.match(r"Got (\d+)")[1]) < FEWEST_PACKETS:
            pass
        tcpdump.await_silence(seconds=3)


@contextmanager
def may_use_docker(host: Host) -> Iterator[None]:
    """Let students use Docker without sudo, as in some rooms."""
    done = run_playbook("prepare", name_of(host), {"lab_docker_users": ["instructor"]})
    assert done.returncode == 0, done.stdout
    try:
        yield
    finally:
        with host.sudo():
            host.check_output(f"rm --force {LAB}/upcall.pcap; gpasswd --delete instructor docker")


@pytest.mark.parametrize(
    ("number", "handout"), list(enumerate(HANDOUTS)), ids=[path.name for path in HANDOUTS]
)
def test_who_follows_the_handout_gets_full_points(
    host: Host, number: int, handout: Path, tmp_path: Path
) -> None:
    on_one_host(host, number)
    with may_use_docker(host):
        with ExitStack() as stack:
            student = Student(name_of(host), stack)
            for step in steps(handout):
                student.follow(step)
            student.done()
        with host.sudo():
            (tmp_path / "student").write_bytes(host.file(f"{LAB}/upcall.pcap").content)
    assert graded(tmp_path)["points"] == 100


def on_docker_desktop(language: str) -> list[Step]:
    """Return the handout's steps, with those that the laptop's page tells otherwise."""
    told = [
        step.text for step in steps(TOP / "docs" / f"laptop.{language}.md") if step.kind == "shell"
    ]
    instead = dict(zip(("cd", "ip", "sudo"), told, strict=True))
    followed = steps(TOP / "docs" / f"handout.{language}.md")
    first_words = [step.text.split()[0] for step in followed if step.kind == "shell"]
    assert [first_words.count(word) for word in instead] == [1, 1, 1]
    return [
        step._replace(text=instead.get(step.text.split()[0], step.text))
        if step.kind == "shell"
        else step
        for step in followed
    ]


@pytest.mark.parametrize(
    ("number", "handout"), list(enumerate(HANDOUTS)), ids=[path.name for path in HANDOUTS]
)
def test_who_follows_the_laptop_s_page_gets_full_points(
    host: Host, number: int, handout: Path, tmp_path: Path
) -> None:
    """Where tcpdump sees no bridge, as with Docker Desktop."""
    on_one_host(host, number + 1)
    _, language, _ = handout.name.split(".")
    (tmp_path / "student").mkdir()
    with (
        may_use_docker(host),
        a_laptop(host),
        image_for_captures(host, tmp_path),
        ExitStack() as stack,
    ):
        assert host.run("ip link show docker0").succeeded
        seen = host.run(f"sudo {laptop.PROGRAM} tcpdump -c 1 -i docker0")
        assert "No such device exists" in seen.stderr
        at = f"sudo {laptop.PROGRAM} su --login instructor"
        student = Student(name_of(host), stack, f"~/{laptop.FOLDER}", at)
        for step in on_docker_desktop(language):
            student.follow(step)
        student.done()
        with host.sudo():
            assert host.check_output("docker ps --all --quiet") == ""
            capture = host.file(f"/home/instructor/{laptop.FOLDER}/upcall.pcap").content
    (tmp_path / "student" / "upcall.pcap").write_bytes(capture)
    assert graded(tmp_path / "student")["points"] == 100


def graded(folder: Path) -> dict[str, t.Any]:
    """Return what the grader says of the only capture in a folder."""
    program = Path(sys.executable).with_name("upcall-grade")
    out = folder / "out"
    done = subprocess.run(
        [program, folder, "--out", out], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    submissions = json.loads((out / "grades.json").read_text())["submissions"]
    assert len(submissions) == 1
    return t.cast("dict[str, t.Any]", submissions[0])
