"""Mutants of one complete capture: each differs from it in one known way.

``mutants`` makes all of them from a real capture of the lab (pcap, microseconds, Ethernet, IPv4,
one connection with at least three messages). What a mutant has to cost is said where it is made:
the criteria of the default rubric that are no longer met; all others must stay as they are.

A packet can be *lost*: it was on the wire and is not in the file. Or it can be *unsent*: it never
was on the wire, and all later sequence numbers are as if it had not been.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tests.unit.grader import building as b

FIN, SYN, RST, PSH, ACK = b.FIN, b.SYN, b.RST, b.PSH, b.ACK
MILLISECOND = 1_000_000
IP, TCP = 14, 34
"""Offsets of the headers: Ethernet without tags, IPv4 without options."""
ARP = b"\xff" * 6 + b"\2\0\0\0\0\7" + b"\x08\x06" + bytes.fromhex("0001080006040001") + bytes(20)
PORT_BASE = 20_000


@dataclass(frozen=True)
class Packet:
    """One record of a capture: time since 1970 in nanoseconds, and the bytes from Ethernet on."""

    time_ns: int
    data: bytes

    @property
    def is_tcp(self) -> bool:
        return self.data[12:14] == b"\x08\0" and self.data[IP + 9] == 6

    @property
    def flags(self) -> int:
        return self.data[TCP + 13] & 0x3F if self.is_tcp else 0

    @property
    def from_client(self) -> bool:
        return self.data[TCP + 2 : TCP + 4] == struct.pack(">H", 4141)

    @property
    def _start(self) -> int:
        return TCP + (self.data[TCP + 12] >> 4) * 4

    @property
    def payload(self) -> bytes:
        if not self.is_tcp:
            return b""
        (total,) = struct.unpack_from(">H", self.data, IP + 2)
        return self.data[self._start : IP + total]

    def field(self, at: int, form: str, change: Callable[[int], int]) -> Packet:
        """Change one number in the packet."""
        data = bytearray(self.data)
        (value,) = struct.unpack_from(form, data, at)
        struct.pack_into(form, data, at, change(value) % 256 ** struct.calcsize(form))
        return replace(self, data=bytes(data))

    def seq(self, change: int) -> Packet:
        return self.field(TCP + 4, ">I", lambda value: value + change)

    def ack(self, change: int) -> Packet:
        return self.field(TCP + 8, ">I", lambda value: value + change)

    def ident(self, change: int) -> Packet:
        """Another identification in the IP header: another packet, even where all else agrees."""
        return self.field(IP + 4, ">H", lambda value: value + change)

    def flagged(self, flags: int) -> Packet:
        return self.field(TCP + 13, ">B", lambda _: flags)

    def saying(self, payload: bytes) -> Packet:
        head = self.data[: self._start]
        packet = replace(self, data=head + payload)
        return packet.field(IP + 2, ">H", lambda _: len(packet.data) - IP)

    def later(self, nanoseconds: int) -> Packet:
        return replace(self, time_ns=self.time_ns + nanoseconds)


Packets = list[Packet]


def read(data: bytes) -> Packets:
    """Return the records of a little-endian pcap, without the grader's own code."""
    assert data[:4] == b"\xd4\xc3\xb2\xa1"
    at, packets = 24, []
    while at < len(data):
        seconds, micro, captured, original = struct.unpack_from("<IIII", data, at)
        assert captured == original
        at += 16
        packets.append(
            Packet(seconds * b.SECOND + micro * 1000, data[at : at + captured]),
        )
        at += captured
    return packets


def write(packets: Iterable[Packet], link: int = 1, order: str = "<", nano: bool = False) -> bytes:
    """Return the same as a file again."""
    return b.pcap([b.Record(p.data, p.time_ns) for p in packets], link, order, nano)


@dataclass(frozen=True)
class Mutant:
    """A capture that differs in one way from the complete one.

    Attributes:
        name: what is different.
        packets: its records, in Ethernet frames.
        costs: ids of the criteria that must not be met in it; all others must be.
        status: how they end, where it matters; "" leaves open which of the two.
        connections: on the lab's port.
    """

    name: str
    packets: Packets
    costs: tuple[str, ...] = ()
    status: str = ""
    connections: int = 1

    @property
    def data(self) -> bytes:
        return write(self.packets)


