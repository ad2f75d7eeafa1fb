"""Upcalls that are not those of their messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.grader import building as b
from tests.unit.grader.building import ACK, PREFIX, PSH
from tests.unit.judge.talks import (
    HIDDEN,
    MET,
    NOT,
    Ended,
    Records,
    assert_all_but,
    judged,
    packets,
    talk,
    told,
)

CASES: dict[str, tuple[Records, str, Ended]] = {
    "wrong upcall": (
        packets(
            lambda t: t.open().say(b"1"),
            lambda t: t.c(PSH | ACK, b"2").s(PSH | ACK, PREFIX + b"3").close(),
        ),
        "graded",
        (NOT, "upcalls-wrong", (7, 8)),
    ),
    "another phrase": (
        packets(
            lambda t: t.open().c(PSH | ACK, b"1").s(PSH | ACK, b"OK 1"),
            lambda t: t.c(PSH | ACK, b"2").s(PSH | ACK, b"OK 2").close(),
        ),
        "graded",
        (NOT, "upcalls-stray", (5, 7)),
    ),
    "an upcall before its message": (
        packets(
            lambda t: t.open().s(PSH | ACK, PREFIX + b"1").c(PSH | ACK, b"1").say(b"2").close()
        ),
        "recapture",
        (HIDDEN, "upcalls-early", (4, 5)),
    ),
    "last message unanswered": (
        packets(lambda t: t.open().say(b"1", b"2").c(PSH | ACK, b"3").close()),
        "graded",
        (NOT, "upcalls-unanswered", (10,)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_upcall_that_is_not_its_messages_costs_the_upcalls_alone(
    name: str, tmp_path: Path
) -> None:
    records, verdict, expected = CASES[name]
    assert_all_but(judged(tmp_path, records), verdict, {"upcalls": expected})


def test_a_message_in_the_middle_without_upcall_costs_the_upcalls_alone(tmp_path: Path) -> None:
    made = talk().open().say(b"1").c(PSH | ACK, b"no").s(ACK).say(b"2").close()
    outcomes = told(judged(tmp_path, b.frames(made.packets)))
    assert {name for name, (status, _, _) in outcomes.items() if status != MET} == {"upcalls"}
    assert outcomes["upcalls"][0] == NOT
    assert 7 in outcomes["upcalls"][2]
