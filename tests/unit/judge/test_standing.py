"""How a submission stands, and that upcall-grade's line has the colour of it."""

import pytest

from upcall_grader.grade.overview import lines
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.results import (
    Assessment,
    Judgement,
    Owner,
    Remark,
    Status,
    Submission,
    Verdict,
)
from upcall_grader.judge.standing import standing
from upcall_grader.terminal import Painter
from upcall_grader.texts.wording import Wording


@pytest.mark.parametrize(
    ("verdict", "points", "expected", "style"),
    [
        (Verdict.GRADED, 100, "full", "good"),
        (Verdict.GRADED, 99.5, "part", "warn"),
        (Verdict.GRADED, 50, "part", "warn"),
        (Verdict.GRADED, 49.5, "poor", "bad"),
        (Verdict.GRADED, 10, "poor", "bad"),
        (Verdict.RECAPTURE, 95, "part", "warn"),
        (Verdict.WRONG_LAB, 0, "poor", "bad"),
        (Verdict.EMPTY, 0, "poor", "bad"),
        (Verdict.UNREADABLE, 0, "poor", "bad"),
        (Verdict.MISSING, 0, "missing", "dim"),
    ],
)
def test_a_submission_stands_by_what_was_reached(
    verdict: Verdict, points: float, expected: str, style: str
) -> None:
    judgement = Judgement(DEFAULT.criteria[0], Status.MET, points, Remark("not-seen"))
    submission = Submission("upcall.pcap", Owner("s1"), verdict, (judgement,))
    assert standing(submission, DEFAULT.points) == expected
    line, _ = lines(Assessment(DEFAULT, (submission,), ()), Wording("en"), Painter(True))
    assert Painter(True)(style, f"{verdict:<10}") in line
