"""From a rubric file (YAML) to a Rubric; what is wrong with it is told with its line."""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import yaml

from upcall_grader.judge.rubric import Criterion, Rubric, Value
from upcall_grader.lab import UPCALL, Lab
from upcall_grader.languages import LANGUAGES
from upcall_grader.troubles import TroubleError

MAX_BYTES = 64 * 1024
"""The largest rubric that is read."""
_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_MAX_POINTS, _MAX_LEAST = 10_000, 1_000
_MAX_DEPTH = 20

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
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self.text(key, "a name")
            if name in found:
                self.fail(key, f"{name!r} stands there twice")
            found[name] = value
        return found

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.fail(node, f"{what} has to be a list with at least one item")
        return list(node.value)

    def text(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
            self.fail(node, f"{what} has to be a text")
        return str(node.value)

    def whole(self, node: yaml.Node, what: str, low: int, high: int) -> int:
        found = self.text(node, what)
        if not re.fullmatch(r"[0-9]{1,9}", found) or not low <= int(found) <= high:
            self.fail(node, f"{what} has to be a whole number from {low} to {high}, not {found!r}")
        return int(found)

    def points(self, node: yaml.Node) -> float:
        found = self.text(node, "points")
        if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,2})?", found) or float(found) > _MAX_POINTS:
            self.fail(
                node,
                f"points have to be a number from 0 to {_MAX_POINTS} with at most two decimals,"
                f" not {found!r}",
            )
        return float(found)

    def known(self, found: Mapping[str, yaml.Node], names: set[str], what: str) -> None:
        for name, node in found.items():
            if name not in names:
                self.fail(node, f"{what} has no {name!r}; it knows {', '.join(sorted(names))}")


def default_text() -> str:
    """``rubric.DEFAULT`` as a file, to start one's own from."""
    return Path(__file__).with_name("default.yml").read_text("utf-8")


