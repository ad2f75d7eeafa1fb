"""How many different messages there have to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.judge.talks import HIDDEN, MET, NOT, Ended, Records, judged, packets, told


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (packets(lambda t: t.open().say(b"1", b"1").close()), (NOT, "distinct-few", (4, 7))),
        (packets(lambda t: t.open().say(b"1", b"1 ").close()), (MET, "distinct-met", (4, 7))),
        (packets(lambda t: t.open().say(b"1", b"1")), (HIDDEN, "distinct-unseen", (4, 7))),
    ],
)
def test_messages_differ_by_their_bytes(records: Records, expected: Ended, tmp_path: Path) -> None:
    assert told(judged(tmp_path, records, "{id: distinct, points: 1}"))["distinct"] == expected
