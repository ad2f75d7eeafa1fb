"""The student's own token."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.grader import building as b
from tests.unit.judge.talks import (
    HIDDEN,
    MET,
    NOT,
    SECRET,
    WHOLE,
    Ended,
    Records,
    judged,
    packets,
    talk,
    told,
)
from upcall_grader.judge.tokens import token

LOOK = "{id: token, points: 1}"
OWN, OTHERS = (token(SECRET, student).encode() for student in ("2110001", "2110002"))


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (packets(lambda t: t.open().say(b"1", OWN).close()), (MET, "token-met", (7,))),
        (packets(lambda t: t.open().say(b"I am " + OWN).close()), (MET, "token-met", (4,))),
        (packets(lambda t: t.open().say(OWN.upper()).close()), (MET, "token-met", (4,))),
        (packets(lambda t: t.open().say(OTHERS).close()), (NOT, "token-absent", (4,))),
        (packets(lambda t: t.open().say(OWN[:-1]).close()), (NOT, "token-absent", (4,))),
        (packets(lambda t: t.open().say(b"1")), (HIDDEN, "token-unseen", (4,))),
        (packets(lambda t: t.say(b"1").close()), (HIDDEN, "token-unseen", (1,))),
    ],
)
def test_the_students_own_token_has_to_be_in_a_message(
    records: Records, expected: Ended, tmp_path: Path
) -> None:
    assert told(judged(tmp_path, records, LOOK))["token"] == expected
    swapped = judged(tmp_path, records, LOOK, student="2110002")
    assert (told(swapped)["token"][1] == "token-met") == (
        expected[1] == "token-absent" and OTHERS in b.pcap(records)
    )


def test_a_students_name_that_is_no_text_has_no_token(tmp_path: Path) -> None:
    submission = judged(tmp_path, WHOLE, LOOK, student=os.fsdecode(b"\xff\xfe"))
    assert told(submission)["token"] == (HIDDEN, "token-unknown", ())
    assert submission.needs_person


def test_a_token_counts_in_whichever_connection_it_was_typed(tmp_path: Path) -> None:
    best = talk(1).open().say(b"1", b"2").close().packets
    first_try = talk(2).open().say(OWN).packets
    for order in ([*best, *first_try], [*first_try, *best]):
        submission = judged(
            tmp_path,
            b.frames(order),
            LOOK,
            *(f"{{id: {it}, points: 1}}" for it in ("handshake", "close")),
        )
        assert {name: status for name, (status, _, _) in told(submission).items()} == {
            "token": MET,
            "handshake": MET,
            "close": MET,
        }
