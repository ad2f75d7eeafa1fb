"""grades.json, held against the schema that is written beside it."""

from __future__ import annotations

import json
import re
import tracemalloc
import typing as t

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.unit.export.building import (
    BUDI,
    HOSTILE,
    SARI,
    STRANGER,
    WATI,
    assessment,
    exchange,
    graded,
    missing,
    recapture,
)
from upcall_grader.export import grades_json
from upcall_grader.judge.results import Assessment

EVERYTHING = assessment(
    graded(SARI)._replace(
        exchanges=(
            exchange(HOSTILE, None),
            exchange(None, b"Upcall event: Processing caf\xc3\xa9"),
        ),
    ),
    graded(BUDI, upcalls=12.5),
    missing(WATI),
    recapture(STRANGER),
    graded(STRANGER._replace(student="x"), "caf\udce9.pcap"),
    copies=[["2110002/upcall.pcap", "2110001/upcall.pcap"]],
)


def told(results: Assessment) -> dict[str, t.Any]:
    """Return what a program reads that knows the schema."""
    schema = json.loads(grades_json.schema())
    Draft202012Validator.check_schema(schema)
    read = json.loads(b"".join(grades_json.grades(results, "en")))
    Draft202012Validator(schema).validate(read)
    return t.cast(dict[str, t.Any], read)


def test_its_shape_is_the_one_that_was_promised() -> None:
    read = told(EVERYTHING)
    sari, budi, wati, *_ = read["submissions"]
    wanted = {"file": "2110001/upcall.pcap", "student": "2110001", "verdict": "graded"}
    assert sari.items() >= (wanted | {"points": 100}).items()
    assert [(c["id"], c["status"], c["points"]) for c in sari["criteria"]] == [
        ("handshake", "met", 60),
        ("upcalls", "met", 40),
    ]
    assert sari["criteria"][0]["frames"] == [3, 4, 5]
    assert sari["criteria"][0]["filter"] == "frame.number in {3,4,5}"
    assert budi["points"] == 72.5
    assert budi["page"] == "report/students/2110002.html"
    assert (wati["file"], wati["verdict"], wati["points"]) == (None, "missing", 0)
    assert read["copies"] == [["2110001/upcall.pcap", "2110002/upcall.pcap"]]
    (proof,) = read["proofs"]
    assert proof["files"] == read["copies"][0]
    assert proof["packets"] == [[{"file": file, "frame": 3} for file in proof["files"]]]


def test_messages_are_text_whatever_their_bytes() -> None:
    first, second = told(EVERYTHING)["submissions"][0]["exchanges"]
    assert first["message"] == '=cmd|"/c calc"!A1\x1b[31m<img src=x>\\xff'
    assert first["upcall"] is None
    assert (second["message"], second["upcall"]) == (None, "Upcall event: Processing café")


def test_whole_points_are_integers_and_the_text_is_safe_anywhere() -> None:
    text = b"".join(grades_json.grades(EVERYTHING, "en")).decode("ascii")
    assert text.endswith("}\n")
    assert '\n  "points_possible": 100,\n' in text
    assert re.search(r"[^\n -~]", text) is None
    # What is no character on its own is written out: many readers refuse it.
    assert "\\\\udce9" in text
    assert re.search(r"(?<!\\)\\ud[c-f]", text) is None


def test_copies_wait_for_a_person_and_one_file_of_a_student_counts() -> None:
    grades = told(assessment(graded(SARI, "a"), graded(SARI, "b"), graded(BUDI, "c")))
    assert [one["counts"] for one in grades["submissions"]] == [True, False, True]
    assert not any(one["needs_person"] for one in grades["submissions"])
    two = (graded(SARI, "a"), graded(BUDI, "b"), graded(WATI, "c"))
    grades = told(assessment(*two, copies=[["a", "b"]]))
    assert [one["needs_person"] for one in grades["submissions"]] == [True, True, False]
    assert grades["needs_person"]


def test_the_schema_knows_every_key() -> None:
    validator = Draft202012Validator(json.loads(grades_json.schema()))
    for key in ("submissions", "criteria", "exchanges", "remarks"):
        read = told(EVERYTHING)
        recaptured = read["submissions"][3]
        target = {"submissions": recaptured}.get(key) or recaptured[key][0]
        target["unknown"] = 1
        with pytest.raises(ValidationError, match="unknown"):
            validator.validate(read)


@pytest.mark.parametrize("results", [EVERYTHING, EVERYTHING._replace(submissions=())])
def test_its_pieces_are_one_indented_text(results: Assessment) -> None:
    text = b"".join(grades_json.grades(results, "en")).decode("ascii")
    assert text == json.dumps(json.loads(text), indent=2) + "\n"


def test_a_large_class_is_never_in_memory_at_once() -> None:
    results = assessment(*(graded(SARI, f"{number}.pcap") for number in range(500)))
    written = 0
    tracemalloc.start()
    try:
        for piece in grades_json.grades(results, "en"):
            written += len(piece)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < written / 2, f"{written} bytes made it hold {most} bytes"