class Original:
    """The complete capture and the places of its packets."""

    def __init__(self, packets: Packets) -> None:
        self.packets = packets
        places = [i for i, p in enumerate(packets) if p.is_tcp]
        self.opening = places[:3]
        self.messages = [i for i in places if packets[i].payload and packets[i].from_client]
        self.upcalls = [i for i in places if packets[i].payload and not packets[i].from_client]
        self.fins = [i for i in places if packets[i].flags & FIN]
        self.last = places[-1]
        self.acks = [
            i
            for i in places
            if packets[i].flags == ACK and not packets[i].payload and i != self.last
        ]
        flags = [packets[i].flags for i in self.opening]
        assert flags == [SYN, SYN | ACK, ACK]
        assert len(self.messages) == len(self.upcalls) >= 3
        assert len(self.fins) == 2
        assert packets[self.last].flags == ACK

    def lost(self, *places: int) -> Packets:
        return [packet for i, packet in enumerate(self.packets) if i not in places]

    def changed(self, place: int, packet: Packet) -> Packets:
        return [*self.packets[:place], packet, *self.packets[place + 1 :]]

    def added(self, after: int, *packets: Packet) -> Packets:
        return [*self.packets[: after + 1], *packets, *self.packets[after + 1 :]]

    def swapped(self, place: int) -> Packets:
        """Return a packet and the next one in each other's place; times stay in order."""
        first, second = self.packets[place : place + 2]
        pair = (replace(second, time_ns=first.time_ns), replace(first, time_ns=second.time_ns))
        return [*self.packets[:place], *pair, *self.packets[place + 2 :]]

    def saying(self, place: int, payload: bytes) -> Packets:
        """Another payload, of any length: what follows is numbered accordingly."""
        packet = self.packets[place]
        grown = len(payload) - len(packet.payload)
        packets = self.changed(place, packet.saying(payload))
        return packets[: place + 1] + _renumbered(packets[place + 1 :], packet.from_client, grown)

    def unsent(self, *places: int) -> Packets:
        packets = self.packets
        for place in sorted(places, reverse=True):
            packet = packets[place]
            rest = _renumbered(packets[place + 1 :], packet.from_client, -len(packet.payload))
            packets = packets[:place] + rest
        return packets


def _renumbered(packets: Packets, of_client: bool, grown: int) -> Packets:
    return [
        p if not p.is_tcp else p.seq(grown) if p.from_client is of_client else p.ack(grown)
        for p in packets
    ]


def harmful(original: Original) -> Iterator[Mutant]:
    """Yield mutants that cost what they say, and nothing else."""
    yield from _without_handshake(original)
    yield from _with_few_messages(original)
    yield from _with_wrong_upcalls(original)
    yield from _without_close(original)
    yield from _with_reset(original)


def _without_handshake(o: Original) -> Iterator[Mutant]:
    syn, syn_ack, ack = o.opening
    gone = ("handshake",)
    yield Mutant("SYN lost", o.lost(syn), gone, "not-observable")
    yield Mutant("SYN+ACK lost", o.lost(syn_ack), gone, "not-observable")
    yield Mutant("SYN and SYN+ACK lost", o.lost(syn, syn_ack), gone, "not-observable")
    yield Mutant("SYN and ACK lost", o.lost(syn, ack), gone, "not-observable")
    yield Mutant("SYN+ACK and ACK lost", o.lost(syn_ack, ack), gone, "not-observable")
    yield Mutant("begun behind the handshake", o.packets[ack + 1 :], gone, "not-observable")


def _with_few_messages(o: Original) -> Iterator[Mutant]:
    only = [[*o.messages[:i], *o.messages[i + 1 :]] for i in range(len(o.messages))]
    others = [[*o.upcalls[:i], *o.upcalls[i + 1 :]] for i in range(len(o.messages))]
    for number, (messages, upcalls) in enumerate(zip(only, others, strict=True), 1):
        packets = o.unsent(*messages, *upcalls)
        yield Mutant(f"only message {number}", packets, ("messages",), "not-met")
    # Nothing was said, so nothing was answered either.
    packets = o.unsent(*o.messages, *o.upcalls)
    yield Mutant("no message", packets, ("messages", "upcalls"), "not-met")


def _with_wrong_upcalls(o: Original) -> Iterator[Mutant]:
    cost = ("upcalls",)
    for number, place in enumerate(o.upcalls, 1):
        text = o.packets[place].payload
        for what, wrong in {
            "another text": text[:-1] + bytes([text[-1] ^ 1]),
            "no text": b.PREFIX,
            "more text": text + b"!",
            "another phrase": text.replace(b"Upcall", b"Downcall"),
            "the phrase in small letters": text.lower(),
            "a space too few": text.replace(b": ", b":"),
            "the message alone": text.removeprefix(b.PREFIX),
        }.items():
            packets = o.saying(place, wrong)
            yield Mutant(f"upcall {number} with {what}", packets, cost, "not-met")
        yield Mutant(f"upcall {number} never sent", o.unsent(place), cost, "not-met")
        yield Mutant(f"upcall {number} lost", o.lost(place), cost, "not-observable")
    greeting = o.saying(o.upcalls[0], b"welcome" + o.packets[o.upcalls[0]].payload)
    yield Mutant("a greeting before the first upcall", greeting, cost, "not-met")
    for number, place in enumerate(o.messages, 1):
        yield Mutant(f"message {number} lost", o.lost(place), cost, "not-observable")


