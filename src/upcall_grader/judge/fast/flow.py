"""One connection of a quickly read capture: its packets, or what a Follower makes of them."""

from __future__ import annotations

from upcall_grader.capture.connections import Connection, Endpoint, Follower
from upcall_grader.capture.frames import LINK_ETHERNET, Frame
from upcall_grader.capture.packets import ACK, FIN, PSH, SYN, Decoder, Segment
from upcall_grader.judge.connection_summary import ConnectionSummary, summarize_connection
from upcall_grader.judge.fast.ordinary import Taken, ordinary, see
from upcall_grader.lab import Lab

PLAIN = frozenset((SYN | ACK, ACK, PSH | ACK))
"""Flags of segments that neither begin nor end a connection."""


class UnsureError(Exception):
    """What is found here might differ from what reading packet by packet would find."""


class Flow:
    """One connection; ``ends`` are its addresses and ports as they stand in its first packet.

    ``packets`` are its segments until a Follower has them. A segment with ``PLAIN`` flags may be
    put there at once, unless the flow is ``special``: it has to begin or to end with the next one,
    or a Follower has it.
    """

    __slots__ = (
        "_connection",
        "_count",
        "_fins",
        "_follower",
        "_notable",
        "ends",
        "number",
        "packets",
        "special",
    )

    def __init__(self, number: int, ends: bytes) -> None:
        self.number = number
        self.ends = ends
        self.packets: list[Taken] = []
        self.special = True
        self._fins: set[bool] = set()
        self._notable: list[Taken] | None = None
        self._follower: Follower | None = None
        self._connection: Connection | None = None
        self._count = 0

    @property
    def count(self) -> int:
        """How many segments it has."""
        return self._count + len(self.packets)

    @property
    def ended(self) -> bool:
        """As a Connection's."""
        return self._notable is not None or (
            self._connection is not None and self._connection.ended
        )

    def add(self, taken: Taken, lab: Lab) -> None:
        """A segment. Raises UnsureError if one before it ended the connection unnoticed."""
        if self._follower is None and self._is_ordinary(taken, lab.answer):
            self.packets.append(taken)
            return
        self._follow(lab)
        self._replay(taken)

    def base(self, source: Endpoint, lab: Lab) -> int | None:
        """Initial sequence number of the side ``source``. Raises UnsureError as ``add`` does."""
        connection = self._followed(lab)
        sides = (connection.client, connection.server)
        return next(side.base for side in sides if side.endpoint == source)

    def finish(self, lab: Lab) -> ConnectionSummary:
        """Return its summary. Raises UnsureError as ``add`` does."""
        if self._notable is not None:
            return see(self.number, self.ends, self.packets, self._notable)
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
        self._follower, self._notable, self.special = Follower(lab.port), None, True
        for taken in self.packets:
            self._replay(taken)
        self.packets = []
        if self.ended != ended:
            raise UnsureError

    def _is_ordinary(self, taken: Taken, phrase: bytes) -> bool:
        """Whether it may still be ordinary, as far as it has to be known now."""
        forward, flags = taken[2], taken[5]
        if not self.packets:
            self.special = False
            return flags == SYN
        if self.special:
            # Both sides have closed: with the last acknowledgement the connection ends.
            if self._notable is not None:
                return False
            self._notable = ordinary([*self.packets, taken], phrase)
            return self._notable is not None
        if flags == FIN | ACK:
            self._fins.add(forward)
            self.special = len(self._fins) == len((True, False))
            return True
        return flags in PLAIN

    def _replay(self, taken: Taken) -> None:
        frame, time_ns, *_, packet, _, _ = taken
        segment = Decoder().decode(Frame(frame, time_ns, LINK_ETHERNET, packet, len(packet)))
        if self._follower is None or not isinstance(segment, Segment):
            raise UnsureError
        self._connection = self._follower.add(segment).connection
        self._connection.number = self.number
        self._count += 1
