"""Captures that are as much work for a reader as their size allows, in any size.

Each stands for a kind of input that once took a reader more time for each packet the more of them
there were, or that would if the reader looked at all of them again for each.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count

from tests.unit.grader import building as b

DATA = b.PSH | b.ACK
_FILE_HEADER, _RECORD_HEADER, _ETHERNET = 24, 16, 14
_LAST = 8190  # the place of a datagram's last fragment, in units of 8 bytes (RFC 791)
_WRONG = b.PREFIX + b"x"


def _filled(
    size: int, packets: Iterable[bytes], first: Iterable[bytes] = (), share: float = 1.0
) -> list[bytes]:
    """Return ``first`` and as many packets as there is room for in a ``share`` of ``size``."""
    chosen = list(first)
    room = share * size - _FILE_HEADER - sum(map(_weight, chosen))
    for packet in packets:
        room -= _weight(packet)
        if room < 0:
            break
        chosen.append(packet)
    return chosen


def _weight(packet: bytes) -> int:
    return len(packet) + _RECORD_HEADER + _ETHERNET


def _pcap(packets: Iterable[bytes]) -> bytes:
    return b.pcap(b.frames(packets))


def _client(number: int) -> b.End:
    return f"10.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}", 40_000


def _opening() -> list[bytes]:
    return b.Talk().open().packets


def _said(texts: Iterable[bytes], step: int = 0) -> Iterator[bytes]:
    """Yield the client's messages, each ``step`` bytes farther on than it would be."""
    at = 1001
    for number, text in enumerate(texts):
        yield b.tcp(b.CLIENT, b.SERVER, DATA, at, 9001, text, number)
        at += len(text) + step


def _answered(texts: Iterable[bytes], step: int = 0) -> Iterator[bytes]:
    """Yield what the server sends, and acknowledges all that it may."""
    at = 9001
    for number, text in enumerate(texts):
        yield b.tcp(b.SERVER, b.CLIENT, DATA, at, 1001 + 1_000_000, text, number)
        at += len(text) + step


def _again(*texts: bytes) -> Iterator[bytes]:
    return chain.from_iterable(texts for _ in count())


