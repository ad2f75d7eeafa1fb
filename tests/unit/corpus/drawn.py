"""Captures as chance makes them: conversations of the lab, what networks do to them, one file.

A seed gives one capture. Conversations are drawn, and what happens to each on its way into the file
(``HAPPENINGS``). How they lie in the file (``ORDERS``), and which form the file has (``FORMS``),
goes round with the seed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.unit.corpus.mutants import IP, MILLISECOND, PORT_BASE, Packet, Packets
from tests.unit.grader import building as b

CONVERSATIONS = 24
"""In one file at most."""
_LONGEST, _SEGMENT = 3000, 536
_FAR = 60 * b.SECOND


@dataclass(frozen=True)
class Drawn:
    """A capture, and what was drawn for it, in words."""

    data: bytes
    story: tuple[str, ...]


def capture(seed: int) -> Drawn:
    """Return the capture that a seed gives."""
    choose = Random(seed)  # noqa: S311 (repeatable, not secret)
    conversations, story = [], []
    for number in range(choose.randint(1, CONVERSATIONS)):
        packets = _timed(choose, _talk(choose, PORT_BASE + number))
        names = choose.sample(list(HAPPENINGS), choose.choice((0, 1, 1, 2, 3)))
        for name in names:
            packets = HAPPENINGS[name](choose, packets)
        if choose.random() < 0.1:
            # The client's port is used once more. Without the SYN nobody could tell the two apart.
            packets += _timed(choose, _talk(choose, PORT_BASE + number), packets[-1].time_ns + _FAR)
        conversations.append(packets)
        story.append(f"{PORT_BASE + number}: {', '.join(names) or 'as it was'}")
    lie, form = list(ORDERS)[seed % len(ORDERS)], list(FORMS)[seed % len(FORMS)]
    packets = ORDERS[lie](choose, conversations)
    return Drawn(FORMS[form](choose, packets), (*story, lie, form))


# -- conversations


def _talk(choose: Random, port: int) -> b.Talk:
    talk = b.Talk(
        client=("10.0.0.3", port),
        client_seq=_initial(choose),
        server_seq=_initial(choose),
        ident=choose.randrange(30_000),
    )
    if choose.random() < 0.05:
        return talk.c(b.SYN).s(b.RST | b.ACK)
    talk.open()
    for _ in range(choose.choice((0, 1, 2, 2, 3, 5))):
        message = choose.randbytes(choose.choice((1, 1, 5, 40, _LONGEST)))
        _say(talk.c, message)
        _say(talk.s, b.PREFIX + message)
        if choose.random() < 0.7:
            talk.c(b.ACK)
    return _end(choose, talk)


def _initial(choose: Random) -> int:
    """Return an initial sequence number, now and then one from which the numbers wrap."""
    return (choose.getrandbits(32), 2**32 - choose.randint(1, 2 * _LONGEST))[choose.random() < 0.2]


def _say(send: Callable[[int, bytes], b.Talk], text: bytes) -> None:
    parts = [text[at : at + _SEGMENT] for at in range(0, len(text), _SEGMENT)]
    for number, part in enumerate(parts, 1):
        send(b.ACK | (b.PSH if number == len(parts) else 0), part)


def _end(choose: Random, talk: b.Talk) -> b.Talk:
    fin, ack = b.FIN | b.ACK, b.ACK
    match choose.randrange(7):
        case 0:
            return talk
        case 1:
            return talk.c(b.RST | ack)
        case 2:
            return talk.s(fin).c(ack).c(fin).s(ack)
        case 3:
            return talk.c(b.PSH | fin, b"bye").s(ack).s(fin).c(ack)
        case 4:
            return talk.c(fin).s(ack).s(fin).c(ack)
        case 5:
            return talk.close().s(b.RST)
    return talk.close()


def _timed(choose: Random, talk: b.Talk, now: int = b.START) -> Packets:
    timed = []
    for packet in talk.packets:
        now += choose.randint(50_000, 30 * MILLISECOND)
        timed.append(Packet(now, b.ethernet(packet)))
    return timed


# -- what happens to a conversation's packets


def _places(choose: Random, packets: Packets) -> list[int]:
    return sorted(choose.sample(range(len(packets)), min(len(packets), choose.randint(1, 3))))


def _lost(choose: Random, packets: Packets) -> Packets:
    gone = _places(choose, packets)[: len(packets) - 1]
    return [packet for place, packet in enumerate(packets) if place not in gone]


def _doubled(choose: Random, packets: Packets) -> Packets:
    twice = _places(choose, packets)
    return [
        packet.later(late)
        for place, packet in enumerate(packets)
        for late in ((0, 5_000) if place in twice else (0,))
    ]


def _all_doubled(_: Random, packets: Packets) -> Packets:
    return [packet.later(late) for packet in packets for late in (0, 5_000)]


def _moved(choose: Random, packets: Packets) -> Packets:
    """Put packets into other places; the times stay in order, as tcpdump's are."""
    times, order = [packet.time_ns for packet in packets], list(packets)
    for place in _places(choose, packets):
        order.insert(max(place + choose.randint(-4, 4), 0), order.pop(place))
    return [replace(packet, time_ns=time) for packet, time in zip(order, times, strict=True)]


