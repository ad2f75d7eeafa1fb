"""make classroom: what is asked of sandbox/room and site.yml, and what goes away again.

What sandbox/room does with real lab hosts, tests/rooms/classroom tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]


@dataclass
class Project:
    """A project whose scripts are real, and whose programs are false and note their calls."""

    top: Path
    bin: Path

    def fake(self, name: str, script: str = "") -> None:
        """Let a program do this, after it has noted how it was called."""
        file = self.bin / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.top}/calls\n{script}\n')
        file.chmod(0o755)

    def run(self, script: str, *arguments: str) -> tuple[int, str]:
        """Run one of the scripts; its status, and what it says."""
        done = subprocess.run(
            [self.top / "sandbox" / script, *arguments],
            env={**os.environ, "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    @property
    def calls(self) -> list[str]:
        """The calls so far. The variables, which are long, are left out."""
        file = self.top / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.partition(" --extra-vars")[0] for line in lines]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    top = tmp_path / "project"
    (top / "sandbox").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for name in ("classroom", "room", "hosts.yml"):
        shutil.copy(TOP / "sandbox" / name, top / "sandbox")
    made = Project(top, tmp_path / "bin")
    made.fake("ansible-playbook")
    made.fake("docker")
    return made


CREATE = "ansible-playbook --inventory=nobody, sandbox/create.yml"
COMPLETE = "ansible-playbook --inventory=nobody, sandbox/complete.yml"
DESTROY = "ansible-playbook --inventory=nobody, sandbox/destroy.yml"
SITE = "ansible-playbook -i .cache/classroom/inventory.yml site.yml"


@pytest.mark.parametrize("number", ["", "0", "61", "600", "-1", "six", "6 ", "06"])
def test_a_number_that_is_none_is_refused(project: Project, number: str) -> None:
    status, said = project.run("classroom", "up", number)
    assert (status, project.calls) == (2, [])
    assert "1 to 60" in said


def test_the_room_is_made_and_the_lab_brought_to_it(project: Project) -> None:
    status, said = project.run("classroom", "up", "2")
    assert (status, project.calls) == (0, [CREATE, SITE])
    made = (project.top / "calls").read_text().splitlines()[0]
    assert '{"name": "seat-1", "suite": "bookworm", "kept": false}' in made
    assert '{"name": "seat-2", "suite": "trixie", "kept": false}' in made
    for hint in (
        "ssh -F .cache/classroom/ssh_config seat-1",
        "playbooks/doctor.yml",
        "lab_capture_mode=watch",
        "make classroom-down",
    ):
        assert hint in said


def test_the_status_is_that_of_site_yml(project: Project) -> None:
    project.fake("ansible-playbook", 'case "$*" in *site.yml) exit 4 ;; esac')
    status, said = project.run("classroom", "up", "2")
    assert status == 4
    assert "make classroom-down" in said


def test_without_a_room_there_is_nothing_to_bring_the_lab_to(project: Project) -> None:
    project.fake("ansible-playbook", "exit 2")
    status, _ = project.run("classroom", "up", "2")
    assert (status, project.calls) == (2, [CREATE])


def test_more_lab_hosts_than_the_kernel_lets_start_are_refused(project: Project) -> None:
    limit = project.top / "limit"
    limit.write_text("128\n")
    script = project.top / "sandbox" / "classroom"
    script.write_text(
        script.read_text().replace("/proc/sys/fs/inotify/max_user_instances", str(limit))
    )
    assert project.run("classroom", "up", "16")[0] == 0
    before = len(project.calls)
    status, said = project.run("classroom", "up", "17")
    assert (status, len(project.calls)) == (1, before)
    assert "sudo sysctl fs.inotify.max_user_instances=272" in said


def test_everything_goes_and_captures_stay(project: Project) -> None:
    state = project.top / ".cache" / "classroom"
    state.mkdir(parents=True)
    (state / "inventory.yml").write_text("lab_hosts:\n")
    (project.top / "captures").mkdir()
    project.fake("docker", '[ "$2" != ls ] || printf "%s\\n" host:trixie host:bookworm')
    status, said = project.run("classroom", "down")
    assert status == 0
    assert project.calls == [
        "ansible-playbook -i .cache/classroom/inventory.yml sandbox/hang_up.yml",
        DESTROY,
        "docker image ls --format {{.Repository}}:{{.Tag}} upcall-lab-test-host",
        "docker image rm host:trixie host:bookworm",
    ]
    assert (project.top / "captures").is_dir()
    assert "captures/" in said


def test_images_that_another_room_uses_stay_and_are_named(project: Project) -> None:
    script = 'case "$2" in ls) echo host:trixie ;; rm) echo conflict >&2; exit 1 ;; esac'
    project.fake("docker", script)
    status, said = project.run("classroom", "down")
    assert status == 0
    assert "docker image rm host:trixie" in said


def test_a_room_that_stays_is_a_failure(project: Project) -> None:
    project.fake("ansible-playbook", "exit 2")
    status, said = project.run("classroom", "down")
    assert status == 2
    assert "is gone" not in said


@pytest.fixture
def of_three(project: Project) -> Project:
    """Return a room of three seats, of which all run."""
    state = project.top / ".cache" / "classroom"
    state.mkdir(parents=True)
    for name in ("id_ed25519", "inventory.yml", "known_hosts"):
        (state / name).write_text("something\n")
    hosts = "".join(f"Host seat-{n} 198.18.41.{n}\n    HostName ...\n" for n in (1, 2, 3))
    (state / "ssh_config").write_text(hosts + "Host *\n")
    containers(project)
    return project


def containers(project: Project, running: str = "123", starting: str = "123") -> None:
    """Put a false docker on PATH that knows three seats; the numbers say which run, or can."""
    project.fake(
        "docker",
        f"""
        case "$2" in
        ls) printf 'seat-%s\\n' 1 2 3 ;;
        inspect) shift 4; for seat; do case "$seat" in
            seat-[{running}]) echo "$seat 198.18.41.${{seat#*-}}" ;;
            seat-[123]) echo "$seat " ;;
            *) exit 1 ;; esac; done ;;
        start) case "$3" in seat-[{starting}]) ;; *) exit 1 ;; esac ;;
        esac""",
    )


def kept(project: Project) -> list[bool]:
    """Return what the playbook was told of each lab host."""
    told = (project.top / "calls").read_text().splitlines()[-1]
    return [part.startswith("true") for part in told.split('"kept": ')[1:]]


def test_a_room_that_is_up_is_left_alone(of_three: Project) -> None:
    status, _ = of_three.run("room", "up", "classroom", "3", "seat")
    assert status == 0
    assert [call for call in of_three.calls if " inspect " not in call] == []


def test_a_seat_that_was_stopped_is_started(of_three: Project) -> None:
    containers(of_three, running="13")
    of_three.run("room", "up", "classroom", "3", "seat")
    assert "docker container start seat-2" in of_three.calls
    assert of_three.calls[-1] == COMPLETE
    assert kept(of_three) == [True, True, True]


def test_a_seat_that_does_not_start_is_made_anew(of_three: Project) -> None:
    containers(of_three, running="13", starting="13")
    of_three.run("room", "up", "classroom", "3", "seat")
    assert "docker container rm --force --volumes seat-2" in of_three.calls
    assert kept(of_three) == [True, False, True]


def test_a_larger_room_keeps_its_seats(of_three: Project) -> None:
    of_three.run("room", "up", "classroom", "4", "seat")
    assert not [call for call in of_three.calls if " rm " in call]
    assert kept(of_three) == [True, True, True, False]


def test_a_smaller_room_loses_the_last_seats(of_three: Project) -> None:
    of_three.run("room", "up", "classroom", "2", "seat")
    gone = [call for call in of_three.calls if " rm " in call]
    assert gone == ["docker container rm --force --volumes seat-3"]
    assert kept(of_three) == [True, True]


def test_a_room_without_its_key_is_made_anew(of_three: Project) -> None:
    (of_three.top / ".cache" / "classroom" / "id_ed25519").unlink()
    of_three.run("room", "up", "classroom", "3", "seat")
    assert of_three.calls == [CREATE]
