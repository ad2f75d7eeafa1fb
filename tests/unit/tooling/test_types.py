"""That mypy knows module utilities under the names that they have on a lab host."""

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
STUB = "src/typings/ansible/module_utils/lab_room_seats.pyi"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a project with one module, a module utility and its stub."""
    for file, text in {
        "plugins/module_utils/lab_room_seats.py": UTILITY.format(seats="4"),
        "plugins/modules/lab_room.py": MODULE.format(kind="int"),
        STUB: "from plugins.module_utils.lab_room_seats import *\n",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    shutil.copy(TOP / "pyproject.toml", tmp_path)
    return tmp_path


def check(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mypy", "plugins", "src/typings"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )


def test_sound_types_pass(tree: Path) -> None:
    result = check(tree)
    assert result.returncode == 0, result.stdout
    assert "no issues" in result.stdout


def test_an_error_in_a_utility_is_told_where_the_file_lies(tree: Path) -> None:
    utility = tree / "plugins" / "module_utils" / "lab_room_seats.py"
    utility.write_text(UTILITY.format(seats="'four'"))
    result = check(tree)
    assert result.returncode == 1
    assert result.stdout.startswith("plugins/module_utils/lab_room_seats.py:6: error:")


def test_a_utilitys_types_are_known_in_a_module(tree: Path) -> None:
    module = tree / "plugins" / "modules" / "lab_room.py"
    module.write_text(MODULE.format(kind="str"))
    result = check(tree)
    assert result.returncode == 1
    assert "plugins/modules/lab_room.py:5: error: Incompatible types" in result.stdout


def test_a_utility_without_its_stub_and_a_stub_without_its_utility_are_named(tree: Path) -> None:
    stub = tree / STUB
    stub.rename(stub.with_name("lab_room_rows.pyi"))
    result = check(tree)
    assert result.returncode == 1
    assert '"ansible.module_utils.lab_room_seats"' in result.stdout
    (tree / "plugins" / "module_utils" / "lab_room_seats.py").unlink()
    assert f"{stub.parent.relative_to(tree)}/lab_room_rows.pyi:1: error:" in check(tree).stdout
