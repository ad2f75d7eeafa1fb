"""What shows that two files hold the same packets.

Sequence and acknowledgement number of a segment both grew out of initial sequence numbers that
each side drew at random (RFC 9293 section 3.4.1): 64 bits that another connection does not share by
chance. They stay as they are when a capture is cut, saved in another format, given other times or
other addresses. What was typed plays no part.

Who gives all packets other numbers leaves the clocks: a segment's two TCP timestamps count
milliseconds from where each host drew its beginning (RFC 7323 section 5.4). That is 64 bits again.
Those of the judged connection's last segment are compared, which costs next to nothing.
"""

from __future__ import annotations

import heapq
from struct import Struct

from upcall_grader.capture.packets import ACK, FIN, RST, SYN

MAX_FINGERPRINTS = 512
"""So many packets of a file are remembered: those whose numbers are the smallest when mixed, which
are the same ones in every file that holds them."""

COUNTED = SYN | FIN
"""Flags that take a sequence number, as a byte of text does (RFC 9293 section 3.4)."""

_END, _NO_OPERATION, _TIMESTAMPS = 0, 1, 8
_STAMPS = Struct(">BII")
_CLOCKS = 1 << 64
"""Tells clocks from sequence numbers."""
_MIX, _MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def clocks(options: bytes) -> int | None:
    """Return a number of both hosts' clocks in a segment's options, None where one is missing."""
    at = 0
    while at + 1 < len(options) and options[at] != _END:
        if options[at] == _NO_OPERATION:
            at += 1
            continue
        length = max(options[at + 1], 2)
        if options[at] == _TIMESTAMPS and len(options) > at + _STAMPS.size:
            _, own, echoed = _STAMPS.unpack_from(options, at + 1)
            return _CLOCKS | own << 32 | echoed if own and echoed else None
        at += length
    return None


class PacketFingerprints:
    """The numbers of some packets of one file, each with the first frame that has them."""

    __slots__ = ("_largest", "_limit", "frames")

    def __init__(self) -> None:
        self.frames: dict[int, int] = {}
        self._largest: list[tuple[int, int]] = []
        self._limit = _MASK

    def __eq__(self, other: object) -> bool:
        """Return whether both remember the same packets, whatever the order they came in."""
        return isinstance(other, PacketFingerprints) and self.frames == other.frames

    __hash__ = None  # type: ignore[assignment]

    @property
    def has_all(self) -> bool:
        """Whether all packets of the file that can be remembered are."""
        return not self._largest

    def add(self, seq: int, ack: int, flags: int, length: int, frame: int) -> None:
        """Remember a segment, if it has both numbers and is among the smallest."""
        if flags & (ACK | RST) != ACK or (length == 0 and not flags & COUNTED):
            return
        number = seq << 32 | ack
        # Multiplying by an odd number mixes the bits, and no two numbers become one.
        mixed = number * _MIX & _MASK
        if mixed > self._limit or number in self.frames:
            return
        self.frames[number] = frame
        if len(self.frames) > MAX_FINGERPRINTS:
            self._forget_one(mixed, number)

    def _forget_one(self, mixed: int, number: int) -> None:
        """Forget the largest, which may be the newest."""
        if not self._largest:
            # Most files have less to remember, and need no order.
            others = (one for one in self.frames if one != number)
            self._largest = [(-(one * _MIX & _MASK), one) for one in others]
            heapq.heapify(self._largest)
        _, forgotten = heapq.heappushpop(self._largest, (-mixed, number))
        del self.frames[forgotten]
        self._limit = -self._largest[0][0]
