"""scripts/venv, on copies of the tree whose locks are empty: nothing is downloaded here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

TOP = Path(__file__).resolve().parents[3]

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "room"
version = "1"
"""

# A build backend (PEP 517, PEP 660) that puts one command there, so that none has to be installed.
BACKEND = """
import zipfile

FILES = {
    "room.py": "def main():\\n    print('here I am')\\n",
    "room-1.dist-info/METADATA": "Metadata-Version: 2.1\\nName: room\\nVersion: 1\\n",
    "room-1.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "room-1.dist-info/entry_points.txt": "[console_scripts]\\nroom = room:main\\n",
}

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "room-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        for file, text in FILES.items():
            wheel.writestr(file, text)
        record = "".join(f"{file},,\\n" for file in FILES)
        wheel.writestr("room-1.dist-info/RECORD", record + "room-1.dist-info/RECORD,,\\n")
    return name
"""


def make_tree(folder: Path) -> Path:
    """Return a project with nothing in it but what scripts/venv reads."""
    top = folder / "a room"
    (top / "requirements").mkdir(parents=True)
    (top / "scripts").mkdir()
    shutil.copy(TOP / "scripts" / "venv", top / "scripts")
    (top / "pyproject.toml").write_text(PROJECT)
    (top / "backend.py").write_text(BACKEND)
    for lock in ("lab", "test"):
        (top / "requirements" / f"{lock}.txt").write_text(f"# {lock}: nothing\n")
    return top


def make_path(parent: Path) -> Path:
    """Return a folder that is all of PATH: the tests' own Python and the script's tools."""
    folder = parent / "bin"
    folder.mkdir()
    for tool in ("sh", "env", "cat", "cksum", "dirname", "id", "mv", "rm"):
        program = shutil.which(tool)
        assert program
        (folder / tool).symlink_to(program)
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (folder / "python3").symlink_to(base)
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_path(tmp_path)


class Ready(NamedTuple):
    """A tree with its virtual environment, shared by tests since making one takes seconds."""

    tree: Path
    path: Path
    said: str


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    folder = tmp_path_factory.mktemp("ready")
    tree, path = make_tree(folder), make_path(folder)
    return Ready(tree, path, made(tree, path))


