"""IP fragments put together again, within bounds.

Sources: RFC 791 section 3.2 (IPv4), RFC 8200 section 4.5 (IPv6).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from upcall_grader.pythons import SLOTS

MAX_DATAGRAMS = 64
"""Datagrams that may be incomplete at the same time; the oldest goes first."""
MAX_BYTES = 2 * 65_535
"""Bytes kept for one datagram: more means overlapping pieces, which no honest host sends."""

Key = tuple[bytes, bytes, int, int]
"""Source, destination, protocol, identification."""


@dataclass(**SLOTS)
class _Datagram:
    """The pieces of one datagram by their offsets.

    ``reached`` is how far they go without a gap; ``ahead`` are offsets and ends of those behind it.
    """

    pieces: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    total: int | None = None
    kept: int = 0
    reached: int = 0
    ahead: list[tuple[int, int]] = field(default_factory=list)

    def add(self, offset: int, data: bytes, length: int) -> None:
        """Take a piece; of two at one offset the first counts."""
        self.kept += len(data)
        if offset in self.pieces:
            return
        self.pieces[offset] = (data, length)
        heapq.heappush(self.ahead, (offset, offset + length))
        while self.ahead and self.ahead[0][0] <= self.reached:
            self.reached = max(self.reached, heapq.heappop(self.ahead)[1])


class Fragments:
    """Collects fragments; gives a datagram's payload when its last missing piece arrives."""

    def __init__(self) -> None:
        self._waiting: dict[Key, _Datagram] = {}

    def add(
        self, key: Key, offset: int, more: bool, data: bytes, length: int
    ) -> tuple[bytes, int] | None:
        """Add a fragment; ``offset`` and ``length`` in bytes on the wire, ``data`` as captured.

        Returns (captured bytes up to the first one that is missing, length on the wire), or None
        while pieces are missing.
        """
        datagram = self._waiting.get(key)
        if datagram is None:
            if len(self._waiting) >= MAX_DATAGRAMS:
                del self._waiting[next(iter(self._waiting))]
            datagram = self._waiting[key] = _Datagram()
        datagram.add(offset, data, length)
        if not more:
            datagram.total = offset + length
        if datagram.kept > MAX_BYTES:
            del self._waiting[key]
            return None
        if datagram.total is None or datagram.reached < datagram.total:
            return None
        del self._waiting[key]
        return _join(datagram.pieces, datagram.total)


def _join(pieces: dict[int, tuple[bytes, int]], total: int) -> tuple[bytes, int]:
    captured = bytearray()
    reached = 0
    for offset, (data, length) in sorted(pieces.items()):
        if len(captured) == reached:
            captured += data[reached - offset :]
        reached = max(reached, offset + length)
    return bytes(captured[:total]), total
