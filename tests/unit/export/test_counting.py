"""Which of a student's files counts."""

from __future__ import annotations

import random

from tests.unit.export.building import BUDI, SARI, STRANGER, assessment, graded, missing
from upcall_grader.export.counting import best_of, counting
from upcall_grader.judge.results import Owner, Submission


def best(*submissions: Submission) -> str:
    orders = [random.Random(seed).sample(submissions, len(submissions)) for seed in range(5)]  # noqa: S311
    (file,) = {best_of(order).file for order in orders}
    return file


def test_what_the_student_made_counts_before_what_a_session_made() -> None:
    session = graded(SARI, "seat-1/upcall.pcap", mode="exercise")
    watched = graded(SARI, "seat-1/other.pcap", mode="watch")
    own = graded(SARI, "submissions/2110001/upcall.pcap", upcalls=0, mode="submission")
    assert best(session, watched, own) == own.file
    assert best(session, own._replace(mode="")) == own.file
    assert best(session, watched._replace(judgements=own.judgements)) == watched.file


def test_then_the_most_points_count_then_the_first_file() -> None:
    assert best(graded(SARI, "a", upcalls=0), graded(SARI, "b"), graded(SARI, "c")) == "b"


def test_each_student_has_one_that_counts_in_the_order_they_came() -> None:
    nobody = Owner("")
    results = assessment(
        *(graded(BUDI, "b"), graded(SARI, "a2"), graded(SARI, "a1"), missing(STRANGER)),
        *(graded(nobody, "x"), graded(nobody, "y")),
    )
    assert [counts.file for counts in counting(results)] == ["b", "a1", "", "x", "y"]