def _shuffled(choose: Random, packets: Packets) -> Packets:
    times = [packet.time_ns for packet in packets]
    order = choose.sample(packets, len(packets))
    return [replace(packet, time_ns=time) for packet, time in zip(order, times, strict=True)]


def _sent_again(choose: Random, packets: Packets) -> Packets:
    """Send packets with data once more, later: as they were, or cut in another way.

    At times the bytes are others: those that came first count (RFC 9293 section 3.10.7.4).
    """
    again = list(packets)
    for place in _places(choose, packets):
        packet = packets[place]
        if not packet.payload:
            continue
        follows = next(
            (p for p in packets[place + 1 :] if p.payload and p.from_client is packet.from_client),
            None,
        )
        if follows in again and choose.random() < 0.5:
            # What follows is lost, and comes with the packet that is sent again.
            again.remove(follows)
            packet = packet.saying(packet.payload + follows.payload)
        if choose.random() < 0.3:
            gone = choose.randrange(len(packet.payload))
            packet = packet.seq(gone).saying(packet.payload[gone:])
        if choose.random() < 0.2:
            packet = packet.saying(choose.randbytes(len(packet.payload)))
        again.append(packet.ident(30_000).later(choose.choice((200, 300, 1000)) * MILLISECOND))
    return sorted(again, key=lambda packet: packet.time_ns)


def _kept_alive(choose: Random, packets: Packets) -> Packets:
    """Add keep-alives, with an octet and without (RFC 9293 section 3.8.4), and their answers."""
    acks = [p for p in packets if p.flags == b.ACK and not p.payload]
    if not acks:
        return packets
    probe = choose.choice(acks).seq(-1).ident(30_001)
    later = packets[-1].time_ns - probe.time_ns + b.SECOND
    return [*packets, probe.later(later).saying(choose.choice((b"", b"\0")))]


def _begun_late(choose: Random, packets: Packets) -> Packets:
    return packets[choose.randrange(len(packets)) :]


def _stopped_early(choose: Random, packets: Packets) -> Packets:
    return packets[: choose.randint(1, len(packets))]


HAPPENINGS: dict[str, Callable[[Random, Packets], Packets]] = {
    "lost": _lost,
    "doubled": _doubled,
    "all doubled": _all_doubled,
    "moved": _moved,
    "shuffled": _shuffled,
    "sent again": _sent_again,
    "kept alive": _kept_alive,
    "begun late": _begun_late,
    "stopped early": _stopped_early,
}


# -- how conversations lie in the file


def _appended(_: Random, conversations: Sequence[Packets]) -> Packets:
    return [
        packet.later(number * _FAR)
        for number, packets in enumerate(conversations)
        for packet in packets
    ]


def _merged(choose: Random, conversations: Sequence[Packets]) -> Packets:
    starts = [choose.randrange(b.SECOND) for _ in conversations]
    packets = [
        packet.later(start)
        for packets, start in zip(conversations, starts, strict=True)
        for packet in packets
    ]
    return sorted(packets, key=lambda packet: packet.time_ns)


def _taken_in_turn(choose: Random, conversations: Sequence[Packets]) -> Packets:
    """Take the next packet of any conversation; times are as they were, so they jump."""
    left = [iter(packets) for packets in conversations]
    packets = []
    while left:
        one = choose.choice(left)
        packet = next(one, None)
        if packet is None:
            left.remove(one)
        else:
            packets.append(packet)
    return packets


