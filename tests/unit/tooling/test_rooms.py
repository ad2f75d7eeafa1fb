"""The suites in tests/rooms: their lab hosts are made once, and go away whatever happens."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
COPIED = (
    *(f"tests/rooms/{name}.py" for name in ("conftest", "hosts")),
    *(f"tests/support/{name}.py" for name in ("lab_hosts", "on_lab_hosts", "terminal")),
    "sandbox/hosts.yml",
)
SETTINGS = '[tool.pytest.ini_options]\npythonpath = ["."]\naddopts = ["--import-mode=importlib"]\n'
CREATE = "sandbox/create.yml"
SITE = "site.yml"
DESTROY = "sandbox/destroy.yml"


@dataclass
class Project:
    """A project of two suites, of which the first asks for lab hosts; its programs are false."""

    top: Path

    def fake(self, name: str, script: str) -> None:
        """Let a program do this; the last word of its command line is noted in ``calls``."""
        file = self.top / "bin" / name
        noted = f'for last; do :; done\necho "$last" >>{self.top}/{name}.calls\n'
        file.write_text(f"#!/bin/sh\n{noted}{script}\n")
        file.chmod(0o755)

    def run(self, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run pytest over the suites, or those that are named."""
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
            cwd=self.top,
            env={**os.environ, "PATH": f"{self.top}/bin:{os.environ['PATH']}", **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    @property
    def played(self) -> list[str]:
        """The playbooks that were run so far."""
        file = self.top / "ansible-playbook.calls"
        return file.read_text().split() if file.exists() else []


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name in COPIED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / name, tmp_path / name)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "sandbox" / "order.yml").write_text("suite_order: [one, two]\n")
    for suite, wants in {"one": "host", "two": ""}.items():
        (tmp_path / "tests" / "rooms" / suite).mkdir()
        test = f"def test_{suite}({wants}):\n    pass\n"
        (tmp_path / "tests" / "rooms" / suite / f"test_{suite}.py").write_text(test)
    (tmp_path / "bin").mkdir()
    made = Project(tmp_path)
    made.fake("ansible-playbook", "")
    made.fake("ssh", "exit 255")
    return made


def test_lab_hosts_are_made_once_for_all_processes_and_removed(project: Project) -> None:
    done = project.run("tests/rooms", "--numprocesses=3")
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    assert project.played == [CREATE, SITE, DESTROY]


def test_lab_hosts_that_let_one_in_are_taken_over_and_kept_when_asked(project: Project) -> None:
    project.fake("ssh", "")
    assert project.run("tests/rooms", KEEP="1").returncode == 0
    assert project.played == [SITE]


def test_lab_hosts_that_could_not_be_made_are_removed_too(project: Project) -> None:
    project.fake("ansible-playbook", '[ "$last" != sandbox/create.yml ]')
    assert project.run("tests/rooms").returncode != 0
    assert project.played == [CREATE, DESTROY]


def test_lab_hosts_that_stay_behind_fail_the_run(project: Project) -> None:
    project.fake("ansible-playbook", '[ "$last" != sandbox/destroy.yml ]')
    done = project.run("tests/rooms")
    assert done.returncode != 0
    assert "could not be removed" in done.stdout


def test_no_lab_host_is_made_for_a_suite_that_asks_for_none(project: Project) -> None:
    assert project.run("tests/rooms/two").returncode == 0
    assert project.played == []
    # Those that molecule has handed over go all the same.
    assert project.run("tests/rooms/two", HAND_OVER="1").returncode == 0
    assert project.played == [DESTROY]


@pytest.mark.parametrize("wrong", ["no-place", "no-tests"])
def test_a_suite_without_a_place_or_without_tests_is_refused(project: Project, wrong: str) -> None:
    suite = project.top / "tests" / "rooms" / "three"
    suite.mkdir()
    if wrong == "no-place":
        (suite / "test_three.py").write_text("def test_three():\n    pass\n")
    else:
        (project.top / "sandbox" / "order.yml").write_text("suite_order: [one, two, three]\n")
    done = project.run("tests/rooms")
    assert done.returncode != 0
    assert "three: a suite is a folder" in done.stdout
    assert project.played == []
