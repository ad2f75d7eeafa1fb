"""The lab's facts are told where roles and grader read them; programs and compose file agree."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from upcall_grader.lab import UPCALL, Lab

TOP = Path(__file__).resolve().parents[3]
SECOND = TOP / "tests" / "second_lab"


def load(path: Path) -> dict[str, Any]:
    fields: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return fields


def defaults() -> dict[str, Any]:
    """Return the upcall lab's facts."""
    files = (TOP / "roles" / role / "defaults" / "main.yml" for role in ("lab_look", "lab_capture"))
    return {name: value for file in files for name, value in load(file).items()}


def second() -> tuple[dict[str, Any], Lab]:
    """Return the other lab's facts, of which it tells only those that differ, and its rubric's."""
    told = load(SECOND / "rubric.yml")["lab"]
    lab = Lab(told["port"], None, told["answer"].encode(), told["shown"].encode())
    return defaults() | load(SECOND / "lab.yml"), lab


# What a run makes before it brings it.
MADE = {"{{ __lab_upcall_selfcheck }}"}
LABS = {"upcall": (TOP, defaults(), UPCALL), "second": (SECOND, *second())}


def source(file: str) -> str:
    """Return where a lab file lies on the controller."""
    elsewhere = load(TOP / "roles" / "lab_upcall" / "vars" / "main.yml")["__lab_upcall_sources"]
    return str(elsewhere.get(file, file)).replace("{{ lab_upcall_language }}", "en")


def constants(file: Path) -> dict[str, Any]:
    """Return the names that a program gives to plain values."""
    return {
        node.targets[0].id: node.value.value
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def texts(file: Path) -> list[str | bytes]:
    """Return all texts in a program, whole or in parts."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    values = (node.value for node in nodes if isinstance(node, ast.Constant))
    return [value for value in values if isinstance(value, str | bytes)]


@pytest.mark.parametrize(("top", "facts", "lab"), LABS.values(), ids=LABS)
def test_programs_and_compose_file_agree_with_the_facts(
    top: Path, facts: dict[str, Any], lab: Lab
) -> None:
    programs = {
        side: next(
            top / file
            for file in facts["lab_look_files"]
            if file.endswith(f"/{facts[f'lab_capture_{side}_command'][-1]}")
        )
        for side in ("server", "client")
    }
    server, client = constants(programs["server"]), constants(programs["client"])
    assert server["PORT"] == client["PORT"] == facts["lab_look_port"] == lab.port
    assert client["SERVER"] == facts["lab_look_server_service"]
    assert lab.answer in texts(programs["server"])
    assert lab.shown.decode() in texts(programs["client"])
    ready = facts["lab_capture_server_ready"]
    assert any(
        isinstance(text, str) and text.startswith(ready) for text in texts(programs["server"])
    )

    compose = load(top / facts["lab_look_compose_file"])
    services = {facts["lab_look_server_service"], facts["lab_look_client_service"]}
    started = {
        name: service for name, service in compose["services"].items() if "profiles" not in service
    }
    assert (compose["name"], set(started)) == (facts["lab_look_project"], services)
    assert {service["image"] for service in started.values()} == {facts["lab_look_image"]}
    assert [
        file
        for file in map(source, facts["lab_look_files"])
        if not (top / file).is_file() and file not in MADE
    ] == []


def test_students_captures_are_looked_for_beside_the_lab_s_files() -> None:
    """lab_collect uses no other role, so it names the lab's directory itself."""
    patterns = load(TOP / "roles" / "lab_collect" / "defaults" / "main.yml")["lab_collect_patterns"]
    assert patterns.count(f"default('{defaults()['lab_look_directory']}')") == 2
