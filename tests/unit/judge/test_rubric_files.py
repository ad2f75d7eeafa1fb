"""Rubric files: what is wrong with one is told with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.judge.talks import exchange, grade
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.rubric_file import (
    MAX_BYTES,
    RubricError,
    parse_rubric,
    read_rubric,
)
from upcall_grader.lab import UPCALL
from upcall_grader.texts.default_rubric import default_rubric_text

GOOD = "criteria:\n  - id: traffic\n    points: 10\n"
WINDOW = "criteria:\n  - {id: window, points: 1,\n     from: %s,\n     to: %s}\n"

WRONG: dict[str, tuple[str, int | None, str]] = {
    # what is in the file, the line of the mistake, words of the message
    "nothing": ("", None, "it is empty; start from: upcall-grade rubric"),
    "comments alone": ("# soon\n", None, "it is empty"),
    "a list": ("- a\n", 1, "the rubric has to be a mapping"),
    "a text": ("rubric\n", 1, "the rubric has to be a mapping"),
    "no criteria": ("lab: {port: 4141}\n", 1, "it has no criteria; start from"),
    "empty criteria": ("lab: {}\ncriteria: []\n", 2, "a list with at least one item"),
    "criteria a mapping": ("criteria:\n  traffic: 10\n", 2, "a list with at least one item"),
    "a criterion a list": ("criteria:\n  - [traffic, 10]\n", 2, "a criterion has to be a mapping"),
    "unknown key": (GOOD + "criterias: 1\n", 4, "'criterias'; it knows criteria, lab"),
    "unknown key of lab": (GOOD + "lab:\n  prot: 1\n", 5, "'prot'; it knows address, answer, port"),
    "unknown key of a criterion": (GOOD + "    least: 2\n", 4, "check traffic has no 'least'"),
    "key twice": (GOOD + "    points: 5\n", 4, "'points' appears twice"),
    "id twice": (
        GOOD + "  - {id: traffic, points: 1}\n",
        4,
        "appears twice; each criterion needs its",
    ),
    "no points": ("criteria:\n  - id: traffic\n", 2, "a criterion needs an id and points"),
    "no id": ("criteria:\n  - points: 1\n", 2, "a criterion needs an id and points"),
    "id with spaces": ("criteria:\n  - points: 1\n    id: My Id\n", 3, "an id begins with"),
    "unknown check": ("criteria:\n  - {id: shake, points: 1}\n", 2, "there are traffic, handshake"),
    "unknown check behind an id": (
        "criteria:\n  - {id: traffic, points: 1,\n     check: shake}\n",
        3,
        "there is no check 'shake'",
    ),
    "negative points": ("criteria:\n  - id: close\n    points: -1\n", 3, "not '-1'"),
    "points with a comma": ("criteria:\n  - id: close\n    points: 1,5\n", 3, "not '1,5'"),
    "points in words": ("criteria:\n  - id: close\n    points: .inf\n", 3, "from 0 to 10000"),
    "too many points": ("criteria:\n  - id: close\n    points: 10001\n", 3, "from 0 to 10000"),
    "points a list": ("criteria:\n  - id: close\n    points: [1]\n", 3, "points has to be a text"),
    "foreign digits": ("criteria:\n  - id: close\n    points: ٣\n", 3, "not '٣'"),
    "no message": ("criteria:\n  - {id: messages, points: 1, least: 0}\n", 2, "from 1 to 1000"),
    "half a message": ("criteria:\n  - {id: distinct, points: 1, least: 1.5}\n", 2, "not '1.5'"),
    "title a text": (GOOD + "    title: Traffic\n", 4, "title has to be a mapping"),
    "title in a foreign language": (GOOD + "    title: {de: x}\n", 4, "'de'; it knows en, id"),
    "port of no TCP": ("lab:\n  port: 65536\n" + GOOD, 2, "port has to be a whole number"),
    "port in hexadecimal": ("lab:\n  port: 0x102D\n" + GOOD, 2, "not '0x102D'"),
    "address cut": ("lab:\n  address: 10.0.0\n" + GOOD, 2, "an IP address or any, not '10.0.0'"),
    "lab without content": ("lab:\n" + GOOD, 1, "lab has to be a mapping"),
    "network with host bits": (
        "criteria:\n  - id: network\n    points: 1\n    networks:\n      - 172.18.0.1/16\n",
        5,
        "a network has to look like 172.18.0.0/16, not '172.18.0.1/16'",
    ),
    "network alone": (
        "criteria:\n  - {id: network, points: 1, networks: 172.18.0.0/16}\n",
        2,
        "networks has to be a list",
    ),
    "time without zone": (
        WINDOW % ("2026-11-23T08:00:00", "2026-11-23T10:00:00Z"),
        3,
        "has to name its zone, as in 2026-11-23T08:00:00+07:00",
    ),
    "day alone": (WINDOW % ("2026-11-23", "2026-11-24"), 3, "has to name its zone"),
    "no time": (WINDOW % ("2026-11-23T08:00:00Z", "noon"), 4, "this is 'noon'"),
    "window the wrong way round": (
        WINDOW % ("2026-11-23T08:00:00+00:00", "2026-11-23T12:00:00+07:00"),
        4,
        "to has to be later than from",
    ),
    "window without its end": (
        "criteria:\n  - {id: window, points: 1, from: 2026-11-23T08:00:00Z}\n",
        2,
        "to is missing; add it, as in to: 2026-11-23T08:00:00+07:00",
    ),
    "no YAML": ("criteria: [\n", 2, "it is not YAML"),
    "a tab": ("criteria:\n\t- id: close\n", 2, "it is not YAML"),
    "two documents": (GOOD + "---\n" + GOOD, 4, "it is not YAML"),
    "alias of nothing": ("criteria: *all\n", 1, "undefined alias"),
    "merge key": (GOOD + "    <<: {least: 1}\n", 4, "has no '<<'"),
    "code in a tag": ("criteria: !!python/object/apply:os.abort []\n", 1, "at least one item"),
    "a list for a name": ("? [a, b]\n: 1\n" + GOOD, 1, "a name has to be a text"),
    "itself for a name": ("? &me [*me]\n: 1\n" + GOOD, 1, "a name has to be a text"),
    "itself for its criteria": ("&me\ncriteria: *me\n", 1, "a list with at least one item"),
    "itself for a criterion": ("criteria: &me\n  - *me\n", 1, "a criterion has to be a mapping"),
    "NUL": ("crit\0eria: 1\n", None, "it is not YAML"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    text, line, words = WRONG[name]
    path = tmp_path / "rubric.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RubricError) as raised:
        read_rubric(path)
    message = str(raised.value)
    assert message.startswith("rubric.yml: " if line is None else f"rubric.yml, line {line}: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_an_error_and_no_crash(opening: str, tmp_path: Path) -> None:
    # As a process: a stack that overflows in C would end the tests with it.
    path = tmp_path / "deep.yml"
    path.write_text(opening * (60_000 // len(opening)), encoding="utf-8")
    done = grade(tmp_path, "--rubric", path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"upcall-grade: deep.yml, line 1: it is nested too deeply")


def test_aliases_of_aliases_cost_neither_time_nor_memory() -> None:
    laughs = "a0: &a0 [x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 15)
    )
    with pytest.raises(RubricError, match="a rubric has no 'a0'"):
        parse_rubric(laughs + GOOD, "laughs.yml")
    names = "".join(
        f"? &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n: 1\n" for level in range(1, 15)
    )
    with pytest.raises(RubricError, match="a name has to be a text"):
        parse_rubric("x: &a0 [k]\n" + names, "laughs.yml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GOOD.encode("utf-16"), "it is not UTF-8"),
        (b"criteria: \xff\n", "it is not UTF-8"),
        (b"#" * (MAX_BYTES + 1), "it is larger than 64 KiB"),
    ],
)
def test_bytes_that_are_no_rubric(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "rubric.yml"
    path.write_bytes(content)
    with pytest.raises(RubricError, match=re.escape(words)):
        read_rubric(path)


@pytest.mark.parametrize("name", ["", "missing.yml", "missing\0.yml"])
def test_what_cannot_be_opened(name: str, tmp_path: Path) -> None:
    with pytest.raises(RubricError, match=r"it cannot be read .*; check the name"):
        read_rubric(tmp_path / name)


def test_a_byte_order_mark_windows_lines_and_aliases_of_values_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "rubric.yml"
    text = (
        GOOD
        + "  - {id: close, points: &p 2.5, title: {id: Tutup}}\n  - {id: upcalls, points: *p}\n"
    )
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    rubric = read_rubric(path)
    assert [criterion.id for criterion in rubric.criteria] == ["traffic", "close", "upcalls"]
    assert rubric.points == 15


def test_the_default_rubric_is_what_is_promised() -> None:
    assert [criterion.id for criterion in DEFAULT.criteria] == [
        *("traffic", "handshake", "messages", "upcalls", "close", "no-reset")
    ]
    assert DEFAULT.points == 100
    assert DEFAULT.lab == UPCALL
    assert parse_rubric(default_rubric_text(), "printed.yml") == DEFAULT


def test_the_printed_rubric_grades_as_the_default_does(tmp_path: Path) -> None:
    captures = tmp_path / "captures"
    captures.mkdir()
    (captures / "one.pcap").write_bytes(exchange(b"1"))
    rubric = tmp_path / "my.yml"
    rubric.write_bytes(grade("rubric").stdout)
    own = grade(captures, "--rubric", rubric)
    assert own.stdout.startswith(b"one  graded         85 of 100  one.pcap\n")
    assert (own.returncode, own.stdout) == (0, grade(captures).stdout)
