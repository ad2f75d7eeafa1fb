"""A TCP segment of the lab, taken out of its frame only as far as it has to be looked at."""

from __future__ import annotations

from typing import NamedTuple


class RawSegment(NamedTuple):
    """One TCP segment.

    ``forward`` tells that its sender sent the connection's first one. ``seq`` and ``ack`` are as on
    the wire. ``packet`` are all bytes of the frame, its payload begins at ``start`` and ends before
    ``end``.
    """

    frame: int
    time_ns: int
    forward: bool
    seq: int
    ack: int
    flags: int
    packet: bytes
    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes of payload it has."""
        return self.end - self.start

    @property
    def payload(self) -> bytes:
        """Its payload."""
        return self.packet[self.start : self.end]