ORDERS: dict[str, Callable[[Random, Sequence[Packets]], Packets]] = {
    "appended": _appended,
    "merged": _merged,
    "taken in turn": _taken_in_turn,
}


# -- forms of the file


def _records(packets: Packets, head: bytes, size: int | None = None) -> Iterator[b.Record]:
    """Yield records of IP packets behind another link header; ``size`` is the snap length."""
    for packet in packets:
        data = head + packet.data[IP:]
        yield b.Record(data[:size], packet.time_ns, len(data))


def _pcap(link: int, head: bytes) -> Callable[[Random, Packets], bytes]:
    def write(choose: Random, packets: Packets) -> bytes:
        order, nano = choose.choice("<>"), choose.random() < 0.5
        return b.pcap(_records(packets, head), link, order, nano)

    return write


def _snapped(choose: Random, packets: Packets) -> bytes:
    return b.pcap(_records(packets, _ETHERNET + b"\x08\0", choose.choice((54, 60, 80, 200))))


def _cut_off(choose: Random, packets: Packets) -> bytes:
    data = b.pcap(_records(packets, _ETHERNET + b"\x08\0"))
    return data[: choose.randint(max(24, len(data) - 200), len(data))]


def _fragmented(choose: Random, packets: Packets) -> bytes:
    size = choose.choice((24, 64, 256))
    records = []
    for number, packet in enumerate(packets):
        whole = packet.data[IP:]
        split = len(whole) > 20 + size and choose.random() < 0.5
        for part in b.fragments(whole, size) if split else [whole]:
            one = replace(packet, data=packet.data[:IP] + part)
            if split:
                one = one.ident(40_000 + number)
            records.append(b.Record(one.data, packet.time_ns))
    return b.pcap(records)


def _as_ipv6(choose: Random, packets: Packets) -> bytes:
    prefix = b"\xfd" + bytes(11)
    records = []
    for packet in packets:
        data = packet.data[IP:]
        head = struct.pack(">IHBB", 6 << 28, len(data) - 20, 6, 64)
        addresses = prefix + data[12:16] + prefix + data[16:20]
        records.append(
            b.Record(_ETHERNET + b"\x86\xdd" + head + addresses + data[20:], packet.time_ns)
        )
    return b.pcap(records, order=choose.choice("<>"))


def _sections(choose: Random, packets: Packets) -> bytes:
    """Write pcapng of two sections with their own byte order, clock and link layer."""
    half = choose.randint(0, len(packets))
    data = b""
    for part in (packets[:half], packets[half:]):
        order, nano, raw = choose.choice("<>"), choose.random() < 0.5, choose.random() < 0.5
        options = b.option(9, b"\x09", order) if nano else b""
        data += b.section(order) + b.interface(101 if raw else 1, options=options, order=order)
        for packet in part:
            ticks = packet.time_ns if nano else packet.time_ns // 1000
            data += b.enhanced(packet.data[IP:] if raw else packet.data, ticks, order=order)
    return data


_ETHERNET = b"\x02\0\0\0\0\x02" + b"\x02\0\0\0\0\x03"
FORMS: dict[str, Callable[[Random, Packets], bytes]] = {
    "Ethernet": _pcap(1, _ETHERNET + b"\x08\0"),
    "VLAN": _pcap(1, _ETHERNET + b"\x81\0\0\5\x08\0"),
    "two VLANs": _pcap(1, _ETHERNET + b"\x88\xa8\0\5\x81\0\0\6\x08\0"),
    "raw IP": _pcap(101, b""),
    "cooked v1": _pcap(113, b"\0\0\0\1\0\6" + bytes(8) + b"\x08\0"),
    "cooked v1, VLAN": _pcap(113, b"\0\0\0\1\0\6" + bytes(8) + b"\x81\0\0\5\x08\0"),
    "cooked v2": _pcap(276, b"\x08\0" + bytes(6) + b"\0\1\0\6" + bytes(8)),
    "cooked v2, VLAN": _pcap(276, b"\x81\0" + bytes(6) + b"\0\1\0\6" + bytes(8) + b"\0\5\x08\0"),
    "loopback": _pcap(0, b"\2\0\0\0"),
    "snapped": _snapped,
    "cut off": _cut_off,
    "fragmented": _fragmented,
    "IPv6": _as_ipv6,
    "pcapng of two sections": _sections,
}
