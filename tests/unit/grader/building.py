"""Captures built byte by byte: what no lab host produces on demand."""

import ipaddress
import struct
from collections.abc import Iterable
from dataclasses import dataclass

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = ("10.0.0.3", 53426), ("10.0.0.2", 4141)
CLIENT6, SERVER6 = ("fd00::3", 53426), ("fd00::2", 4141)
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
PREFIX = b"Upcall event: Processing "

End = tuple[str, int]


def tcp(
    source: End,
    destination: End,
    flags: int,
    seq: int,
    ack: int = 0,
    payload: bytes = b"",
    ident: int = 0,
) -> bytes:
    """Return an IP packet (version by the addresses) with one TCP segment, checksums left at 0."""
    header = struct.pack(
        ">HHIIHHHH",
        source[1],
        destination[1],
        seq % 2**32,
        ack % 2**32,
        5 << 12 | flags,
        64240,
        0,
        0,
    )
    return ip(source[0], destination[0], 6, header + payload, ident)


def ip(source: str, destination: str, protocol: int, data: bytes, ident: int = 0) -> bytes:
    ends = (ipaddress.ip_address(source), ipaddress.ip_address(destination))
    addresses = ends[0].packed + ends[1].packed
    if ends[0].version == 6:
        return struct.pack(">IHBB", 6 << 28, len(data), protocol, 64) + addresses + data
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), ident, 0x4000, 64, protocol, 0)
    return head + addresses + data


def fragments(packet: bytes, size: int) -> list[bytes]:
    """Return an IPv4 packet in pieces of ``size`` bytes (RFC 791); ``size`` is a multiple of 8."""
    data = packet[20:]
    pieces = []
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        more = 0x2000 if start + size < len(data) else 0
        head = bytearray(packet[:20])
        struct.pack_into(">HHH", head, 2, 20 + len(piece), 77, more | start // 8)
        pieces.append(bytes(head) + piece)
    return pieces


def fragments6(packet: bytes, size: int) -> list[bytes]:
    """Return the same with IPv6's fragment header (RFC 8200 section 4.5)."""
    data, protocol = packet[40:], packet[6]
    pieces = []
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        more = 1 if start + size < len(data) else 0
        header = struct.pack(">BBHI", protocol, 0, start | more, 77)
        head = bytearray(packet[:40])
        struct.pack_into(">HB", head, 4, 8 + len(piece), 44)
        pieces.append(bytes(head) + header + piece)
    return pieces


def ethernet(packet: bytes, tags: Iterable[int] = ()) -> bytes:
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    vlan = b"".join(struct.pack(">HH", tag, 5) for tag in tags)
    return b"\x02\0\0\0\0\x02" + b"\x02\0\0\0\0\x03" + vlan + struct.pack(">H", kind) + packet


@dataclass(frozen=True)
class Record:
    data: bytes
    time_ns: int | None = None
    original: int | None = None


def pcap(
    records: Iterable[Record | bytes], link: int = 1, order: str = "<", nano: bool = False
) -> bytes:
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)]
    for number, record in enumerate(map(as_record, records)):
        seconds, rest = divmod(record.time_ns or START + number * 1_000_000, SECOND)
        fraction = rest if nano else rest // 1000
        original = len(record.data) if record.original is None else record.original
        out.append(struct.pack(order + "IIII", seconds, fraction, len(record.data), original))
        out.append(record.data)
    return b"".join(out)


def as_record(record: Record | bytes) -> Record:
    return Record(record) if isinstance(record, bytes) else record


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def interface(link: int = 1, snap: int = 0, options: bytes = b"", order: str = "<") -> bytes:
    return block(1, struct.pack(order + "HHI", link, 0, snap) + options, order)


def enhanced(
    data: bytes, ticks: int, index: int = 0, options: bytes = b"", order: str = "<"
) -> bytes:
    head = struct.pack(
        order + "IIIII", index, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)
    )
    return block(6, head + data + b"\0" * (-len(data) % 4) + options, order)


def simple(data: bytes, order: str = "<") -> bytes:
    return block(3, struct.pack(order + "I", len(data)) + data, order)


@dataclass
class Talk:
    """Writes the packets of one connection; sequence numbers are kept here."""

    client: End = CLIENT
    server: End = SERVER
    client_seq: int = 1000
    server_seq: int = 9000
    ident: int = 0

    def __post_init__(self) -> None:
        self.packets: list[bytes] = []

    def _send(self, by_client: bool, flags: int, payload: bytes = b"") -> None:
        ends = (self.client, self.server) if by_client else (self.server, self.client)
        seq, ack = self.client_seq, self.server_seq
        if not by_client:
            seq, ack = ack, seq
        self.ident += 1
        self.packets.append(tcp(*ends, flags, seq, ack if flags & ACK else 0, payload, self.ident))
        taken = len(payload) + (1 if flags & (SYN | FIN) else 0)
        if by_client:
            self.client_seq += taken
        else:
            self.server_seq += taken

    def c(self, flags: int, payload: bytes = b"") -> "Talk":
        self._send(True, flags, payload)
        return self

    def s(self, flags: int, payload: bytes = b"") -> "Talk":
        self._send(False, flags, payload)
        return self

    def open(self) -> "Talk":
        return self.c(SYN).s(SYN | ACK).c(ACK)

    def say(self, *messages: bytes) -> "Talk":
        for message in messages:
            self.c(PSH | ACK, message).s(PSH | ACK, PREFIX + message).c(ACK)
        return self

    def close(self) -> "Talk":
        return self.c(FIN | ACK).s(FIN | ACK).c(ACK)


def lab(*messages: bytes) -> list[bytes]:
    """Return the IP packets of a complete connection."""
    return Talk().open().say(*(messages or (b"1", b"2"))).close().packets


def frames(packets: Iterable[bytes]) -> list[bytes]:
    return [ethernet(packet) for packet in packets]
