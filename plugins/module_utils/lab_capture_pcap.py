"""A capture followed while tcpdump writes it: has the connection been opened, and closed?

A session on a lab host, which has nothing but Python, needs this to know when to stop. It reads
tcpdump's output from a bridge: pcap of Ethernet, each packet once, TCP in one piece. The judge is
the grader's; a test compares this module with its judgements.
"""

from __future__ import annotations

import ipaddress
import struct
import typing as t

# draft-ietf-opsawg-pcap, section 4: the magic number shows the writer's byte order and time unit.
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
    """tcpdump's output is not a capture of an Ethernet link; the text says what it is."""


class Segment(t.NamedTuple):
    """A TCP segment. ``length`` is that of its data in bytes."""

    source: Endpoint
    destination: Endpoint
    sequence: int
    acknowledgment: int
    flags: int
    length: int


def _tcp(source: bytes, destination: bytes, packet: bytes, length: int) -> Segment | None:
    """Return the segment in an IP packet's content; ``packet`` holds the captured part of it."""
    if len(packet) < 20:
        return None
    sport, dport, sequence, acknowledgment, offset, flags = struct.unpack_from(">HHIIBB", packet)
    length -= (offset >> 4) * 4
    if offset >> 4 < 5 or length < 0:
        return None
    return Segment((source, sport), (destination, dport), sequence, acknowledgment, flags, length)


def segment_of(frame: bytes) -> Segment | None:
    """Return the TCP segment in an Ethernet frame; None for everything else."""
    if len(frame) < _ETHERNET_HEADER:
        return None
    (kind,) = struct.unpack_from(">H", frame, 12)
    packet = frame[_ETHERNET_HEADER:]
    if kind == _IPV4 and len(packet) >= 20 and packet[9] == _TCP:
        header, total, fragment = (packet[0] & 0x0F) * 4, *struct.unpack_from(">H2xH", packet, 2)
        if packet[0] >> 4 != 4 or header < 20 or fragment & 0x3FFF:
            return None
        # Segmentation offload leaves a total length of 0: then the frame's own length counts.
        length = (total or len(packet)) - header
        return _tcp(packet[12:16], packet[16:20], packet[header : header + length], length)
    if kind == _IPV6 and len(packet) >= 40 and packet[6] == _TCP:
        length = int.from_bytes(packet[4:6], "big") or len(packet) - 40
        return _tcp(packet[8:24], packet[24:40], packet[40 : 40 + length], length)
    return None


def _at_least(number: int, bound: int) -> bool:
    """Return whether a sequence number equals or follows another, modulo 2**32 (RFC 9293, 3.4)."""
    return (number - bound) & 0xFFFFFFFF < 1 << 31


_NEAR = 1 << 20
"""Sequence numbers that are farther apart are not of the same few segments."""


class Side:
    """The state of one side of a connection, as far as it was captured.

    ``base`` is its initial sequence number, ``fin`` the number that acknowledges its FIN,
    ``acknowledged`` the highest number that the other side acknowledged. Places count the
    connection's segments from 1; 0 means not yet.
    """

    __slots__ = (
        "acknowledged",
        "acknowledged_at",
        "base",
        "endpoint",
        "fin",
        "fin_acknowledged_at",
    )

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.base: int | None = None
        self.fin: int | None = None
        self.fin_acknowledged_at = 0
        self.acknowledged: int | None = None
        self.acknowledged_at = 0

    def rebase(self, base: int) -> None:
        """Count from another initial sequence number: the one so far was none, or not proved."""
        if ((self.base or 0) - base) & 0xFFFFFFFF >= _NEAR:
            self.fin = self.acknowledged = None
            self.fin_acknowledged_at = self.acknowledged_at = 0
        self.base = base

    def end(self, number: int) -> None:
        """Take its FIN; the acknowledgement may have been captured before it."""
        if self.fin is None:
            self.fin = (number + 1) & 0xFFFFFFFF
            if self.acknowledged is not None and _at_least(self.acknowledged, self.fin):
                self.fin_acknowledged_at = self.acknowledged_at

    def acknowledge(self, number: int, place: int) -> None:
        """Take an acknowledgement of the other side."""
        if self.acknowledged is None or not _at_least(self.acknowledged, number):
            self.acknowledged, self.acknowledged_at = number, place
        if self.fin is not None and not self.fin_acknowledged_at and _at_least(number, self.fin):
            self.fin_acknowledged_at = place