def read_rubric(path: Path) -> Rubric:
    """Read a rubric file. Raises RubricError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise RubricError(f"{path}: it cannot be read ({cause}); check the name") from error
    if len(data) > MAX_BYTES:
        raise RubricError(f"{path}: it is larger than {MAX_BYTES // 1024} KiB, so it is no rubric")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RubricError(f"{path}: it is not UTF-8 ({error}); save it again as UTF-8") from error
    return parse_rubric(text, path.name)


def parse_rubric(text: str, file: str) -> Rubric:
    """The rubric in ``text``, which messages call ``file``. Raises RubricError."""
    try:
        _check_depth(text, file)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        cause = " ".join(str(getattr(error, "problem", None) or error).split())
        raise RubricError(
            f"{file}{where}: it is no YAML ({cause}); compare it with: upcall-grade rubric"
        ) from error
    if root is None:
        raise RubricError(f"{file}: it is empty; start from: upcall-grade rubric")
    return _rubric(_Reader(file), root)


def _check_depth(text: str, file: str) -> None:
    """Composing calls itself for each level, and the C parser's has no end but the stack's."""
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
    found = reader.mapping(root, "the rubric")
    reader.known(found, {"lab", "criteria"}, "a rubric")
    if "criteria" not in found:
        reader.fail(root, "there is no criteria; start from: upcall-grade rubric")
    lab = _lab(reader, found["lab"]) if "lab" in found else UPCALL
    criteria: dict[str, Criterion] = {}
    for node in reader.items(found["criteria"], "criteria"):
        criterion = _criterion(reader, node)
        if criterion.id in criteria:
            reader.fail(node, f"the id {criterion.id!r} stands there twice; each needs its own")
        criteria[criterion.id] = criterion
    return Rubric(tuple(criteria.values()), lab)


def _lab(reader: _Reader, node: yaml.Node) -> Lab:
    found = reader.mapping(node, "lab")
    reader.known(found, {"port", "address", "answer", "shown"}, "lab")
    lab = UPCALL
    if "port" in found:
        lab = lab._replace(port=reader.whole(found["port"], "port", 1, 65_535))
    if "address" in found:
        lab = lab._replace(address=_address(reader, found["address"]))
    if "answer" in found:
        lab = lab._replace(answer=reader.text(found["answer"], "answer").encode())
    if "shown" in found:
        lab = lab._replace(shown=reader.text(found["shown"], "shown").encode())
    return lab


def _address(reader: _Reader, node: yaml.Node) -> bytes | None:
    told = reader.text(node, "address")
    try:
        return None if told == "any" else ipaddress.ip_address(told).packed
    except ValueError:
        reader.fail(node, f"address has to be an IP address or any, not {told!r}")


def _criterion(reader: _Reader, node: yaml.Node) -> Criterion:
    found = reader.mapping(node, "a criterion")
    if "id" not in found or "points" not in found:
        reader.fail(node, "a criterion needs an id and points")
    name = reader.text(found["id"], "id")
    if not _ID.fullmatch(name):
        reader.fail(
            found["id"],
            f"an id begins with a small letter and has at most 40 of a-z, 0-9 and -, not {name!r}",
        )
    check = reader.text(found["check"], "check") if "check" in found else name
    if check not in PARAMETERS:
        where = found.get("check", found["id"])
        reader.fail(where, f"there is no check {check!r}; there are {', '.join(PARAMETERS)}")
    parameters = PARAMETERS[check]
    reader.known(
        found, {"id", "check", "points", "title", *parameters}, f"a criterion with check {check}"
    )
    values = _parameters(reader, node, found, parameters)
    if check == "window" and _time(values["from"]) > _time(values["to"]):
        reader.fail(found["to"], "to has to be later than from")
    return Criterion(
        id=name,
        check=check,
        points=reader.points(found["points"]),
        titles=_titles(reader, found["title"]) if "title" in found else {},
        parameters=values,
    )


def _titles(reader: _Reader, node: yaml.Node) -> dict[str, str]:
    found = reader.mapping(node, "title")
    reader.known(found, set(LANGUAGES), "title")
    return {language: reader.text(text, "title") for language, text in found.items()}


_Read = Callable[[_Reader, yaml.Node], Value]


def _parameters(
    reader: _Reader,
    node: yaml.Node,
    found: Mapping[str, yaml.Node],
    known: Mapping[str, tuple[_Read, Value | None]],
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, (read, default) in known.items():
        if name in found:
            values[name] = read(reader, found[name])
        elif default is None:
            reader.fail(node, f"{name} is missing")
        else:
            values[name] = default
    return values


def _least(reader: _Reader, node: yaml.Node) -> int:
    return reader.whole(node, "least", 1, _MAX_LEAST)


def _time(told: Value) -> datetime.datetime:
    return datetime.datetime.fromisoformat(str(told))


def _moment(reader: _Reader, node: yaml.Node) -> str:
    told = reader.text(node, "a time")
    try:
        moment = _time(told)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        reader.fail(
            node,
            f"a time has to name its zone, as in 2026-11-23T08:00:00+07:00 (WIB); this is {told!r}",
        )
    return told


def _networks(reader: _Reader, node: yaml.Node) -> tuple[str, ...]:
    networks = []
    for item in reader.items(node, "networks"):
        told = reader.text(item, "a network")
        try:
            networks.append(str(ipaddress.ip_network(told)))
        except ValueError:
            reader.fail(item, f"a network has to look like 172.18.0.0/16, not {told!r}")
    return tuple(networks)


PARAMETERS: dict[str, dict[str, tuple[_Read, Value | None]]] = {
    "traffic": {},
    "handshake": {},
    "messages": {"least": (_least, 2)},
    "upcalls": {},
    "close": {},
    "no-reset": {},
    "distinct": {"least": (_least, 2)},
    "token": {},
    "window": {"from": (_moment, None), "to": (_moment, None)},
    "network": {"networks": (_networks, ())},
}
"""Check -> its parameters: how each is read, and what it is where it is not given."""
