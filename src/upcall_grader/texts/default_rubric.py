"""The default rubric as a file that explains itself, to start one's own from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from upcall_grader.judge.checks import CHECKS
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.parameters import Parameter
from upcall_grader.texts import check_words

_HEAD = """\
# The rubric that is used where none is named. To make your own: upcall-grade rubric > my-rubric.yml
#
# lab: what is looked for.
#   port:    the server's TCP port
#   address: the server's address, or any
#   answer:  what the server puts before a message in its upcall
#   shown:   what the client prints before an upcall
# criteria: in the order in which they are told. Each has
#   id:     your name for it, as it stands in the exports
#   check:  how it is looked for; without it the id is also the check's name
#   points: what it is worth
#   title:  optional, by language: {en: ..., id: ...}
# Checks, with their parameters:
"""


def default_rubric_text() -> str:
    """Return the default rubric as YAML, with a line of comment about each check."""
    return _HEAD + "".join(f"{line}\n" for line in (*_checks(), *_lab(), *_criteria()))


def _checks() -> Iterator[str]:
    parameters = {name: _parameters(check.parameters) for name, check in CHECKS.items()}
    name_width, parameters_width = max(map(len, CHECKS)), max(map(len, parameters.values()))
    for name, shown in parameters.items():
        about = check_words()[name]["about"]
        yield f"#   {name:{name_width}}  {shown:{parameters_width}}  {about}"


def _parameters(parameters: Mapping[str, Parameter]) -> str:
    return " ".join(_parameter(name, parameter) for name, parameter in parameters.items())


def _parameter(name: str, parameter: Parameter) -> str:
    if parameter.many:
        return f"{name}: [..]"
    return f"{name}:" if parameter.default is None else f"{name}: {parameter.default}"


def _lab() -> Iterator[str]:
    lab = DEFAULT.lab
    yield "lab:"
    yield f"  port: {lab.port}"
    yield "  address: any"
    yield f"  answer: {json.dumps(lab.answer.decode())}"
    yield f"  shown: {json.dumps(lab.shown.decode())}"


def _criteria() -> Iterator[str]:
    yield "criteria:"
    for criterion in DEFAULT.criteria:
        yield f"  - id: {criterion.id}"
        yield f"    points: {criterion.points:g}"
        for name, value in criterion.parameters.items():
            yield f"    {name}: {value}"
