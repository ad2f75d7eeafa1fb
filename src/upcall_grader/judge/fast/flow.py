"""One connection of a capture that is read fast: its segments, or what a Follower makes of them."""

from __future__ import annotations

from upcall_grader.capture.connections import Connection, Endpoint, Follower
from upcall_grader.capture.frames import LINK_ETHERNET, Frame
from upcall_grader.capture.packets import ACK, FIN, PSH, SYN, Decoder, Segment
from upcall_grader.judge.connection_summary import ConnectionSummary, summarize_connection
from upcall_grader.judge.fast.ordinary import Talk, read_ordinary, summarize_ordinary
from upcall_grader.judge.fast.raw_segment import RawSegment
from upcall_grader.lab import Lab

PLAIN = frozenset((SYN | ACK, ACK, PSH | ACK))
"""Flags of segments that neither begin nor end a connection."""


class UnsureError(Exception):
    """What is found here might differ from what reading packet by packet would find."""


class Flow:
    """One connection; ``ends`` are its addresses and ports as they stand in its first packet.

    ``segments`` are its segments until a Follower has them. One with ``PLAIN`` flags may be put
    there at once, unless the flow is ``special``: it has to begin or to end with the next one, or a
    Follower has it.
    """

    __slots__ = (
        "_connection",
        "_count",
        "_fins",
        "_follower",
        "_talk",
        "ends",
        "number",
        "segments",
        "special",
    )

    def __init__(self, number: int, ends: bytes) -> None:
        self.number = number
        self.ends = ends
        self.segments: list[RawSegment] = []
        self.special = True
        self._fins: set[bool] = set()
        self._talk: Talk | None = None
        self._follower: Follower | None = None
        self._connection: Connection | None = None
        self._count = 0

    @property
    def count(self) -> int:
        """How many segments it has."""
        return self._count + len(self.segments)

    @property
    def ended(self) -> bool:
        """Whether it has ended, as a Connection has."""
        return self._talk is not None or (self._connection is not None and self._connection.ended)

    def add(self, segment: RawSegment, lab: Lab) -> None:
        """Add a segment. Raises UnsureError if one before it ended the connection unnoticed."""
        if self._follower is None and self._is_ordinary(segment, lab.answer):
            self.segments.append(segment)
            return
        self._follow(lab)
        self._replay(segment)

    def base(self, source: Endpoint, lab: Lab) -> int | None:
        """Return a side's initial sequence number. Raises UnsureError as ``add`` does."""
        connection = self._followed(lab)
        sides = (connection.client, connection.server)
        return next(side.base for side in sides if side.endpoint == source)

    def finish(self, lab: Lab) -> ConnectionSummary:
        """Return its summary. Raises UnsureError as ``add`` does."""
        if self._talk is not None:
            return summarize_ordinary(self.number, self.ends, self.segments, self._talk)
        connection = self._followed(lab)
        connection.finish()
        return summarize_connection(connection, lab.answer)

    def _followed(self, lab: Lab) -> Connection:
        self._follow(lab)
        if self._connection is None:
            raise UnsureError
        return self._connection

    def _follow(self, lab: Lab) -> None:
        """Let a Follower have the segments."""
        if self._follower is not None:
            return
        ended = self.ended
        self._follower, self._talk, self.special = Follower(lab.port), None, True
        for segment in self.segments:
            self._replay(segment)
        self.segments = []
        if self.ended != ended:
            raise UnsureError

    def _is_ordinary(self, segment: RawSegment, phrase: bytes) -> bool:
        """Return whether it may still be ordinary, as far as that has to be known now."""
        if not self.segments:
            self.special = False
            return segment.flags == SYN
        if self.special:
            # Both sides have closed: with the last acknowledgement the connection ends.
            if self._talk is not None:
                return False
            self._talk = read_ordinary([*self.segments, segment], phrase)
            return self._talk is not None
        if segment.flags == FIN | ACK:
            self._fins.add(segment.forward)
            self.special = len(self._fins) == len((True, False))
            return True
        return segment.flags in PLAIN

    def _replay(self, segment: RawSegment) -> None:
        size = len(segment.packet)
        frame = Frame(segment.frame, segment.time_ns, LINK_ETHERNET, segment.packet, size)
        decoded = Decoder().decode(frame)
        if self._follower is None or not isinstance(decoded, Segment):
            raise UnsureError
        self._connection = self._follower.add(decoded).connection
        self._connection.number = self.number
        self._count += 1
