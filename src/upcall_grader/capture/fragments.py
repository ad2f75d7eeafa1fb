"""IP fragments put together again, within bounds.

Sources: RFC 791 section 3.2 (IPv4), RFC 8200 section 4.5 (IPv6).
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_DATAGRAMS = 64
"""Datagrams that may be incomplete at the same time; the oldest goes first."""
MAX_BYTES = 2 * 65_535
"""Bytes kept for one datagram: more means overlapping pieces, which no honest host sends."""

Key = tuple[bytes, bytes, int, int]
"""Source, destination, protocol, identification."""


@dataclass(slots=True)
class _Datagram:
    pieces: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    total: int | None = None
    kept: int = 0


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
        datagram.pieces.setdefault(offset, (data, length))
        datagram.kept += len(data)
        if not more:
            datagram.total = offset + length
        if datagram.kept > MAX_BYTES:
            del self._waiting[key]
            return None
        whole = _join(datagram)
        if whole is not None:
            del self._waiting[key]
        return whole


def _join(datagram: _Datagram) -> tuple[bytes, int] | None:
    if datagram.total is None:
        return None
    captured = bytearray()
    reached = 0
    for offset, (data, length) in sorted(datagram.pieces.items()):
        if offset > reached:
            return None
        if len(captured) == reached:
            captured += data[reached - offset :]
        reached = max(reached, offset + length)
    if reached < datagram.total:
        return None
    return bytes(captured[: datagram.total]), datagram.total
