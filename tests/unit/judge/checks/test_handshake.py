"""Captures that lack nothing but part of the handshake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.judge.talks import HIDDEN, WHOLE, Ended, Records, assert_all_but, judged

CASES: dict[str, tuple[Records, str, Ended]] = {
    "begun mid-stream": (WHOLE[3:], "recapture", (HIDDEN, "handshake-before", (1,))),
    "SYN+ACK missing": (
        WHOLE[:1] + WHOLE[2:],
        "recapture",
        (HIDDEN, "handshake-lost", (1,)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_missing_of_the_handshake_costs_it_alone(name: str, tmp_path: Path) -> None:
    records, verdict, expected = CASES[name]
    assert_all_but(judged(tmp_path, records), verdict, {"handshake": expected})
