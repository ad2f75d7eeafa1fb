"""scripts/typecheck.py: that mypy sees role modules as Ansible lays them out."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]

UTILITY = '''"""A utility."""


def seats() -> int:
    """How many."""
    return {seats}
'''
MODULE = '''"""A module."""

from ansible.module_utils.lab_room_seats import seats

rows: {kind} = seats()
'''


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project with one role that has a module and a module utility."""
    role = tmp_path / "roles" / "lab_room"
    (role / "library").mkdir(parents=True)
    (role / "module_utils").mkdir()
    (tmp_path / "scripts").mkdir()
    shutil.copy(TOP / "scripts" / "typecheck.py", tmp_path / "scripts")
    shutil.copy(TOP / "pyproject.toml", tmp_path)
    (role / "module_utils" / "lab_room_seats.py").write_text(UTILITY.format(seats="4"))
    (role / "library" / "lab_room.py").write_text(MODULE.format(kind="int"))
    return tmp_path


def check(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, tree / "scripts" / "typecheck.py"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_sound_types_pass(tree: Path) -> None:
    result = check(tree)
    assert result.returncode == 0, result.stdout
    assert "no issues" in result.stdout


def test_an_error_in_a_utility_is_told_where_the_file_lies(tree: Path) -> None:
    utility = tree / "roles" / "lab_room" / "module_utils" / "lab_room_seats.py"
    utility.write_text(UTILITY.format(seats="'four'"))
    result = check(tree)
    assert result.returncode == 1
    assert result.stdout.startswith("roles/lab_room/module_utils/lab_room_seats.py:6: error:")


def test_a_utilitys_types_are_known_in_a_module(tree: Path) -> None:
    module = tree / "roles" / "lab_room" / "library" / "lab_room.py"
    module.write_text(MODULE.format(kind="str"))
    result = check(tree)
    assert result.returncode == 1
    assert "roles/lab_room/library/lab_room.py:5: error: Incompatible types" in result.stdout


def test_two_utilities_of_one_name_are_refused(tree: Path) -> None:
    other = tree / "roles" / "lab_seat" / "module_utils"
    other.mkdir(parents=True)
    (other / "lab_room_seats.py").write_text(UTILITY.format(seats="5"))
    result = check(tree)
    assert result.returncode == 1
    assert "has the same name" in result.stderr
