"""A reset where all else is as it should be."""

from __future__ import annotations

from pathlib import Path

from tests.unit.grader.building import RST
from tests.unit.judge.talks import NOT, assert_all_but, judged, packets


def test_a_reset_after_the_close_costs_no_other_criterion(tmp_path: Path) -> None:
    submission = judged(tmp_path, packets(lambda t: t.open().say(b"1", b"2").close().c(RST)))
    assert_all_but(submission, "graded", {"no-reset": (NOT, "no-reset-sent", (13,))})
