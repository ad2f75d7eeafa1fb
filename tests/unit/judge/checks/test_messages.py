"""How many messages there have to be."""

from __future__ import annotations

from pathlib import Path

from tests.unit.grader import building as b
from tests.unit.judge.talks import MET, NOT, WHOLE, assert_all_but, judged, opened, told


def test_one_message_is_one_too_few(tmp_path: Path) -> None:
    submission = judged(tmp_path, b.frames(opened().say(b"1").close().packets))
    assert_all_but(submission, "graded", {"messages": (NOT, "messages-few", (4,))})


def test_the_rubric_says_how_many(tmp_path: Path) -> None:
    for least, expected in ((2, (MET, "messages-met")), (3, (NOT, "messages-few"))):
        submission = judged(tmp_path, WHOLE, f"{{id: messages, points: 1, least: {least}}}")
        assert told(submission) == {"messages": (*expected, (4, 7))}
