#!/usr/bin/env python3
"""Writes each role's README.md from its ``meta/argument_specs.yml``; ``--check`` only compares.

What lies between the two markers is generated. Anything below the end marker is hand-written and
kept. Exit status 0: every README is as generated; 1: with ``--check``, some are not.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).resolve().parent.parent
BEGIN = "<!-- generated from meta/argument_specs.yml by make readmes: begin -->"
END = "<!-- generated: end -->"
WIDE = 40  # characters: a longer default is told in words, the table stays readable
MARKUP = re.compile(r"(?<!\w)([COVIB])\(([^()]*)\)")

Spec = Mapping[str, Any]


class SpecError(ValueError):
    """An argument specification that no README can be made from; the message says where and why."""


def load_spec(role: Path) -> Spec:
    """The one entry point of a role's argument specification, ``main`` for most roles.

    Raises:
        SpecError: the file is missing, or has no such entry point with a short_description.
    """
    file = role / "meta" / "argument_specs.yml"
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SpecError(f"{file}: missing; every role states its variables there") from None
    except yaml.YAMLError as error:
        raise SpecError(f"{file}: not YAML: {error}") from error
    try:
        entry: Spec
        (entry,) = document["argument_specs"].values()
        entry["short_description"]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SpecError(
            f"{file}: wants one entry point below argument_specs:, with a short_description"
        ) from None
    return entry


def paragraphs(description: object) -> list[str]:
    """A description, which Ansible allows as one text or as a list of them, as a list."""
    if description is None:
        return []
    if isinstance(description, str):
        return [description]
    if isinstance(description, list):
        return [str(part) for part in description]
    raise SpecError(f"a description is a text or a list of texts, not {description!r}")


def markdown(text: str) -> str:
    """Ansible's markup ``C(x)``, ``O(x)``, ``V(x)``, ``I(x)``, ``B(x)`` as Markdown, one line."""

    def marked(match: re.Match[str]) -> str:
        mark = {"I": "*", "B": "**"}.get(match[1], "`")
        return f"{mark}{match[2]}{mark}"

    return MARKUP.sub(marked, " ".join(text.split()))


def cell(text: str) -> str:
    """A text as it may stand in a cell of a Markdown table."""
    return text.replace("|", "\\|")


def literal(value: object) -> str:
    """A value as YAML flow, in code marks."""
    return f"`{value if isinstance(value, str) and value else json.dumps(value)}`"


def default(option: Spec) -> str:
    """What stands in the column Default."""
    if option.get("required"):
        return "**required**"
    if "default" not in option:
        return ""
    text = literal(option["default"])
    return text if len(text) <= WIDE else "see `defaults/main.yml`"


def kind(option: Spec) -> str:
    """What stands in the column Type."""
    of = option.get("elements")
    name = str(option.get("type", "str"))
    return f"{name} of {of}" if of else name


def row(name: str, option: Spec) -> str:
    """One variable as a row of the table."""
    said = [markdown(part) for part in paragraphs(option.get("description"))]
    if "choices" in option:
        said.append("One of " + ", ".join(literal(choice) for choice in option["choices"]) + ".")
    cells = (f"`{name}`", kind(option), default(option), " ".join(said))
    return "| " + " | ".join(cell(text) for text in cells) + " |"


def suboptions(name: str, option: Spec) -> list[str]:
    """The rows of an option and of the options inside it, each named by its path."""
    rows = [row(name, option)]
    within = f"{name}[]" if option.get("type") == "list" else name
    for inner, spec in (option.get("options") or {}).items():
        rows += suboptions(f"{within}.{inner}", spec)
    return rows


def table(options: Spec) -> list[str]:
    """The table of variables, required ones first, else in the order of the specification."""
    if not options:
        return ["This role has no variables."]
    ordered = sorted(options.items(), key=lambda item: not item[1].get("required"))
    rows = [line for name, option in ordered for line in suboptions(name, option)]
    return ["| Variable | Type | Default | Meaning |", "| --- | --- | --- | --- |", *rows]


def generated(role: Path) -> str:
    """The generated block of a role's README, markers included, without a newline at its end.

    Raises:
        SpecError: as ``load_spec``, or a description that is neither text nor list.
    """
    spec = load_spec(role)
    said = [text for part in paragraphs(spec.get("description")) for text in (markdown(part), "")]
    lines = [
        BEGIN,
        f"# {role.name}",
        "",
        markdown(str(spec["short_description"])).rstrip(".") + ".",
        "",
        *said,
        "## Variables",
        "",
        *table(spec.get("options") or {}),
        "",
        END,
    ]
    return "\n".join(lines)


def readme(role: Path, present: str) -> str:
    """The whole README: the generated block, then what is hand-written in the present one.

    Raises:
        SpecError: the present README has text but not both markers: it would be lost.
    """
    block = generated(role)
    if not present.strip():
        return block + "\n"
    before, begin, rest = present.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end or before.strip():
        raise SpecError(
            f"{role / 'README.md'}: begins not with the generated block; put hand-written text"
            f" below the line {END}, or remove the file and run make readmes"
        )
    return block + after


def main(arguments: list[str] | None = None) -> int:
    """Write or check the README of every role under ``roles``; see the module's text."""
    parser = argparse.ArgumentParser(description="Make roles/*/README.md from their specs.")
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("--roles", type=Path, default=TOP / "roles", help="folder of the roles")
    options = parser.parse_args(arguments)
    status = 0
    for role in sorted(path for path in options.roles.iterdir() if (path / "meta").is_dir()):
        file = role / "README.md"
        present = file.read_text(encoding="utf-8") if file.exists() else ""
        try:
            wanted = readme(role, present)
        except SpecError as error:
            print(error, file=sys.stderr)
            status = 1
            continue
        if wanted == present:
            continue
        if options.check:
            print(f"{file}: not as its specs say; run make readmes", file=sys.stderr)
            status = 1
        else:
            file.write_text(wanted, encoding="utf-8")
            print(f"{file}: written")
    return status


if __name__ == "__main__":
    sys.exit(main())
