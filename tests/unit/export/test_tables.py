"""grades.csv, moodle.csv and canvas.csv, read as their readers read them."""

from __future__ import annotations

import csv
import io
import re
import typing as t

import pytest

from tests.unit.export.building import (
    BUDI,
    SARI,
    STRANGER,
    WATI,
    assessment,
    graded,
    missing,
    recapture,
)
from upcall_grader.export.canvas import canvas_table
from upcall_grader.export.moodle import moodle_table
from upcall_grader.export.tables import grades_table
from upcall_grader.judge.results import Assessment, Owner
from upcall_grader.texts.wording import Wording

COURSE = assessment(
    graded(SARI),
    graded(BUDI, "submissions/2110002/upcall.pcap", upcalls=12.5),
    graded(BUDI, "seat-2/upcall.pcap", mode="exercise"),
    missing(WATI),
    graded(STRANGER, "=x/upcall.pcap"),
)
FORMULA = re.compile(r"[\s\"']*[=+\-@].", re.DOTALL)


def rows(data: bytes) -> list[list[str]]:
    text = data.decode()
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    # One record a line, and as many cells in each: Moodle and Canvas ask for both.
    assert text.endswith("\n")
    assert text.count("\n") == len(read)
    assert len(set(map(len, read))) == 1
    return read


def dicts(data: bytes) -> list[dict[str, str]]:
    header, *rest = rows(data)
    assert len(set(header)) == len(header)
    return [dict(zip(header, row, strict=True)) for row in rest]


def moodle(results: Assessment, assignment: str = "Upcall") -> list[dict[str, str]]:
    return moodle_import(moodle_table(results, Wording("en"), assignment))


def moodle_import(data: bytes) -> list[dict[str, str]]:
    """Hold a file against what Moodle's import refuses, and read it."""
    read = dicts(data)
    header = list(read[0])
    assert header[0] == "ID number"
    title = header[-2]
    assert header[-1] == f"{title} (Feedback)"
    for row in read:
        assert all(row[name] for name in header[:-2]), "a blank user means the one before"
        assert row[title] == "-" or 0 <= float(row[title]) <= 100
    # PHP reads a backslash before a quotation mark as part of the text.
    assert b'\\"' not in data
    assert not re.search(rb'[^,\n]"[^,\n]', data), "a quotation mark in a cell"
    return read


