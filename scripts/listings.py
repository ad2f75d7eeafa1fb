#!/usr/bin/env python3
"""Writes what lists other files: README.md's lab hosts and steps, the galaxy_info of the roles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).resolve().parent.parent
HOSTS = re.compile(r"(?<=^\| Lab host \| \|\n\| --- \| --- \|\n)(?:\|.*\n)+", re.MULTILINE)
STEPS = re.compile(r"(?<= \| `site.yml` \| \|\n\| --- \| --- \| --- \|\n)(?:\|.*\n)+")
GALAXY_INFO = re.compile(r"^galaxy_info:\n(?: .*\n)+", re.MULTILINE)
NEW_META = "---\ngalaxy_info:\n  {}\ndependencies:\n  - role: lab_look\n"
# The comment on top of a playbook, to its first line that is indented, such as a command.
ABOUT = re.compile(r"\A---\n((?:# \S.*\n)+)")

Known = dict[str, dict[str, Any]]


class Dumper(yaml.SafeDumper):
    """Indents lists as the linters ask for."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Never leave a list at the indentation of its key."""
        super().increase_indent(flow, indentless=False)


def load(file: Path) -> Any:
    """Return what a YAML file holds."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def distributions(top: Path) -> Known:
    """Return what each distribution's file says, by the file's name without its ending."""
    files = sorted((top / "roles" / "lab_docker" / "vars").glob("*.yml"))
    return {
        file.stem: {key.removeprefix("__lab_docker_"): value for key, value in load(file).items()}
        for file in files
        if file.stem != "main"
    }


def hosts(known: Known) -> str:
    """Return the rows of README.md's table of lab hosts."""
    names: dict[bool, list[str]] = {True: [], False: []}
    for said in known.values():
        names[said["exercised"]].append(said["distribution"])
    return (
        f"| {', '.join(names[True])} | exercised by the tests |\n"
        f"| {', '.join(names[False])} | mapped in `roles/lab_docker/vars/`, not exercised |\n"
    )


def steps(top: Path) -> str:
    """Return the rows of README.md's table of steps: first those of site.yml, in its order.

    Raises:
        ValueError: a playbook does not say what it does.
    """
    imported = [play["ansible.builtin.import_playbook"] for play in load(top / "site.yml")]
    others = sorted(str(file.relative_to(top)) for file in top.glob("playbooks/*.yml"))
    rows = []
    for name in dict.fromkeys(imported + others):
        about = ABOUT.match((top / name).read_text(encoding="utf-8"))
        if not about:
            raise ValueError(f"{name}: no comment on top that says what it does")
        said = " ".join(line.removeprefix("# ") for line in about[1].splitlines())
        number = imported.index(name) + 1 if name in imported else ""
        rows.append(f"| `{Path(name).name}` | {number} | {said} |\n")
    return "".join(rows)


def galaxy_info(role: Path, known: Known) -> str:
    """Return what a role's meta/main.yml says of it, its dependencies apart."""
    (spec,) = load(role / "meta" / "argument_specs.yml")["argument_specs"].values()
    versions: dict[str, dict[str, None]] = {}
    for said in known.values():
        platform = said["platform"]
        versions.setdefault(platform["name"], {}).update(dict.fromkeys(platform["versions"]))
    info = {
        "author": "upcall-lab contributors",
        "description": spec["short_description"],
        "license": "MIT",
        "min_ansible_version": "2.19",
        "platforms": [{"name": name, "versions": list(told)} for name, told in versions.items()],
    }
    lines: str = yaml.dump(
        {"galaxy_info": info}, Dumper=Dumper, sort_keys=False, default_flow_style=None, width=120
    )
    return lines


def texts(top: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file that is made of others, in part, with the text that it has to have.

    Raises:
        ValueError: a file has no place for its part, or more than one.
    """
    known = distributions(top)
    readme = (top / "README.md").read_text(encoding="utf-8")
    yield top / "README.md", put(STEPS, steps(top), put(HOSTS, hosts(known), readme))
    for role in sorted(file.parents[1] for file in top.glob("roles/*/meta/argument_specs.yml")):
        meta = role / "meta" / "main.yml"
        present = meta.read_text(encoding="utf-8") if meta.exists() else NEW_META
        yield meta, put(GALAXY_INFO, galaxy_info(role, known), present)


def put(place: re.Pattern[str], part: str, text: str) -> str:
    """Return the text with another part in the place."""
    around = place.split(text)
    if len(around) != 2:
        raise ValueError(f"not one place {place.pattern!r}")
    return part.join(around)


if __name__ == "__main__":
    for path, text in texts(TOP):
        path.write_text(text, encoding="utf-8")
