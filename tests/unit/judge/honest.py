"""Captures of students who copied nothing, as like each other as this lab makes them.

All have the same container addresses, the same messages and nearly the same minute. What differs is
what Linux draws anew for each connection: initial sequence numbers (a hash and a clock of 64 ns,
RFC 6528), the client's even port, both sides' first IP identification, and TCP timestamps, whose
offset is each host's (RFC 7323 section 5.4).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from random import Random

from tests.unit.grader import building as b

ADDRESSES = {True: b"\xac\x13\0\x03", False: b"\xac\x13\0\x02"}
"""By whether it is the client's."""
MESSAGES = (b"1", b"2", b"bye")
_MINUTE, _MILLISECOND = 60 * b.SECOND, 1_000_000
_NOP_NOP_TIMESTAMPS = b"\1\1\x08\x0a"


def honest(number: int) -> bytes:
    """Return the capture of one student's own connection."""
    return b.pcap(_records(Random(number)))  # noqa: S311 (repeatable, not secret)


def _records(choose: Random) -> Iterator[b.Record]:
    """Yield the frames of a connection, of which all that the kernel draws is drawn."""
    now = b.START + choose.randrange(_MINUTE)
    port = choose.randrange(32_768, 61_000, 2)
    seq = {side: (choose.getrandbits(32) + now // 64) % 2**32 for side in ADDRESSES}
    ident = {side: choose.getrandbits(16) for side in ADDRESSES}
    offset = {side: choose.getrandbits(32) for side in ADDRESSES}
    seen = dict.fromkeys(ADDRESSES, 0)
    for by_client, flags, payload, wait in _segments(choose):
        now += wait
        seen[by_client] = (now // _MILLISECOND + offset[by_client]) % 2**32
        ports = (port, 4141) if by_client else (4141, port)
        ack = seq[not by_client] if flags & b.ACK else 0
        stamps = struct.pack(">4sII", _NOP_NOP_TIMESTAMPS, seen[by_client], seen[not by_client])
        head = struct.pack(">HHIIBBHHH", *ports, seq[by_client], ack, 8 << 4, flags, 502, 0, 0)
        length = 20 + len(head + stamps + payload)
        ends = ADDRESSES[by_client] + ADDRESSES[not by_client]
        ip = struct.pack(">BBHHHBBH", 0x45, 0, length, ident[by_client], 0x4000, 64, 6, 0) + ends
        yield b.Record(b.ethernet(ip + head + stamps + payload), now)
        ident[by_client] = (ident[by_client] + 1) % 2**16
        taken = len(payload) + bool(flags & (b.SYN | b.FIN))
        seq[by_client] = (seq[by_client] + taken) % 2**32


def _segments(choose: Random) -> Iterator[tuple[bool, int, bytes, int]]:
    """Yield who sends what, and how many nanoseconds after the one before."""

    def at_once() -> int:
        return choose.randrange(10_000, 90_000, 1000)

    yield True, b.SYN, b"", 0
    yield False, b.SYN | b.ACK, b"", at_once()
    yield True, b.ACK, b"", at_once()
    for message in MESSAGES[:-1]:
        yield True, b.PSH | b.ACK, message, choose.randrange(b.SECOND)
        yield False, b.PSH | b.ACK, b.PREFIX + message, at_once()
        yield True, b.ACK, b"", at_once()
    yield True, b.FIN | b.ACK, b"", choose.randrange(b.SECOND)
    yield False, b.FIN | b.ACK, b"", at_once()
    yield True, b.ACK, b"", at_once()