class Connection:
    """The state of one TCP connection, as far as it was captured."""

    __slots__ = (
        "_ack",
        "_client",
        "_other_syn_ack",
        "_reset_at",
        "_segments",
        "_server",
        "_settled",
        "_stale_ack",
        "_syn",
        "_syn_ack",
        "_syn_length",
    )

    def __init__(self, client: Endpoint, server: Endpoint) -> None:
        self._client, self._server = Side(client), Side(server)
        self._segments = 0
        self._syn = self._syn_ack = self._ack = False
        self._reset_at = 0
        self._syn_length = 0
        self._stale_ack: int | None = None
        self._other_syn_ack: int | None = None
        self._settled = False

    def begins_anew(self, syn: Segment) -> bool:
        """Return whether a SYN between its endpoints opens another connection than this one."""
        return self._sides(syn)[0].base not in (None, syn.sequence)

    def add(self, segment: Segment) -> None:
        """Take one more segment of this connection."""
        self._segments += 1
        sender, receiver = self._sides(segment)
        if self._is_aside(segment, sender):
            return
        if sender.base is None:
            sender.base = (segment.sequence - (0 if segment.flags & SYN else 1)) & 0xFFFFFFFF
        if receiver.base is None and segment.flags & ACK:
            receiver.base = (segment.acknowledgment - 1) & 0xFFFFFFFF
        self._take_opening(segment, sender, receiver)
        if segment.flags & RST:
            stale = sender is self._client and segment.sequence == self._stale_ack
            if not stale or self._syn_ack:
                self._reset_at = self._reset_at or self._segments
            return
        if segment.flags & FIN:
            sender.end(segment.sequence + segment.length)
        if segment.flags & ACK:
            receiver.acknowledge(segment.acknowledgment, self._segments)

    def _is_aside(self, segment: Segment, sender: Side) -> bool:
        """Return whether a segment has no part in the connection; learn the server's number.

        It is that of the SYN+ACK which the client acknowledges. What acknowledges something else
        than the client's SYN is of an earlier connection (RFC 9293, 3.5.1 and 3.10.7.3).
        """
        kind = segment.flags & (SYN | ACK | RST)
        if sender is self._client:
            other = self._other_syn_ack
            if kind == ACK and other is not None and not self._ack:
                if segment.acknowledgment == (other + 1) & 0xFFFFFFFF and not self._settled:
                    self._server.rebase(other)
                    self._settled = True
                self._other_syn_ack = None
            return False
        if not segment.flags & ACK or kind & RST:
            return False
        if self._syn and not self._syn_ack and self._client.base is not None:
            acked = (segment.acknowledgment - self._client.base - 1) & 0xFFFFFFFF
            if acked > self._syn_length if kind & SYN else acked >= _NEAR:
                self._stale_ack = segment.acknowledgment
                return True
        if kind & SYN and self._server.base not in (None, segment.sequence):
            if self._syn_ack:
                self._other_syn_ack = segment.sequence
                return True
            self._server.rebase(segment.sequence)
        return False

    def _sides(self, segment: Segment) -> tuple[Side, Side]:
        if segment.source == self._client.endpoint:
            return self._client, self._server
        return self._server, self._client

    def _take_opening(self, segment: Segment, sender: Side, receiver: Side) -> None:
        kind = segment.flags & (SYN | ACK | RST)
        if kind == SYN:
            self._syn = True
            self._syn_length = max(self._syn_length, segment.length)
        elif kind == SYN | ACK:
            self._syn_ack = True
        elif kind == ACK and sender is self._client and self._syn_ack:
            # It may carry data; what counts is that it acknowledges the server's SYN.
            answers = _at_least(segment.acknowledgment, ((receiver.base or 0) + 1) & 0xFFFFFFFF)
            self._ack = self._ack or (answers and segment.sequence != sender.base)

    @property
    def opened(self) -> bool:
        """Whether SYN, SYN+ACK and ACK of the handshake were captured (RFC 9293, section 3.5)."""
        return self._syn and self._syn_ack and self._ack

    @property
    def closed(self) -> bool:
        """Whether both FINs were acknowledged before any reset (RFC 9293, section 3.6)."""
        places = (self._client.fin_acknowledged_at, self._server.fin_acknowledged_at)
        return all(places) and not 0 < self._reset_at <= max(places)

    @property
    def complete(self) -> bool:
        """Whether it has handshake and orderly close; later segments change nothing."""
        return self.opened and self.closed

    @property
    def endpoints(self) -> tuple[Endpoint, Endpoint]:
        """Client and server."""
        return self._client.endpoint, self._server.endpoint

    @property
    def name(self) -> str:
        """Both endpoints, client first."""
        return " → ".join(
            f"{ipaddress.ip_address(address)}:{port}" for address, port in self.endpoints
        )


class PcapFollower:
    """Takes a capture in pieces of any size and keeps the connections to one server port.

    ``completed`` counts those that have handshake and orderly close.
    """

    def __init__(self, port: int) -> None:
        self.connections: list[Connection] = []
        self.completed = 0
        self.records = 0
        self._port = port
        self._order = ""
        self._rest = bytearray()
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
            self._take(bytes(self._rest[position + _RECORD_HEADER : end]))
            position = end
        del self._rest[:position]

    def _read_file_header(self) -> bool:
        if len(self._rest) < _FILE_HEADER:
            return False
        try:
            order = _BYTE_ORDERS[bytes(self._rest[:4])]
        except KeyError:
            raise CaptureFormatError(f"it begins with {self._rest[:4].hex()}") from None
        (link,) = struct.unpack_from(f"{order}20xI", self._rest)
        if link & 0xFFFF != _LINKTYPE_ETHERNET:
            raise CaptureFormatError(f"link type {link & 0xFFFF} is not Ethernet")
        self._order = order
        del self._rest[:_FILE_HEADER]
        return True

    def _take(self, frame: bytes) -> None:
        self.records += 1
        segment = segment_of(frame)
        if segment is None or self._port not in (segment.source[1], segment.destination[1]):
            return
        ends = frozenset((segment.source, segment.destination))
        connection = self._open.get(ends)
        opens = segment.flags & (SYN | ACK) == SYN
        if connection is None or (opens and connection.begins_anew(segment)):
            connection = self._begin(segment, opens)
            self._open[ends] = connection
            self.connections.append(connection)
        was_complete = connection.complete
        connection.add(segment)
        self.completed += connection.complete and not was_complete

    def _begin(self, segment: Segment, opens: bool) -> Connection:
        """Return a new connection; if it had begun before, the port shows which side is server."""
        to_server = not segment.flags & SYN and segment.destination[1] == self._port
        if opens or to_server:
            return Connection(segment.source, segment.destination)
        return Connection(segment.destination, segment.source)
