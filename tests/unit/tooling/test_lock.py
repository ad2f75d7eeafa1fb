"""The locks: what the inputs ask for, with hashes, and bound to no machine or index."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
REQUIREMENTS = TOP / "requirements"
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.MULTILINE)

each_lock = pytest.mark.parametrize("lock", ["lab.txt", "test.txt", "bench.txt"])


def pins(text: str) -> dict[str, str]:
    """Return the version of each package that a file pins."""
    return dict(PIN.findall(text))


def read(name: str) -> str:
    return (REQUIREMENTS / name).read_text(encoding="utf-8")


@each_lock
def test_every_pin_has_a_hash(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", read(lock).strip())
    wanted = [entry for entry in entries if not entry.startswith("#")]
    assert len(wanted) > 5
    assert [entry for entry in wanted if "--hash=sha256:" not in entry] == []


@each_lock
def test_no_address_and_no_path(lock: str) -> None:
    assert re.findall(r"\w+://\S*|--(?:extra-)?index-url|--find-links", read(lock)) == []


def test_the_locks_agree_with_each_other() -> None:
    lab, test = pins(read("lab.txt")), pins(read("test.txt"))
    assert {name: test.get(name) for name in lab} == lab


@pytest.mark.parametrize(
    ("asked", "lock"),
    [("lab.in", "lab.txt"), ("test.in", "test.txt"), ("bench.in", "bench.txt")],
)
def test_a_lock_holds_what_its_input_asks_for(asked: str, lock: str) -> None:
    locked = pins(read(lock))
    exact = pins(read(asked))
    assert {name: locked.get(name) for name in exact} == exact
    named = set(re.findall(r"^[A-Za-z][\w.-]*", read(asked), re.MULTILINE))
    assert {name.lower() for name in named} <= set(locked)


def test_npm_s_lock_has_a_hash_for_each_package_and_no_address() -> None:
    lock = (TOP / "scripts/selfcheck/package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(lock)["packages"]
    wanted = json.loads((TOP / "scripts/selfcheck/package.json").read_text(encoding="utf-8"))
    assert packages.pop("")["dependencies"] == wanted["dependencies"]
    assert {
        name: packages[f"node_modules/{name}"]["version"] for name in wanted["dependencies"]
    } == (wanted["dependencies"])
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
    assert re.findall(r"\w+://\S*|resolved", lock) == []


def test_the_package_depends_on_what_is_locked() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    depends = pins("\n".join(project["dependencies"]))
    assert depends
    locked = pins(read("lab.txt"))
    assert {name: locked.get(name) for name in depends} == depends
