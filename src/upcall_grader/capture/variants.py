"""What only a look at several records of a pcap file tells: whose layout they have.

Some writers gave their records longer headers and kept the magic number of the usual ones;
Wireshark knows them as well, and saves such files when it is asked to.
"""

from __future__ import annotations

from struct import Struct

from upcall_grader.capture.frames import MAX_CAPTURED

LOOKED_AT = 1 << 16
"""Bytes behind the file header that are enough to choose a layout."""
_LONGER = (4, 8, 12)
"""Bytes that headers have besides: Nokia's, those of old Linux distributions."""
_ENOUGH, _FEWEST = 4, 2


def record_header(usual: Struct, data: bytes) -> Struct:
    """Return the layout of the record headers in ``data``, what stands behind the file header.

    It is another than the usual one only where that breaks and the other one fits.
    """
    if _count(usual, data, strict=False) >= 0:
        return usual
    longer = (Struct(f"{usual.format}{more}x") for more in _LONGER)
    return next((one for one in longer if _count(one, data, strict=True) >= _FEWEST), usual)


def _count(header: Struct, data: bytes, strict: bool) -> int:
    """Return how many of the first records are whole; -1 if one is impossible.

    ``strict``: one is impossible also if its fields contradict each other, or time.
    """
    at = count = 0
    while count < _ENOUGH and at + header.size <= len(data):
        _, fraction, captured, original = header.unpack_from(data, at)[:4]
        wrong = not captured <= original <= MAX_CAPTURED or fraction >= 1_000_000_000
        if captured > MAX_CAPTURED or (strict and wrong):
            return -1
        at += header.size + captured
        count += at <= len(data)
    return count


def without_conversion(data: bytes) -> bytes | None:
    """Return what a file was before each line feed got a carriage return, None if none did.

    That is what a terminal does. ``data`` is its beginning.
    """
    restored = data.replace(b"\r\n", b"\n")
    lone = data.count(b"\n") - data.count(b"\r\n")
    return restored if restored != data and not lone else None