def run(tree: Path, path: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tree / "scripts" / "venv", *arguments],
        env={**os.environ, "PATH": str(path), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def made(tree: Path, path: Path, *arguments: str) -> str:
    """Run it, expect success, return what it said."""
    result = run(tree, path, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def command(tree: Path) -> str:
    return subprocess.run(
        [tree / ".venv" / "bin" / "room"], capture_output=True, text=True, check=True
    ).stdout


def fake(path: Path, name: str, script: str) -> None:
    file = path / name
    file.unlink(missing_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def other_python(path: Path, version: str, name: str = "python3") -> None:
    """Put a Python on PATH that says it is of another version, to -V and to code."""
    code = (
        f"import sys; sys.version_info = ({version.replace('.', ', ')}, 'final', 0);"
        " exec(sys.argv[1])"
    )
    fake(
        path,
        name,
        f'[ "$1" = -V ] && echo "Python {version}" && exit\n'
        f'exec {os.path.realpath(sys.executable)} -I -S -c "{code}" "$4"',
    )


def test_the_first_run_makes_it_with_the_projects_commands(ready: Ready) -> None:
    assert "making .venv" in ready.said
    assert command(ready.tree) == "here I am\n"


def test_the_second_run_does_nothing_and_at_once(ready: Ready) -> None:
    made(ready.tree, ready.path)
    begun = time.monotonic()
    assert made(ready.tree, ready.path) == ""
    # About 0.05 s; it is seconds as soon as pip is asked.
    assert time.monotonic() - begun < 0.5


def test_commands_whose_installation_was_interrupted_are_installed_again(ready: Ready) -> None:
    made(ready.tree, ready.path)
    (ready.tree / ".venv" / ".package").unlink()
    (ready.tree / ".venv" / "bin" / "room").unlink()
    assert "making .venv" not in made(ready.tree, ready.path)
    assert command(ready.tree) == "here I am\n"


def test_what_was_interrupted_is_made_anew(ready: Ready) -> None:
    made(ready.tree, ready.path)
    (ready.tree / ".venv" / ".made").unlink()
    shutil.rmtree(next((ready.tree / ".venv" / "lib").glob("python3.*/site-packages/pip")))
    assert "making .venv" in made(ready.tree, ready.path)
    assert command(ready.tree) == "here I am\n"


def test_another_lock_another_venv(ready: Ready) -> None:
    made(ready.tree, ready.path)
    (ready.tree / "requirements" / "lab.txt").write_text(f"# other pins {time.time_ns()}\n")
    assert "making .venv" in made(ready.tree, ready.path)


def test_a_copied_venv_is_made_anew_since_its_scripts_name_the_old_place(
    ready: Ready, tmp_path: Path
) -> None:
    made(ready.tree, ready.path)
    copy = tmp_path / "copy"
    shutil.copytree(ready.tree, copy, symlinks=True)
    assert "making .venv" in made(copy, ready.path)
    assert str(copy) in (copy / ".venv" / "bin" / "room").read_text()


def test_the_tests_venv_serves_the_lab_too(ready: Ready) -> None:
    made(ready.tree, ready.path, "--test")
    assert made(ready.tree, ready.path) == ""
    assert made(ready.tree, ready.path, "--test") == ""


def test_the_labs_venv_does_not_serve_the_tests(tree: Path, path: Path) -> None:
    made(tree, path)
    (tree / "requirements" / "test.txt").write_text("no-such-package-here==1 --hash=sha256:00\n")
    result = run(tree, path, "--test", PIP_NO_INDEX="1")
    assert result.returncode != 0
    assert "run the same again" in result.stderr
    assert not (tree / ".venv" / ".made").exists()


def test_a_pin_without_a_hash_is_refused(tree: Path, path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", "import backend; backend.build_editable('.')"], cwd=tree, check=True
    )
    (tree / "requirements" / "lab.txt").write_text("room==1\n")
    result = run(tree, path, PIP_NO_INDEX="1", PIP_FIND_LINKS=tree.as_uri())
    assert result.returncode != 0
    assert "Hashes are required" in result.stderr


@pytest.mark.parametrize("version", ["3.9.18", "3.14.0"])
def test_a_python_that_does_not_fit_is_told_with_the_remedy(
    tree: Path, path: Path, version: str
) -> None:
    other_python(path, version)
    result = run(tree, path)
    assert result.returncode == 1
    assert f"no Python from 3.11 to 3.13 found: python3 is Python {version}" in result.stderr
    assert "PYTHON=" in result.stderr
    assert not (tree / ".venv").exists()


def test_no_python_at_all_is_told(tree: Path, path: Path) -> None:
    (path / "python3").unlink()
    assert "no python3 at all" in run(tree, path).stderr


def test_a_fitting_python_is_found_behind_one_that_is_too_old(tree: Path, path: Path) -> None:
    (path / "python3").rename(path / "python3.12")
    other_python(path, "3.9.18")
    assert "with python3.12" in made(tree, path)
    assert command(tree) == "here I am\n"


def test_a_python_named_by_the_user_is_the_only_one_asked(tree: Path, path: Path) -> None:
    other_python(path, "3.9.18", "ancient")
    result = run(tree, path, PYTHON="ancient")
    assert result.returncode == 1
    assert "ancient is Python 3.9.18" in result.stderr


def without_ensurepip(path: Path, prefix: str) -> None:
    """Put the Python at hand on PATH, without ensurepip, as some distributions ship it."""
    real = (path / "python3").resolve()
    fake(
        path,
        "python3",
        f'case "$*" in *ensurepip*) exit 1 ;; *sys.prefix*) echo {prefix} ;; *) exec {real} "$@" ;;'
        " esac",
    )


def test_a_missing_ensurepip_is_installed_from_the_distribution(tree: Path, path: Path) -> None:
    without_ensurepip(path, "/usr")
    fake(path, "apt-get", 'echo "apt-get $*" >&2')
    # Run as root or not: sudo passes its words on.
    fake(path, "sudo", '"$@"')
    result = run(tree, path)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert f"installing the package {version}" in result.stdout
    assert f"apt-get install -y -qq --no-install-recommends {version}" in result.stderr
    # The false apt-get installed nothing, which is seen.
    assert result.returncode == 1
    assert "no ensurepip still" in result.stderr


def test_a_missing_ensurepip_in_a_python_of_ones_own_is_told(tree: Path, path: Path) -> None:
    without_ensurepip(path, "/opt/own")
    fake(path, "apt-get", 'echo "apt-get $*" >&2')
    result = run(tree, path)
    assert result.returncode == 1
    assert "apt-get" not in result.stderr
    assert "PYTHON=/usr/bin/python3" in result.stderr


def test_a_wrong_option_is_refused(tree: Path, path: Path) -> None:
    result = run(tree, path, "--tests")
    assert result.returncode == 2
    assert "usage:" in result.stderr