def _without_close(o: Original) -> Iterator[Mutant]:
    cost = ("close",)
    first, second = o.fins
    yield Mutant("first FIN lost", o.lost(first), cost)
    yield Mutant("second FIN lost", o.lost(second), cost)
    yield Mutant("last ACK lost", o.lost(o.last), cost, "not-observable")
    yield Mutant("stopped before the close", o.packets[:first], cost, "not-observable")
    yield Mutant("stopped behind the first FIN", o.packets[: first + 1], cost, "not-observable")
    on = Packet(o.packets[first].time_ns + 600 * b.SECOND, ARP)
    yield Mutant("never closed, and the capture goes on", [*o.packets[:first], on], cost, "not-met")


def _with_reset(o: Original) -> Iterator[Mutant]:
    for who, place in (("client", o.last), ("server", o.fins[1])):
        reset = o.packets[place].flagged(RST | ACK).ident(100)
        behind = reset.later(o.packets[o.last].time_ns - reset.time_ns + MILLISECOND)
        packets = [*o.packets, behind]
        yield Mutant(f"a reset of the {who} behind the close", packets, ("no-reset",), "not-met")
    # Cut off by a reset, a connection is not closed in order either: two criteria, for one cause.
    for who, place in (("client", o.messages[-1]), ("server", o.upcalls[-1])):
        first = o.fins[0]
        end = o.packets[place]
        reset = end.seq(len(end.payload)).saying(b"").flagged(RST)
        reset = replace(reset, time_ns=o.packets[first].time_ns)
        packets = [*o.packets[:first], reset]
        cost = ("close", "no-reset")
        yield Mutant(f"a reset of the {who} instead of the close", packets, cost, "not-met")


def harmless(original: Original) -> Iterator[Mutant]:
    """Yield what networks and tcpdump do every day: it costs nothing."""
    o = original
    syn_ack = o.opening[1]
    for place in o.acks:
        name = "the handshake's ACK" if place == o.opening[2] else f"the ACK at {place}"
        yield Mutant(f"{name} lost", o.lost(place))
    yield Mutant("all ACKs but the last lost", o.lost(*o.acks))
    for place, packet in enumerate(o.packets):
        yield Mutant(f"packet {place} seen twice", o.added(place, packet.later(5_000)))
        if packet.is_tcp and (packet.payload or packet.flags & (SYN | FIN)):
            again = packet.ident(500).later(300 * MILLISECOND)
            yield Mutant(f"packet {place} sent again", o.added(place, again))
            late = replace(again, time_ns=o.packets[-1].time_ns + 300 * MILLISECOND)
            yield Mutant(f"packet {place} sent again at the end", [*o.packets, late])
        if place + 1 < len(o.packets):
            yield Mutant(f"packets {place} and {place + 1} swapped", o.swapped(place))
    twice = [packet.later(delay) for packet in o.packets for delay in (0, 5_000)]
    yield Mutant("every packet seen twice", twice)
    noise = [Packet(packet.time_ns, ARP) for packet in o.packets]
    mixed = [packet for pair in zip(noise, o.packets, strict=True) for packet in pair]
    yield Mutant("ARP between all packets", mixed)
    probe = o.packets[o.acks[-1]].seq(-1).ident(700)
    yield Mutant("a keep-alive", o.added(o.acks[-1], probe))
    refused = [o.packets[o.opening[0]], o.packets[syn_ack].flagged(RST | ACK)]
    earlier = [
        _ports(packet.later(-b.SECOND), PORT_BASE - 1).seq(77 if packet.from_client else 0)
        for packet in refused
    ]
    yield Mutant("a refused attempt before it", [*earlier, *o.packets], connections=2)
    other = [_ports(packet.later(b.SECOND), PORT_BASE - 1) for packet in o.packets[: o.fins[0]]]
    yield Mutant("an unfinished connection behind it", [*o.packets, *other], connections=2)


