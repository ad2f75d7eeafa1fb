"""The workflows and the commit hooks, held against the project without a network."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import listings

TOP = Path(__file__).resolve().parents[3]
FILES = sorted((TOP / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: ([\w./-]+)@([0-9a-f]{40})  # v\d+\.\d+\.\d+")
# "make", alone or behind another command, to the end of its line.
MAKE = re.compile(r"(?:^|\s)make ([a-z -]+)$", re.MULTILINE)


def workflow(file: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def jobs() -> dict[str, Any]:
    """Return every job of every workflow by its name."""
    return {name: job for file in FILES for name, job in workflow(file)["jobs"].items()}


def commands() -> Iterator[str]:
    for job in jobs().values():
        yield from (step["run"] for step in job["steps"] if "run" in step)


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_may_read_the_code_and_nothing_more(file: Path) -> None:
    told = workflow(file)
    assert told["permissions"] == {"contents": "read"}
    for name, job in told["jobs"].items():
        assert "permissions" not in job, name
        assert job["timeout-minutes"] <= 60, name


def test_each_action_is_pinned_by_digest_and_the_same_one_everywhere() -> None:
    lines = [line for file in FILES for line in file.read_text("utf-8").splitlines()]
    uses = [line.strip() for line in lines if re.search(r"\buses:", line)]
    pins = [PINNED.search(line) for line in uses]
    assert uses
    assert [line for line, pin in zip(uses, pins, strict=True) if pin is None] == []
    digests = {(pin[1], pin[2]) for pin in pins if pin}
    assert len(digests) == len({action for action, _ in digests})


def test_no_checkout_leaves_its_token_behind() -> None:
    steps = [step for job in jobs().values() for step in job["steps"]]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_what_workflows_make_exists() -> None:
    made = {target for run in commands() for words in MAKE.findall(run) for target in words.split()}
    assert {"lint", "unit", "lab", "molecule", "rooms"} <= made
    assert made <= make_targets()


def test_unit_tests_run_on_each_python_that_the_project_names() -> None:
    told = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    first, end = re.findall(r"3\.(\d+)", told)
    wanted = [f"3.{minor}" for minor in range(int(first), int(end))]
    assert jobs()["unit"]["strategy"]["matrix"]["python"] == wanted


def test_the_oldest_ansible_core_that_the_roles_allow_is_tried() -> None:
    metas = [workflow(file) for file in sorted((TOP / "roles").glob("*/meta/main.yml"))]
    allowed = {meta["galaxy_info"]["min_ansible_version"] for meta in metas}
    tried = [entry["core"].split(".") for entry in jobs()["core"]["strategy"]["matrix"]["include"]]
    oldest = min(tried, key=lambda core: [int(part) for part in core])
    assert allowed == {".".join(oldest[:2])}


def test_each_distribution_that_has_a_docker_engine_is_tried() -> None:
    known = listings.distributions(TOP)
    listed = yaml.safe_load((TOP / "sandbox/hosts.yml").read_text("utf-8"))
    made = {host["name"].removeprefix("lab-") for host in listed["sandbox_host_list"]}
    runners = {f"ubuntu-{release}" for release in jobs()["ubuntu"]["strategy"]["matrix"]["release"]}
    rows = jobs()["container"]["strategy"]["matrix"]["include"]
    assert {name for name, said in known.items() if said["exercised"]} == made
    # The others need Docker's own repository, which no workflow tries.
    own = {name for name, said in known.items() if said["engine_packages"]}
    assert own == made | runners | {row["distribution"] for row in rows}


def test_a_hook_runs_what_make_lint_runs() -> None:
    config = workflow(TOP / ".config" / "pre-commit.yaml")
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    makefile = (TOP / "Makefile").read_text("utf-8").replace("\\\n", "")
    linters = re.search(r"^LINTS := (.+)$", makefile, re.MULTILINE)
    assert linters
    assert [hook["id"] for hook in hooks] == linters[1].split()
    for hook in hooks:
        assert hook["entry"] == f"make --no-print-directory {hook['id']}"
        assert (hook["language"], hook["pass_filenames"]) == ("system", False)


def test_the_changelog_ends_with_the_version_that_the_project_has() -> None:
    version = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    releases = workflow(TOP / "docs" / "changelogs" / "changelog.yaml")["releases"]
    assert max(releases, key=lambda release: tuple(map(int, release.split(".")))) == version
