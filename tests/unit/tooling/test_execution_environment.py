"""The execution environment: ansible-builder takes it, and what it installs is what is locked."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.unit.tooling.test_lock import pins

TOP = Path(__file__).resolve().parents[3]
LOCK = (TOP / "requirements" / "lab.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def definition() -> dict[str, t.Any]:
    text = (TOP / "docs" / "execution-environment.yml").read_text(encoding="utf-8")
    return t.cast(dict[str, t.Any], yaml.safe_load(text))


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that a container engine would build the image from."""
    folder = tmp_path_factory.mktemp("context")
    done = subprocess.run(
        [
            "ansible-builder",
            "create",
            "--file",
            "docs/execution-environment.yml",
            "--context",
            folder,
        ],
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return folder


def test_the_image_gets_what_is_locked(context: Path) -> None:
    assert (context / "_build" / "requirements.txt").read_text(encoding="utf-8") == LOCK


def test_the_hashes_are_still_there_when_pip_reads_them(context: Path, tmp_path: Path) -> None:
    """ansible-builder takes the requirements apart and puts them together again in the image."""
    read = tmp_path / "requirements.txt"
    subprocess.run(
        [
            *(sys.executable, "_build/scripts/introspect.py", "introspect", tmp_path),
            *("--user-pip=_build/requirements.txt", f"--write-pip={read}"),
        ],
        cwd=context,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    lines = [line.strip() for line in LOCK.splitlines()]
    wanted = [line for line in lines if not line.startswith("#")]
    assert read.read_text(encoding="utf-8").split("\n")[:-1] == wanted


def test_ansible_and_runner_are_the_versions_that_the_tests_use(
    definition: dict[str, t.Any], context: Path
) -> None:
    asked = {
        pin
        for name in ("ansible_core", "ansible_runner")
        for pin in pins(definition["dependencies"][name]["package_pip"]).items()
    }
    tested = pins((TOP / "requirements" / "test.txt").read_text(encoding="utf-8"))
    assert asked == {(name, tested[name]) for name in ("ansible-core", "ansible-runner")}
    built = "".join(file.read_text() for file in context.glob("*file"))
    assert all(f"{name}=={version}" in built for name, version in asked)


def test_no_registry_is_named(definition: dict[str, t.Any], context: Path) -> None:
    """The first part of an image's name is a host if there is a dot or a colon in it."""
    name = definition["images"]["base_image"]["name"]
    host, slash, _ = name.partition("/")
    assert not slash or not set(host) & set(".:")
    built = "".join(file.read_text() for file in context.glob("*file"))
    assert f'ARG EE_BASE_IMAGE="{name}"' in built  # so --build-arg puts another in its place
