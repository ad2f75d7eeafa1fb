"""Which packets of a capture are remembered, so that copies of it are found."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from upcall_grader.capture.packets import ACK, PSH
from upcall_grader.judge.packet_fingerprints import MAX_FINGERPRINTS, PacketFingerprints, clocks

DRAW = random.Random(4141)  # noqa: S311 (test data)
PACKETS = [(DRAW.getrandbits(32), DRAW.getrandbits(32)) for _ in range(4 * MAX_FINGERPRINTS)]


def remembered(packets: Iterable[tuple[int, int]]) -> set[int]:
    fingerprints = PacketFingerprints()
    for frame, (seq, ack) in enumerate(packets, 1):
        fingerprints.add(seq, ack, PSH | ACK, 1, frame)
    return set(fingerprints.frames)


def test_of_a_long_capture_the_same_packets_whatever_their_order() -> None:
    assert len(remembered(PACKETS)) == MAX_FINGERPRINTS
    assert remembered(PACKETS) == remembered(reversed(PACKETS))


def test_a_part_of_a_capture_remembers_what_the_whole_does() -> None:
    half = PACKETS[: len(PACKETS) // 2]
    there = {seq << 32 | ack for seq, ack in half}
    shared = remembered(PACKETS) & there
    assert len(shared) > MAX_FINGERPRINTS // 4
    assert shared <= remembered(half)


def test_all_of_a_short_capture() -> None:
    assert len(remembered(PACKETS[:MAX_FINGERPRINTS])) == MAX_FINGERPRINTS


STAMPS = bytes.fromhex("080a 00000007 00000009")


@pytest.mark.parametrize(
    ("options", "number"),
    [
        (b"\1\1" + STAMPS, 1 << 64 | 7 << 32 | 9),
        (b"\2\4\5\xb4\4\2" + STAMPS + b"\1\3\3\7", 1 << 64 | 7 << 32 | 9),
        (b"", None),
        (b"\0" + STAMPS, None),
        (STAMPS[:-1], None),
        (b"\x05\0" + b"\x05\0" * 9, None),
        (b"\x08", None),
        (bytes.fromhex("080a 00000007 00000000"), None),
    ],
)
def test_clocks(options: bytes, number: int | None) -> None:
    assert clocks(options) == number