def foreign(original: Original) -> Iterator[Mutant]:
    """Yield captures without any packets of the lab."""
    moved = [
        p.field(TCP + (2 if p.from_client else 0), ">H", lambda _: 4142) if p.is_tcp else p
        for p in original.packets
    ]
    yield Mutant("another port", moved, ("traffic",))
    arp = [Packet(packet.time_ns, ARP) for packet in original.packets]
    yield Mutant("ARP alone", arp, ("traffic",))
    udp = [p.field(IP + 9, ">B", lambda _: 17) if p.is_tcp else p for p in original.packets]
    yield Mutant("UDP in place of TCP", udp, ("traffic",))


def _ports(packet: Packet, client: int) -> Packet:
    return packet.field(TCP + (0 if packet.from_client else 2), ">H", lambda _: client)


def with_client_port(packets: Sequence[Packet], port: int) -> Packets:
    """Return the same packets, their client on another port."""
    return [_ports(packet, port) if packet.is_tcp else packet for packet in packets]


def resaved(original: Original) -> dict[str, bytes]:
    """Return the same packets in every kind of file, link layer and IP version that is read."""
    packets = [packet for packet in original.packets if packet.is_tcp]
    raw = [replace(packet, data=packet.data[IP:]) for packet in packets]
    v6 = [replace(packet, data=_as_ipv6(packet.data[IP:])) for packet in packets]
    kinds = {
        "Ethernet": (packets, 1),
        "raw IP": (raw, 101),
        "raw IP, BSD's number": (raw, 12),
        "cooked v1": (_behind(raw, b"\0\0\0\1\0\6" + bytes(8) + b"\x08\0"), 113),
        "cooked v2": (_behind(raw, b"\x08\0" + bytes(6) + b"\0\1\0\6" + bytes(8)), 276),
        "loopback, little-endian": (_behind(raw, b"\2\0\0\0"), 0),
        "loopback, big-endian": (_behind(raw, b"\0\0\0\2"), 0),
        "OpenBSD's loopback": (_behind(raw, b"\0\0\0\2"), 108),
        "a VLAN tag": ([_tagged(packet, 0x8100) for packet in packets], 1),
        "two VLAN tags": ([_tagged(_tagged(p, 0x8100), 0x88A8) for p in packets], 1),
        "IPv6": (_behind(v6, packets[0].data[:12] + b"\x86\xdd"), 1),
        "fragments": (_fragmented(packets), 1),
    }
    files = {name: write(members, link) for name, (members, link) in kinds.items()}
    files["big-endian"] = write(packets, order=">")
    files["nanoseconds"] = write(packets, nano=True)
    files["nanoseconds, big-endian"] = write(packets, order=">", nano=True)
    for order in "<>":
        head = b.section(order) + b.interface(options=b.option(9, b"\x09", order), order=order)
        blocks = [b.enhanced(p.data, p.time_ns, order=order) for p in packets]
        files[f"pcapng {order}"] = head + b"".join(blocks)
    head = b.section() + b.interface()
    files["pcapng without times"] = head + b"".join(b.simple(p.data) for p in packets)
    half = len(packets) // 2
    files["pcapng of two sections and link layers"] = (
        head
        + b"".join(b.enhanced(p.data, p.time_ns // 1000) for p in packets[:half])
        + (b.section(">") + b.interface(101, order=">"))
        + b"".join(b.enhanced(p.data, p.time_ns // 1000, order=">") for p in raw[half:])
    )
    return files


def _behind(packets: Packets, header: bytes) -> Packets:
    return [replace(packet, data=header + packet.data) for packet in packets]


def _tagged(packet: Packet, tag: int) -> Packet:
    data = packet.data[:12] + struct.pack(">HH", tag, 7) + packet.data[12:]
    return replace(packet, data=data)


def _as_ipv6(packet: bytes) -> bytes:
    """Return an IPv4 packet's content in IPv6, its addresses in fd00::/96."""
    head = struct.pack(">IHBB", 6 << 28, len(packet) - 20, 6, 64)
    prefix = b"\xfd" + bytes(11)
    return head + prefix + packet[12:16] + prefix + packet[16:20] + packet[20:]


def _fragmented(packets: Packets) -> Packets:
    """Split packets with data into pieces of 32 bytes; each packet has its own identification."""
    pieces = []
    for number, packet in enumerate(packets):
        whole = packet.data[IP:]
        parts = b.fragments(whole, 32) if packet.payload else [whole]
        pieces += [replace(packet, data=packet.data[:IP] + p).ident(number) for p in parts]
    return pieces


def snapped(original: Original, length: int) -> bytes:
    """Return the file that ``tcpdump -s length`` would have written."""
    return b.pcap(
        [b.Record(p.data[:length], p.time_ns, len(p.data)) for p in original.packets],
    )
