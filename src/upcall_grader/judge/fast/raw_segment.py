"""A TCP segment of the lab, taken out of its frame only as far as it has to be looked at."""

from __future__ import annotations

from typing import NamedTuple

_OPTIONS = 54
"""Where they begin: behind Ethernet's header, IPv4's and TCP's own, which are all plain."""


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
    def options(self) -> bytes:
        """Its TCP options."""
        return self.packet[_OPTIONS : self.start]

    @property
    def payload(self) -> bytes:
        """Its payload."""
        return self.packet[self.start : self.end]
