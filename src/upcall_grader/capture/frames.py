"""A captured frame, and what kinds there are.

Sources: the tcpdump group's list of link-layer header types, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

from typing import NamedTuple

from upcall_grader.cause import Cause
from upcall_grader.troubles import TroubleError

MAX_CAPTURED = 262_144
"""Bytes: what libpcap and Wireshark accept at most as one captured packet."""
NANOSECONDS = 1_000_000_000

LINK_NULL = 0
LINK_ETHERNET = 1
LINK_RAW_BSD = 12
LINK_RAW_OPENBSD = 14
LINK_RAW = 101
LINK_LOOP = 108
LINK_LINUX_SLL = 113
LINK_IPV4 = 228
LINK_IPV6 = 229
LINK_LINUX_SLL2 = 276

LINK_NAMES = {
    LINK_NULL: "loopback (NULL)",
    LINK_ETHERNET: "Ethernet",
    LINK_RAW_BSD: "raw IP",
    LINK_RAW_OPENBSD: "raw IP",
    LINK_RAW: "raw IP",
    LINK_LOOP: "loopback (LOOP)",
    LINK_LINUX_SLL: "Linux cooked v1",
    LINK_IPV4: "raw IPv4",
    LINK_IPV6: "raw IPv6",
    LINK_LINUX_SLL2: "Linux cooked v2",
}

OTHER_RECORDS = {
    0x0000_0009: "systemd journal",
    0x0000_0204: "Sysdig event",
    0x0000_0208: "Sysdig event",
    0x0000_0216: "Sysdig event",
    0x0000_0217: "Sysdig event",
    0x0000_0221: "Sysdig event",
    0x0000_0222: "Sysdig event",
    0x0000_0BAD: "custom block",
    0x4000_0BAD: "custom block",
}
"""Blocks that hold no packet, but to which Wireshark gives a frame number all the same."""


class CaptureError(TroubleError):
    """A file that cannot be read as a capture at all; ``texts`` has words and a remedy for each."""

    trouble = "unreadable-capture"

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.code)
        self.cause = cause


class Frame(NamedTuple):
    """One captured packet.

    ``number``           position in the whole file, from 1, as in Wireshark
    ``time_ns``          nanoseconds since 1970-01-01 UTC, or None where the file holds no time
    ``link_type``        LINKTYPE_ number of the bytes; negative: a pcapng block that Wireshark
                         numbers although it holds no packet (``OTHER_RECORDS``)
    ``data``             captured bytes, from the link layer's header on
    ``original_length``  length on the wire in bytes; larger than ``data`` if the snap length cut it
    """

    number: int
    time_ns: int | None
    link_type: int
    data: bytes
    original_length: int
