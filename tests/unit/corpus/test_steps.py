"""What takes longest takes steps in proportion to its size: counted, not timed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.loading import load
from tests.unit.corpus import slow
from tests.unit.corpus.counting import most_steps, steps
from tests.unit.corpus.judging import Judge, judge_path

following = load("plugins/module_utils/lab_capture_pcap.py")

SMALL = 100_000
"""Bytes: large enough for what grows faster than its input to show."""
GROWTH = 2.2
"""Twice the input may take so many times the steps."""


def follow(data: bytes) -> Any:
    """Follow a capture as a session does: each packet as it comes, with a look after each."""
    follower, at = following.PcapFollower(4141), 24
    follower.feed(data[:at])
    while at < len(data):
        end = at + 16 + int.from_bytes(data[at + 8 : at + 12], "little")
        follower.feed(data[at:end])
        assert follower.completed <= len(follower.connections)
        at = end
    return follower


@pytest.mark.parametrize("name", slow.SLOW)
def test_judging_takes_steps_in_proportion(name: str, judge: Judge) -> None:
    once, twice = (slow.SLOW[name](size) for size in (SMALL, 2 * SMALL))
    few, many = steps(lambda: judge(once)), steps(lambda: judge(twice))
    assert many <= GROWTH * few, f"{few} steps, {many} for twice as much"
    assert many <= most_steps(len(twice)), f"{many} steps for {len(twice)} bytes"


@pytest.mark.parametrize("name", slow.SLOW)
def test_following_takes_steps_in_proportion(name: str) -> None:
    once, twice = (slow.SLOW[name](size) for size in (SMALL, 2 * SMALL))
    if once[:4] != b"\xd4\xc3\xb2\xa1" or once[20] != 1:
        with pytest.raises(following.CaptureFormatError):
            follow(once)
        return
    few, many = steps(lambda: follow(once)), steps(lambda: follow(twice))
    assert many <= GROWTH * few, f"{few} steps, {many} for twice as much"
    follower = follow(twice)
    assert follower.completed == sum(one.complete for one in follower.connections)


def test_where_a_file_was_never_written_reading_ends(tmp_path: Path) -> None:
    path = tmp_path / "upcall.pcap"
    taken = []
    for size in (1, 64):
        path.write_bytes(slow.connections(5000))
        with path.open("r+b") as file:
            file.truncate(size << 20)
        taken.append(steps(lambda: judge_path(path)))
    # Either may load what the other finds loaded; each MiB of zeros would be 65,536 packets.
    assert taken[1] < taken[0] + 65_536
    submission = judge_path(path)
    (damage,) = (one for one in submission.remarks if one.code == "damage")
    assert getattr(damage.values["cause"], "code", "") == "unwritten"
    assert submission.points > 0


def test_a_record_without_a_byte_is_a_packet(judge: Judge) -> None:
    """A few zeros are what Wireshark takes them for: packets of 1970."""
    assert (
        judge(slow.connections(1000) + bytes(16 * 3)).packets
        == judge(slow.connections(1000)).packets + 3
    )
