"""tshark and the grader's own reader see the same in captures that chance made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.corpus import drawn
from tests.unit.corpus.second_opinion import Agreed, agree

SEEDS = len(drawn.FORMS)
FILES = 5


@pytest.mark.parametrize("first", range(0, SEEDS, FILES))
def test_drawn_captures(first: int, tmp_path: Path) -> None:
    agreed = Agreed()
    for seed in range(first, first + FILES):
        capture = drawn.capture(seed)
        path = tmp_path / f"{seed}.pcap"
        path.write_bytes(capture.data)
        agreed += agree(path, 2 * drawn.CONVERSATIONS)
    # Of most conversations the bytes, too, can be compared.
    assert agreed.connections > FILES * drawn.CONVERSATIONS // 4
    assert agreed.reassembled > agreed.connections // 2
    assert agreed.followed > agreed.connections // 3


def test_each_thing_is_drawn() -> None:
    told = "\n".join(line for seed in range(SEEDS) for line in drawn.capture(seed).story)
    names = [*drawn.HAPPENINGS, *drawn.ORDERS, *drawn.FORMS]
    assert [name for name in names if name not in told] == []