def canvas_import(data: bytes) -> list[dict[str, str]]:
    """Hold a file against what Canvas' import asks for, and read it without the row of points."""
    read = dicts(data)
    header = list(read[0])
    assert header[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert len(header) == 6, "each further column would be an assignment"
    assert not re.search("(Current|Final|Override) (Score|Points|Grade|Status)", header[5])
    points, *students = read
    assert "Points Possible" in points["Student"]
    assert float(points[header[5]]) == 100
    for row in students:
        assert "Points Possible" not in row["Student"]
        assert row["Student"]
        assert row["ID"] == "", "Canvas' own number"
        assert row["SIS User ID"]
        assert row[header[5]] == "" or float(row[header[5]]) >= 0
    return students


def test_grades_has_each_student_once_and_every_other_file() -> None:
    read = dicts(grades_table(COURSE, Wording("en")))
    assert [(row["student"], row["points"], row["file"]) for row in read] == [
        ("2110001", "100", "2110001/upcall.pcap"),
        ("2110002", "72.5", "submissions/2110002/upcall.pcap"),
        ("2110003", "0", ""),
        ("'=1+1", "100", "'=x/upcall.pcap"),
    ]
    sari, budi, wati, _ = read
    assert (sari["name"], sari["group"], sari["possible"]) == ("Sari Dewi", "TI-2A", "100")
    assert (budi["handshake"], budi["handshake status"]) == ("60", "met")
    assert (budi["upcalls"], budi["upcalls status"]) == ("12.5", "not-met")
    assert (wati["verdict"], wati["upcalls status"], wati["needs_person"]) == (
        "missing",
        "not-observable",
        "yes",
    )


def test_of_a_stranger_every_file_is_in_grades() -> None:
    results = assessment(graded(STRANGER, "a"), graded(STRANGER, "b"))
    assert [row["file"] for row in dicts(grades_table(results, Wording("en")))] == ["a", "b"]


def test_moodle_gets_the_students_of_the_roster_and_no_other() -> None:
    read = moodle(COURSE, "Upcall lab")
    assert [(row["ID number"], row["Email address"], row["Upcall lab"]) for row in read] == [
        ("2110001", "sari@example.org", "100"),
        ("2110002", "budi@example.org", "72.5"),
        ("2110003", "wati@example.org", "-"),
    ]
    feedback = [row["Upcall lab (Feedback)"] for row in read]
    assert feedback[0] == "100 of 100 points."
    assert feedback[1].startswith("72.5 of 100 points. Upcalls: An upcall does not repeat")
    assert "<" not in feedback[1]
    # Why nothing can be said of each criterion is not said again for each.
    assert feedback[2] == (
        "No grade yet: the instructor decides. 0 of 100 points. No file has been handed in."
        " Capture an exchange as the handout describes, and hand in the file."
    )


@pytest.mark.parametrize("email", ["", "+sari@example.org", 'a"b@example.org'])
def test_moodle_gets_no_addresses_if_one_of_them_would_be_no_user(email: str) -> None:
    read = moodle(assessment(graded(SARI._replace(email=email)), graded(BUDI)))
    assert [list(row) for row in read] == [["ID number", "Upcall", "Upcall (Feedback)"]] * 2


def test_canvas_gets_the_students_of_the_roster_and_no_other() -> None:
    read = canvas_import(canvas_table(COURSE, "Upcall lab"))
    names = ("Student", "SIS User ID", "SIS Login ID", "Section", "Upcall lab")
    assert [tuple(row[name] for name in names) for row in read] == [
        ("Sari Dewi", "2110001", "2110001", "TI-2A", "100"),
        ("Budi Santoso", "2110002", "2110002", "TI-2B", "72.5"),
        ("Wati Lestari", "2110003", "2110003", "TI-2B", ""),
    ]


def test_what_a_person_has_to_look_at_becomes_no_grade() -> None:
    copies = [["2110001/upcall.pcap", "elsewhere"]]
    results = assessment(graded(SARI), recapture(BUDI), graded(WATI), copies=copies)
    assert [row["Upcall"] for row in moodle(results)] == ["-", "-", "100"]
    read = canvas_import(canvas_table(results, "Upcall"))
    assert [row["Upcall"] for row in read] == ["", "", "100"]
    looked_at = [row["needs_person"] for row in dicts(grades_table(results, Wording("en")))]
    assert looked_at == ["yes", "yes", "no"]


NASTY = [
    '=HYPERLINK("http://x","y")',
    "\t+1",
    "x;@SUM(A1)",
    "\uff1d1",
    'a"b\\',
    "a,b\\",
    "a\nb\x1b[2J\u202e",
    "Points Possible",
    "Muted",
    "",
]


@pytest.mark.parametrize("nasty", NASTY)
def test_hostile_names_break_no_table(nasty: str) -> None:
    owner = Owner("s1", nasty, nasty, nasty, "seat-1", on_roster=True)
    results = assessment(graded(owner, nasty or "x", upcalls=0), graded(SARI), graded(STRANGER))
    tables: t.Sequence[bytes] = (
        grades_table(results, Wording("en")),
        moodle_table(results, Wording("en"), nasty or "Upcall"),
        canvas_table(results, "Upcall"),
    )
    moodle_import(tables[1])
    assert [row["SIS User ID"] for row in canvas_import(tables[2])] == ["s1", "2110001"]
    for data in tables:
        cells = [cell for row in rows(data) for cell in row]
        assert all(cell.isprintable() for cell in cells)
        assert not [cell for cell in cells if cell[:1] != "'" and FORMULA.match(cell)]
        assert not [cell for cell in cells if re.search(r"[;,|]\s*[=+@]", cell)]
