"""A capture followed while tcpdump writes it: has the connection been opened, and closed?

This is what a session needs to know on a lab host, which has nothing but Python: when to stop. The
reading of captures for grades is the grader's business.
"""

from __future__ import annotations

import ipaddress
import struct
import typing as t

# draft-ietf-opsawg-pcap, section 4: the magic number tells the writer's byte order and time unit.
_BYTE_ORDERS = {
    b"\xd4\xc3\xb2\xa1": "<",
    b"\xa1\xb2\xc3\xd4": ">",
    b"\x4d\x3c\xb2\xa1": "<",
    b"\xa1\xb2\x3c\x4d": ">",
}
_FILE_HEADER = 24
_RECORD_HEADER = 16
_LINKTYPE_ETHERNET = 1
_RECORD_LIMIT = 1 << 20  # tcpdump's largest snapshot length is 262144

_ETHERNET_HEADER = 14
_IPV4, _IPV6 = 0x0800, 0x86DD
_TCP = 6

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10  # RFC 9293, section 3.1

Endpoint = tuple[bytes, int]


class CaptureFormatError(Exception):
    """What came from tcpdump is no capture of an Ethernet link; the text says what it is."""


class Segment(t.NamedTuple):
    """A TCP segment. ``length`` is that of its data in bytes."""

    source: Endpoint
    destination: Endpoint
    sequence: int
    acknowledgment: int
    flags: int
    length: int


def _tcp(source: bytes, destination: bytes, packet: bytes) -> Segment | None:
    if len(packet) < 20:
        return None
    sport, dport, sequence, acknowledgment, offset, flags = struct.unpack_from(">HHIIBB", packet)
    length = len(packet) - (offset >> 4) * 4
    return Segment((source, sport), (destination, dport), sequence, acknowledgment, flags, length)


def segment_of(frame: bytes) -> Segment | None:
    """The TCP segment in an Ethernet frame; None for everything else."""
    if len(frame) < _ETHERNET_HEADER:
        return None
    (kind,) = struct.unpack_from(">H", frame, 12)
    packet = frame[_ETHERNET_HEADER:]
    if kind == _IPV4 and len(packet) >= 20 and packet[9] == _TCP:
        header, total = (packet[0] & 0x0F) * 4, int.from_bytes(packet[2:4], "big")
        return _tcp(packet[12:16], packet[16:20], packet[header:total])
    if kind == _IPV6 and len(packet) >= 40 and packet[6] == _TCP:
        total = 40 + int.from_bytes(packet[4:6], "big")
        return _tcp(packet[8:24], packet[24:40], packet[40:total])
    return None


def _at_least(number: int, bound: int) -> bool:
    """Whether a sequence number lies at or behind another, modulo 2**32 (RFC 9293, 3.4)."""
    return (number - bound) & 0xFFFFFFFF < 1 << 31


class Connection:
    """What was seen of one TCP connection, from the client's SYN on."""

    def __init__(self, client: Endpoint, server: Endpoint) -> None:
        self.client = client
        self.server = server
        self.reset = False
        self._syn: dict[Endpoint, int] = {}
        self._fin: dict[Endpoint, int] = {}
        self._acknowledged: dict[Endpoint, int] = {}

    def add(self, segment: Segment) -> None:
        """Take one more segment of this connection."""
        if segment.flags & RST:
            self.reset = True
        if segment.flags & SYN:
            self._syn[segment.source] = segment.sequence
        if segment.flags & FIN:
            self._fin[segment.source] = (segment.sequence + segment.length) & 0xFFFFFFFF
        if segment.flags & ACK:
            self._acknowledged[segment.source] = segment.acknowledgment

    def _is_acknowledged(self, numbers: dict[Endpoint, int], side: Endpoint) -> bool:
        other = self.server if side == self.client else self.client
        return (
            side in numbers
            and other in self._acknowledged
            and _at_least(self._acknowledged[other], (numbers[side] + 1) & 0xFFFFFFFF)
        )

    @property
    def opened(self) -> bool:
        """SYN of both sides seen, and acknowledged (RFC 9293, section 3.5)."""
        return all(self._is_acknowledged(self._syn, side) for side in (self.client, self.server))

    @property
    def closed(self) -> bool:
        """FIN of both sides seen, and acknowledged (RFC 9293, section 3.6)."""
        return all(self._is_acknowledged(self._fin, side) for side in (self.client, self.server))

    @property
    def complete(self) -> bool:
        """From handshake to orderly close."""
        return self.opened and self.closed and not self.reset

    @property
    def name(self) -> str:
        """Both endpoints, client first."""
        return " → ".join(
            f"{ipaddress.ip_address(address)}:{port}"
            for address, port in (self.client, self.server)
        )


class PcapFollower:
    """Takes a capture in pieces of any size and keeps the connections to one server port."""

    def __init__(self, port: int) -> None:
        self.connections: list[Connection] = []
        self.records = 0
        self._port = port
        self._order = ""
        self._rest = b""
        self._open: dict[frozenset[Endpoint], Connection] = {}

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the file. Raises CaptureFormatError."""
        self._rest += data
        if not self._order and not self._read_file_header():
            return
        position = 0
        while len(self._rest) - position >= _RECORD_HEADER:
            (length,) = struct.unpack_from(f"{self._order}8xI", self._rest, position)
            if length > _RECORD_LIMIT:
                raise CaptureFormatError(f"record {self.records + 1} claims {length} bytes")
            end = position + _RECORD_HEADER + length
            if end > len(self._rest):
                break
            self._take(self._rest[position + _RECORD_HEADER : end])
            position = end
        self._rest = self._rest[position:]

    def _read_file_header(self) -> bool:
        if len(self._rest) < _FILE_HEADER:
            return False
        try:
            order = _BYTE_ORDERS[self._rest[:4]]
        except KeyError:
            raise CaptureFormatError(f"it begins with {self._rest[:4].hex()}") from None
        (link,) = struct.unpack_from(f"{order}20xI", self._rest)
        if link & 0xFFFF != _LINKTYPE_ETHERNET:
            raise CaptureFormatError(f"link type {link & 0xFFFF} is not Ethernet")
        self._order, self._rest = order, self._rest[_FILE_HEADER:]
        return True

    def _take(self, frame: bytes) -> None:
        self.records += 1
        segment = segment_of(frame)
        if segment is None or self._port not in (segment.source[1], segment.destination[1]):
            return
        ends = frozenset((segment.source, segment.destination))
        if segment.flags & SYN and not segment.flags & ACK:
            known = self._open.get(ends)
            # The same SYN again is a retransmission; behind a close it is a new connection.
            if known is None or known.closed or known.reset:
                self._open[ends] = Connection(segment.source, segment.destination)
                self.connections.append(self._open[ends])
        if ends in self._open:
            self._open[ends].add(segment)
