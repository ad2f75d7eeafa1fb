"""What tells that two files hold the same packets.

Sequence and acknowledgement number of a segment both grew out of initial sequence numbers that
each side drew at random (RFC 9293 section 3.4.1): 64 bits that another connection does not share by
chance. They stay as they are when a capture is cut, saved in another format, given other times or
other addresses. What was typed plays no part.
"""

from __future__ import annotations

import heapq

from upcall_grader.capture.packets import ACK, RST, SYN, Segment

MAX_PRINTS = 512
"""So many packets of a file are remembered: those whose numbers are the smallest when mixed, which
are the same ones in every file that holds them."""

_MIX, _MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


class Prints:
    """The numbers of some packets of one file, each with the first frame that has them."""

    def __init__(self) -> None:
        self.frames: dict[int, int] = {}
        self._largest: list[tuple[int, int]] = []

    def add(self, segment: Segment) -> None:
        """Remember a segment, if it has both numbers and is among the smallest."""
        if segment.flags & (ACK | RST) != ACK or (segment.length == 0 and not segment.flags & SYN):
            return
        number = segment.seq << 32 | segment.ack
        if number in self.frames:
            return
        # Multiplying by an odd number mixes the bits, and no two numbers become one.
        mixed = number * _MIX & _MASK
        if len(self._largest) < MAX_PRINTS:
            heapq.heappush(self._largest, (-mixed, number))
        elif -self._largest[0][0] > mixed:
            _, forgotten = heapq.heapreplace(self._largest, (-mixed, number))
            del self.frames[forgotten]
        else:
            return
        self.frames[number] = segment.frame