def fragments_last_first(size: int) -> bytes:
    """Return the last fragment of a datagram, then all others but one, without their data."""
    records: list[b.Record] = []
    packet = b.tcp(b.CLIENT, b.SERVER, DATA, 1001)[:20]
    while len(records) * (len(packet) + _RECORD_HEADER) < size:
        place = len(records) % _LAST
        field = 0x2000 | place - 1 if place else _LAST
        head = bytearray(packet)
        struct.pack_into(">HHH", head, 2, 28, len(records) // _LAST, field)
        records.append(b.Record(bytes(head), original=28))
    return b.pcap(records, 101)


def messages_ahead(size: int) -> bytes:
    """Return all messages, then upcalls that answer none, with bytes missing in between."""
    packets = _filled(size, _said(_again(b"m")), _opening(), share=0.5)
    return _pcap(_filled(size, _answered(_again(_WRONG), step=1), packets))


def messages_that_begin_alike(size: int) -> bytes:
    """Return messages that begin as each upcall behind them goes on, and bytes missing."""
    packets = _filled(size, _said(_again(b"x")), _opening(), share=0.5)
    wrong = b.PREFIX + b"xxxy"
    return _pcap(_filled(size, _answered(_again(wrong, b.PREFIX + b"x" * 5), step=1), packets))


def upcalls_in_one_piece(size: int) -> bytes:
    """Return messages, then segments each of which holds many wrong upcalls."""
    packets = _filled(size, _said(_again(b"m")), _opening(), share=0.5)
    return _pcap(_filled(size, _answered(_again(_WRONG * 50), step=1), packets))


def holes_in_messages(size: int) -> bytes:
    """Return messages with a byte missing in each, and upcalls to all of them."""
    half = _filled(size, _said(_again(b"m"), step=1), _opening(), share=0.4)
    return _pcap(_filled(size, _answered(_again(b.PREFIX + b"mm")), half))


def small_talks_ahead(size: int) -> bytes:
    """Return many connections, each with messages ahead of upcalls that answer none."""

    def talks() -> Iterator[bytes]:
        for number in count():
            talk = b.Talk(client=_client(number)).open()
            for _ in range(60):
                talk.c(DATA, b"m")
            for _ in range(60):
                talk.server_seq += 1
                talk.s(DATA, _WRONG)
            yield from talk.packets

    return _pcap(_filled(size, talks()))


def other_numbers(size: int) -> bytes:
    """Return a long talk, then SYN+ACKs with ever other numbers, each acknowledged."""
    packets = _filled(size, _answered(_again(b"x")), _opening()[:2], share=0.5)

    def opening_again() -> Iterator[bytes]:
        for number in count():
            other = 8000 - 2 * number
            yield b.tcp(b.SERVER, b.CLIENT, b.SYN | b.ACK, other, 1001)
            yield b.tcp(b.CLIENT, b.SERVER, b.ACK, 1000, other + 1, ident=number)

    return _pcap(_filled(size, opening_again(), packets))


def syn_flood(size: int) -> bytes:
    """Return a SYN from ever another client."""
    return _pcap(_filled(size, (b.tcp(_client(n), b.SERVER, b.SYN, n) for n in count())))


def same_ends_again(size: int) -> bytes:
    """Return SYNs from one client, each with another number."""
    return _pcap(_filled(size, (b.tcp(b.CLIENT, b.SERVER, b.SYN, n) for n in count())))


def acknowledgements(size: int) -> bytes:
    """Return one connection, and acknowledgements without end."""
    acks = (b.tcp(b.CLIENT, b.SERVER, b.ACK, 1001, 9001, ident=n & 0xFFFF) for n in count())
    return _pcap(_filled(size, acks, _opening()))


def connections(size: int) -> bytes:
    """Return whole connections, one behind the other."""

    def talks() -> Iterator[bytes]:
        for number in count():
            yield from b.Talk(client=_client(number)).open().say(b"1").close().packets

    return _pcap(_filled(size, talks()))


def open_connections(size: int) -> bytes:
    """Return connections of which none ends, and all of which go on in turn."""
    many = max(size // 400, 1)
    opened = chain.from_iterable(
        b.Talk(client=_client(number)).open().packets for number in range(many)
    )
    more = (
        b.tcp(_client(n % many), b.SERVER, DATA, 1001 + n // many, 9001, b"x", n & 0xFFFF)
        for n in count()
    )
    return _pcap(_filled(size, chain(opened, more)))


def resets(size: int) -> bytes:
    """Return one connection that is reset again and again."""
    again = (b.tcp(b.SERVER, b.CLIENT, b.RST, 9001, ident=n & 0xFFFF) for n in count())
    return _pcap(_filled(size, again, _opening()))


def pieces_last_first(size: int) -> bytes:
    """Return data of which the last byte comes first."""
    packets = _filled(size, _said(_again(b"m")), _opening())
    return _pcap(packets[:3] + packets[:2:-1])


def pieces_with_gaps(size: int) -> bytes:
    """Return every other byte of each side."""
    both = zip(_said(_again(b"m"), step=1), _answered(_again(_WRONG), step=1), strict=False)
    return _pcap(_filled(size, chain.from_iterable(both), _opening()))


def talk(size: int) -> bytes:
    """Return one connection with many exchanges, in a form that is read packet by packet."""
    packets = b.Talk().open().say(*[b"%d" % n for n in range(size // 270)]).close().packets
    return b.pcap(packets, 101)


def empty_records(size: int) -> bytes:
    """Return records without a byte, each with a time."""
    return b.pcap([b""] * ((size - _FILE_HEADER) // _RECORD_HEADER))


def interface_options(size: int) -> bytes:
    """Return a pcapng file with one interface, described in empty options."""
    return b.section() + b.interface(options=b.option(9, b"") * ((size - 64) // 4))


def packets_of_interfaces(size: int) -> bytes:
    """Return a pcapng file with many interfaces, and empty packets of the last one."""
    many = size // 2 // 20
    packet = b.enhanced(b"", 2**63, many - 1)
    return b.section() + b.interface() * many + packet * (size // 2 // len(packet))


SLOW: dict[str, Callable[[int], bytes]] = {
    one.__name__: one
    for one in (
        fragments_last_first,
        messages_ahead,
        messages_that_begin_alike,
        upcalls_in_one_piece,
        holes_in_messages,
        small_talks_ahead,
        other_numbers,
        syn_flood,
        same_ends_again,
        acknowledgements,
        connections,
        open_connections,
        resets,
        pieces_last_first,
        pieces_with_gaps,
        talk,
        empty_records,
        interface_options,
        packets_of_interfaces,
    )
}
"""What makes each kind in about so many bytes."""
