"""The phase of each step: upcall-show's brackets and the pages' panels are made of the same."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.unit.grader import building as b
from tests.unit.grader.test_connections import follow
from upcall_grader.capture.dialogue import read_dialogue
from upcall_grader.capture.phases import Phases
from upcall_grader.lab import UPCALL

WHOLE = b.lab(b"1", b"2")


def phases(packets: Iterable[bytes]) -> str:
    """Return a letter for each step, an exchange's number for its own."""
    steps, (connection,) = follow(packets)
    phases_of = Phases(read_dialogue(connection, UPCALL.answer).exchanges)
    told = (phases_of.of(step.segment.frame, step.marks, step.repeats) for step in steps)
    return "".join(str(phase.number or phase.kind[0]) for phase in told)


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        (WHOLE, "hhh" + "111" + "222" + "ccc"),
        ([*WHOLE[:6], WHOLE[3], *WHOLE[6:]], "hhh" + "1111" + "222" + "ccc"),
        ([*WHOLE[:3], WHOLE[0], *WHOLE[3:]], "hhhh" + "111" + "222" + "ccc"),
        (b.Talk().open().say(b"1").c(b.RST).packets, "hhh" + "111" + "r"),
        (b.Talk().open().s(b.PSH | b.ACK, b"hello").packets, "hhhd"),
        (b.Talk().open().say(b"1").packets[3:], "111"),
        (b.Talk().open().say(b"1").packets[2:5], "d11"),
    ],
)
def test_each_step_has_a_phase(packets: list[bytes], expected: str) -> None:
    assert phases(packets) == expected
