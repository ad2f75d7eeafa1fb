"""From a rubric file (YAML) to a Rubric; a message names the line of a mistake."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

import yaml

from upcall_grader.judge.check import Check
from upcall_grader.judge.checks import CHECKS
from upcall_grader.judge.parameters import Parameter, whole_number
from upcall_grader.judge.rubric import Criterion, Rubric, Value
from upcall_grader.lab import UPCALL, Lab
from upcall_grader.languages import LANGUAGES
from upcall_grader.troubles import TroubleError

MAX_BYTES = 64 * 1024
"""The largest rubric that is read."""
_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_MAX_POINTS = 10_000
_MAX_DEPTH = 20
_PORT = whole_number("port", 1, 65_535)
_Read = TypeVar("_Read")

# The C parser where libyaml is there: it is several times as fast, and knows the lines as well.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class RubricError(TroubleError):
    """A rubric that cannot be used; the message names file and line, cause and remedy."""

    trouble = "rubric"


class _Reader:
    """Reads nodes of one file, and complains with its name and their lines."""

    def __init__(self, file: str) -> None:
        self._file = file

    def fail(self, node: yaml.Node, cause: str) -> NoReturn:
        raise RubricError(f"{self._file}, line {node.start_mark.line + 1}: {cause}")

    def mapping(self, node: yaml.Node, what: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, f"{what} has to be a mapping of names to values")
        values: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self.text(key, "a name")
            if name in values:
                self.fail(key, f"{name!r} appears twice")
            values[name] = value
        return values

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.fail(node, f"{what} has to be a list with at least one item")
        return list(node.value)

    def text(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
            self.fail(node, f"{what} has to be a text")
        return str(node.value)

    def read(self, node: yaml.Node, what: str, read: Callable[[str], _Read]) -> _Read:
        text = self.text(node, what)
        try:
            return read(text)
        except ValueError as error:
            self.fail(node, str(error))

    def points(self, node: yaml.Node) -> float:
        text = self.text(node, "points")
        if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,2})?", text) or float(text) > _MAX_POINTS:
            self.fail(
                node,
                f"points have to be a number from 0 to {_MAX_POINTS} with at most two decimals,"
                f" not {text!r}",
            )
        return float(text)

    def known(self, values: Mapping[str, yaml.Node], names: set[str], what: str) -> None:
        for name, node in values.items():
            if name not in names:
                self.fail(node, f"{what} has no {name!r}; it knows {', '.join(sorted(names))}")


def read_rubric(path: Path) -> Rubric:
    """Read a rubric file. Raises RubricError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise RubricError(f"{path}: it cannot be read ({cause}); check the name") from error
    if len(data) > MAX_BYTES:
        raise RubricError(
            f"{path}: it is larger than {MAX_BYTES // 1024} KiB, so it cannot be a rubric"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RubricError(f"{path}: it is not UTF-8 ({error}); save it again as UTF-8") from error
    return parse_rubric(text, path.name)


def parse_rubric(text: str, file: str) -> Rubric:
    """Return the rubric in ``text``, which messages call ``file``. Raises RubricError."""
    try:
        _check_depth(text, file)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        cause = " ".join(str(getattr(error, "problem", None) or error).split())
        raise RubricError(
            f"{file}{where}: it is not YAML ({cause}); compare it with: upcall-grade rubric"
        ) from error
    if root is None:
        raise RubricError(f"{file}: it is empty; start from: upcall-grade rubric")
    return _rubric(_Reader(file), root)


def _check_depth(text: str, file: str) -> None:
    """Refuse deep nesting: composing calls itself for each level until the stack ends."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            where = f", line {event.start_mark.line + 1}" if event.start_mark else ""
            raise RubricError(
                f"{file}{where}: it is nested too deeply; compare it with: upcall-grade rubric"
            )


def _rubric(reader: _Reader, root: yaml.Node) -> Rubric:
    given = reader.mapping(root, "the rubric")
    reader.known(given, {"lab", "criteria"}, "a rubric")
    if "criteria" not in given:
        reader.fail(root, "it has no criteria; start from: upcall-grade rubric")
    lab = _lab(reader, given["lab"]) if "lab" in given else UPCALL
    criteria: dict[str, Criterion] = {}
    for node in reader.items(given["criteria"], "criteria"):
        criterion = _criterion(reader, node)
        if criterion.id in criteria:
            reader.fail(
                node, f"the id {criterion.id!r} appears twice; each criterion needs its own"
            )
        criteria[criterion.id] = criterion
    return Rubric(tuple(criteria.values()), lab)


def _lab(reader: _Reader, node: yaml.Node) -> Lab:
    given = reader.mapping(node, "lab")
    reader.known(given, {"port", "address", "answer", "shown"}, "lab")
    lab = UPCALL
    if "port" in given:
        lab = lab._replace(port=reader.read(given["port"], "port", _PORT))
    if "address" in given:
        lab = lab._replace(address=_address(reader, given["address"]))
    if "answer" in given:
        lab = lab._replace(answer=reader.text(given["answer"], "answer").encode())
    if "shown" in given:
        lab = lab._replace(shown=reader.text(given["shown"], "shown").encode())
    return lab


def _address(reader: _Reader, node: yaml.Node) -> bytes | None:
    text = reader.text(node, "address")
    try:
        return None if text == "any" else ipaddress.ip_address(text).packed
    except ValueError:
        reader.fail(node, f"address has to be an IP address or any, not {text!r}")


def _criterion(reader: _Reader, node: yaml.Node) -> Criterion:
    given = reader.mapping(node, "a criterion")
    if "id" not in given or "points" not in given:
        reader.fail(node, "a criterion needs an id and points")
    name = reader.text(given["id"], "id")
    if not _ID.fullmatch(name):
        reader.fail(
            given["id"],
            f"an id begins with a small letter and has at most 40 of a-z, 0-9 and -, not {name!r}",
        )
    check = reader.text(given["check"], "check") if "check" in given else name
    if check not in CHECKS:
        where = given.get("check", given["id"])
        reader.fail(where, f"there is no check {check!r}; there are {', '.join(CHECKS)}")
    names = {"id", "check", "points", "title", *CHECKS[check].parameters}
    reader.known(given, names, f"a criterion with check {check}")
    return Criterion(
        id=name,
        check=check,
        points=reader.points(given["points"]),
        titles=_titles(reader, given["title"]) if "title" in given else {},
        parameters=_parameters(reader, node, given, CHECKS[check]),
    )


def _titles(reader: _Reader, node: yaml.Node) -> dict[str, str]:
    given = reader.mapping(node, "title")
    reader.known(given, set(LANGUAGES), "title")
    return {language: reader.text(title, "title") for language, title in given.items()}


def _parameters(
    reader: _Reader,
    node: yaml.Node,
    given: Mapping[str, yaml.Node],
    check: Check,
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, parameter in check.parameters.items():
        if name in given:
            values[name] = _value(reader, name, given[name], parameter)
        elif parameter.default is None:
            reader.fail(node, f"{name} is missing; add it, as in {name}: {parameter.example}")
        else:
            values[name] = parameter.default
    contradiction = check.contradiction(values)
    if contradiction is not None:
        name, cause = contradiction
        reader.fail(given.get(name, node), cause)
    return values


def _value(reader: _Reader, name: str, node: yaml.Node, parameter: Parameter) -> Value:
    if not parameter.many:
        return reader.read(node, name, parameter.read)
    items = reader.items(node, name)
    return tuple(str(reader.read(item, f"one of {name}", parameter.read)) for item in items)
