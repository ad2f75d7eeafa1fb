#!/usr/bin/env python3
"""Writes what roles/lab_docker/vars tells: README.md's table of lab hosts, the roles' platforms."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).resolve().parent.parent
TABLE = re.compile(r"(?<=\| Lab host \| \|\n\| --- \| --- \|\n)(?:\|.*\n)+")
PLATFORMS = re.compile(r"(?<=^  platforms:\n)(?:    .*\n)+", re.MULTILINE)


def distributions(top: Path) -> dict[str, dict[str, Any]]:
    """Return what each distribution's file says, by the file's name without its ending."""
    files = sorted((top / "roles" / "lab_docker" / "vars").glob("*.yml"))
    read = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}
    return {
        name: {key.removeprefix("__lab_docker_"): value for key, value in said.items()}
        for name, said in read.items()
        if name != "main"
    }


def table(known: dict[str, dict[str, Any]]) -> str:
    """Return the rows of README.md's table of lab hosts."""
    names: dict[bool, list[str]] = {True: [], False: []}
    for said in known.values():
        names[said["exercised"]].append(said["distribution"])
    return (
        f"| {', '.join(names[True])} | exercised by the tests |\n"
        f"| {', '.join(names[False])} | mapped in `roles/lab_docker/vars/`, not exercised |\n"
    )


def platforms(known: dict[str, dict[str, Any]]) -> str:
    """Return the list of platforms in a role's meta/main.yml."""
    versions: dict[str, dict[str, None]] = {}
    for said in known.values():
        platform = said["platform"]
        versions.setdefault(platform["name"], {}).update(dict.fromkeys(platform["versions"]))
    listed = [{"name": name, "versions": list(told)} for name, told in versions.items()]
    return textwrap.indent(yaml.safe_dump(listed, sort_keys=False, default_flow_style=None), "    ")


def texts(top: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file that names distributions, with the text that it has to have.

    Raises:
        ValueError: a file has no such place, or more than one.
    """
    known = distributions(top)
    for pattern, made, files in (
        (TABLE, table(known), [top / "README.md"]),
        (PLATFORMS, platforms(known), sorted(top.glob("roles/*/meta/main.yml"))),
    ):
        for file in files:
            around = pattern.split(file.read_text(encoding="utf-8"))
            if len(around) != 2:
                raise ValueError(f"{file}: not one place for the distributions")
            yield file, made.join(around)


if __name__ == "__main__":
    for path, text in texts(TOP):
        path.write_text(text, encoding="utf-8")
