"""What a role promises its users: its variables, the same in its specs and defaults."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

TOP = Path(__file__).resolve().parents[3]
ROLES = sorted(path for path in (TOP / "roles").iterdir() if path.is_dir())
PLAYBOOKS = sorted((TOP / "playbooks").glob("*.yml"))

each_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


def variables(file: Path) -> dict[str, Any]:
    """Return the variables of a YAML file; none for one that is empty or not there."""
    return (yaml.safe_load(file.read_text(encoding="utf-8")) or {}) if file.exists() else {}


def defaults(role: Path) -> dict[str, Any]:
    return variables(role / "defaults" / "main.yml")


def options(role: Path) -> dict[str, Any]:
    (spec,) = variables(role / "meta" / "argument_specs.yml")["argument_specs"].values()
    return dict(spec.get("options") or {})


def is_template(value: object) -> bool:
    return "{{" in str(value)


def test_there_are_roles() -> None:
    assert ROLES


@each_role
def test_a_variable_has_a_default_or_is_required(role: Path) -> None:
    specified = options(role)
    required = {name for name, option in specified.items() if option.get("required")}
    assert set(defaults(role)) == set(specified) - required


@each_role
def test_the_specs_state_the_defaults_that_hold(role: Path) -> None:
    specified = options(role)
    literal = {name: value for name, value in defaults(role).items() if not is_template(value)}
    stated = {name: specified.get(name, {}).get("default", "(not stated)") for name in literal}
    assert stated == literal


@each_role
def test_every_variable_is_described(role: Path) -> None:
    assert [name for name, option in options(role).items() if not option.get("description")] == []


@each_role
def test_variables_bear_the_name_of_their_role(role: Path) -> None:
    assert [name for name in defaults(role) if not name.startswith(f"{role.name}_")] == []


@each_role
def test_internal_variables_bear_the_name_of_their_role(role: Path) -> None:
    internal = [name for file in (role / "vars").glob("*.yml") for name in variables(file)]
    assert [name for name in internal if not name.startswith(f"__{role.name}_")] == []


@each_role
def test_a_role_has_a_scenario_that_tests_it(role: Path) -> None:
    assert (TOP / "molecule" / role.name / "molecule.yml").is_file()


def test_site_imports_playbooks_and_nothing_else() -> None:
    plays = yaml.safe_load((TOP / "site.yml").read_text(encoding="utf-8"))
    assert plays
    assert all(set(play) <= {"name", "ansible.builtin.import_playbook"} for play in plays)
    imported = [play["ansible.builtin.import_playbook"] for play in plays]
    assert [name for name in imported if not (TOP / name).is_file()] == []


def test_playbooks_pass_the_syntax_check() -> None:
    files = [*(str(path.relative_to(TOP)) for path in PLAYBOOKS), "site.yml"]
    assert len(files) > 1
    result = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "--syntax-check", *files],
        cwd=TOP,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
