"""Which packets are the lab's."""

from __future__ import annotations

from pathlib import Path

from tests.unit.grader import building as b
from tests.unit.judge.talks import by_id, judged


def test_the_lab_may_be_elsewhere(tmp_path: Path) -> None:
    here = b.Talk(("10.0.0.3", 40_000), ("10.0.0.2", 5000)).open().say(b"1", b"2").close().packets
    there = b.Talk(("10.0.0.3", 40_000), ("10.0.0.4", 5000), 5, 6).open().close().packets
    both = b.frames([*here, *there])
    assert judged(tmp_path, both).verdict == "wrong-lab"
    moved = judged(tmp_path, both, lab="port: 5000, address: 10.0.0.4")
    assert by_id(moved)["traffic"].frames == tuple(range(13, 19))
    assert judged(tmp_path, both, lab="port: 5000, address: 10.0.0.5").verdict == "wrong-lab"
    six = b.Talk(b.CLIENT6, b.SERVER6).open().say(b"1").close().packets
    assert judged(tmp_path, b.frames(six), lab="address: 'fd00:0::2'").verdict == "graded"
