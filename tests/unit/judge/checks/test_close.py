"""Connections that were not closed, or whose close is not in the capture."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.grader.building import ACK, FIN, RST
from tests.unit.judge.talks import (
    DROPPED,
    HIDDEN,
    NOT,
    WHOLE,
    Ended,
    Records,
    assert_all_but,
    judged,
    later,
    opened,
    packets,
    told,
)

UNCLOSED = opened().say(b"1", b"2").packets
CASES: dict[str, tuple[Records, str, Ended]] = {
    "FIN of one side": (
        packets(lambda t: t.open().say(b"1", b"2").c(FIN | ACK).s(ACK)),
        "recapture",
        (HIDDEN, "close-part", (10, 11)),
    ),
    "FIN of one side, 40 s": (
        later(opened().say(b"1", b"2").c(FIN | ACK).s(ACK).packets, 40),
        "graded",
        (NOT, "close-open", (11,)),
    ),
    "last ACK missing": (WHOLE[:-1], "recapture", (HIDDEN, "close-part", (10, 11))),
    "left open 29 s": (later(UNCLOSED, 29), "recapture", (HIDDEN, "close-unseen", (9,))),
    "left open 30 s": (later(UNCLOSED, 30), "graded", (NOT, "close-open", (9,))),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_missing_of_the_close_costs_it_alone(name: str, tmp_path: Path) -> None:
    records, verdict, expected = CASES[name]
    assert_all_but(judged(tmp_path, records), verdict, {"close": expected})


def test_a_reset_behind_lost_packets_may_have_followed_a_close(tmp_path: Path) -> None:
    submission = judged(
        tmp_path, packets(lambda t: t.open().say(b"1", b"2").c(RST | ACK)), manifest=DROPPED
    )
    assert told(submission)["close"][0] == HIDDEN
    assert told(submission)["no-reset"] == (NOT, "no-reset-sent", (10,))
