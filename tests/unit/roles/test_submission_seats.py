"""Who sits where, who handed in nothing, and what a spreadsheet makes of it."""

from __future__ import annotations

import csv
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError

from tests.support.loading import load
from upcall_text.cells import LONGEST

filters = load("plugins/filter/lab_collect_seats.py")

ROSTER = "lab_roster_students"


def seats(**hosts: t.Any) -> list[dict[str, t.Any]]:
    given = {name: {} if told is None else {ROSTER: told} for name, told in hosts.items()}
    return t.cast(list[dict[str, t.Any]], filters.lab_collect_seats(list(given), given))


def missing(tmp_path: Path, answers: dict[str, t.Any], asked: list[str]) -> dict[str, str]:
    hosts = {name: {"__lab_collect_submissions": told} for name, told in answers.items() if told}
    hosts = {name: {} for name in answers} | hosts
    sitting = filters.lab_collect_seats(list(hosts), hosts)
    rows = filters.lab_collect_missing(sitting, hosts, asked, str(tmp_path))
    return {row["student"]: row["why"] for row in rows}


def answered(student: str, **told: t.Any) -> dict[str, t.Any]:
    return {"results": [{"item": {"student": student}, **told}]}


def test_a_roster_names_students_and_a_host_without_one_is_the_student() -> None:
    found = seats(
        one=[{"student_id": 1, "name": "Sari"}],
        two=[{"student_id": "a"}, {"student_id": "b"}],
        none=[],
        lone=None,
    )
    told = [(s["student"], s["name"], s["host"], s["alone"]) for s in found]
    assert told == [
        ("1", "Sari", "one", True),
        ("a", "", "two", False),
        ("b", "", "two", False),
        ("lone", "", "lone", True),
    ]


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "-rf", "a b", "é", "a\n", "a" * 65])
def test_an_id_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(AnsibleFilterError, match=r"seat: .* cannot be a student's id"):
        seats(seat=[{"student_id": name}])


@pytest.mark.parametrize("other", ["sari", "SARI"])
def test_a_student_of_two_hosts_is_refused(other: str) -> None:
    with pytest.raises(AnsibleFilterError, match="is a student of one and of two"):
        seats(one=[{"student_id": "sari"}], two=[{"student_id": other}])


@pytest.mark.parametrize("roster", ["sari", ["sari"], [{"name": "Sari"}], {"student_id": "sari"}])
def test_a_roster_of_another_form_is_refused(roster: object) -> None:
    with pytest.raises(AnsibleFilterError, match="seat: lab_roster_students is not a list"):
        seats(seat=roster)


def test_each_reason_is_told(tmp_path: Path) -> None:
    passed_over = [{"path": "/home/x/upcall.pcap", "why": "is a FIFO"}]
    answers = {
        "came": answered("came", collected=True),
        "none": answered("none", collected=False, passed_over=[], passed_over_count=0),
        "fifo": answered("fifo", collected=False, passed_over=passed_over, passed_over_count=3),
        "lied": answered("lied", collected=False, error="lied gave no usable answer"),
        "slow": answered("slow", failed=True, msg="Timed out"),
        "cut": answered("cut", unreachable=True, msg="Broken pipe"),
        "off": {"unreachable": True, "msg": "no route"},
        "lost": None,
        "left": None,
    }
    assert missing(tmp_path, answers, [name for name in answers if name != "left"]) == {
        "none": "no file",
        "fifo": "/home/x/upcall.pcap is a FIFO; and 2 more",
        "lied": "lied gave no usable answer",
        "slow": "Timed out",
        "cut": "the host is unreachable",
        "off": "the host is unreachable",
        "lost": "the host failed before it was asked",
        "left": "not asked: this run left out the host",
    }


def test_what_was_collected_before_counts_where_the_host_was_not_asked(tmp_path: Path) -> None:
    for student in ("left", "none"):
        folder = tmp_path / "submissions" / student
        folder.mkdir(parents=True)
        (folder / "upcall.pcap").touch()
    answers = {"left": None, "none": answered("none", collected=False)}
    assert missing(tmp_path, answers, ["none"]) == {"none": "no file"}


def test_a_spreadsheet_computes_nothing_and_shows_one_line_a_student() -> None:
    hostile = ["=1+1", "+1", "-1", "@x", "\t=1", " =1", 'a\nb,"c"', "\x1b[31m", "x" * 10_000]
    hostile.append("\uff1d1+1")
    rows = [
        {"student": "s", "name": cell, "host": "h", "why": cell, "collected_before": ""}
        for cell in hostile
    ]
    text = filters.lab_collect_csv(rows)
    assert len(text.splitlines()) == len(rows) + 1
    cells = [row["name"] for row in csv.DictReader(text.splitlines())]
    assert cells[:6] == ["'=1+1", "'+1", "'-1", "'@x", r"'\t=1", "' =1"]
    assert cells[6:8] == [r'a\nb,"c"', r"\x1b[31m"]
    assert len(cells[8]) == LONGEST
    assert cells[9] == "'\uff1d1+1"
    assert all(line.isprintable() for line in filters.lab_collect_lines(rows))


def test_a_line_tells_who_where_why_and_what_is_kept() -> None:
    row = {"student": "1", "name": "Sari", "host": "h", "why": "no file", "collected_before": ""}
    lone = row | {"student": "h", "name": "", "collected_before": "2026-11-22T05:00:00Z"}
    assert filters.lab_collect_lines([row, lone]) == [
        "1 (Sari) on h: no file",
        "h: no file; the one of 2026-11-22T05:00:00Z is kept",
    ]
