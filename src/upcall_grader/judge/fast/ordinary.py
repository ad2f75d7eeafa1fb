"""A connection without anything unusual: read straight from its packets.

Ordinary is: handshake; each message in one segment, and answered by exactly its upcall in one
segment before the next message; both sides' FINs, acknowledged; every segment with just the numbers
that are next. Of such a connection ``Follower`` and ``read_dialogue`` say what ``ordinary`` says,
only later.
"""

from __future__ import annotations

from upcall_grader.capture.connections import Handshake
from upcall_grader.capture.dialogue import Answer, Exchange
from upcall_grader.capture.packets import ACK, FIN, PSH, SYN
from upcall_grader.judge.connection_summary import ConnectionSummary, End

_OPENING = 3
_FEWEST, _MOST = 6, 1000
"""Packets with text that are read at most: fewer than a stream keeps (``streams.MAX_PIECES`` and
``MAX_BYTES``), so that nothing is missing."""
_DATA, _END = PSH | ACK, FIN | ACK
_NUMBERS = 1 << 32


Taken = tuple[int, int, bool, int, int, int, bytes, int, int]
"""A TCP segment, taken out of its frame as far as it has to be looked at: frame number, time in
nanoseconds, whether its sender sent the connection's first one, sequence and acknowledgement
number, flags, the frame's bytes, and where in them its payload begins and ends. (Thousands of these
are made each second; a tuple with names takes twice as long.)
"""


def ordinary(packets: list[Taken], phrase: bytes) -> list[Taken] | None:
    """What is notable of a connection: message, upcall, message, upcall and so on, then both FINs.

    ``phrase`` stands before a message in its upcall. None if anything of it is not as described
    above.
    """
    notable = _notable(packets)
    if (
        notable is None
        or len(notable) > _MOST
        or len(notable) % 2
        or not _take_turns(notable[:-2], phrase)
    ):
        return None
    first, second = notable[-2:]
    usual = _are_fins(first, second) and _acked(packets, first) and _acked(packets, second)
    return notable if usual else None


def see(number: int, ends: bytes, packets: list[Taken], notable: list[Taken]) -> ConnectionSummary:
    """An ordinary connection, as ``summarize_connection`` has it; ``notable`` is ``ordinary``'s.

    ``ends`` are the addresses and ports of the first packet: its source's and its destination's
    address, then both ports, as they stand on the wire.
    """
    first, last, (one, other) = packets[0], packets[-1], notable[-2:]
    client_fin, server_fin = (one, other) if one[2] else (other, one)
    return ConnectionSummary(
        number=number,
        client=(ends[:4], int.from_bytes(ends[8:10], "big")),
        server=(ends[4:8], int.from_bytes(ends[10:], "big")),
        first_frame=first[0],
        last_frame=last[0],
        first_time=first[1],
        last_time=last[1],
        handshake=Handshake(first[0], packets[1][0], packets[2][0]),
        client_end=End(client_fin[0], _acked(packets, client_fin)),
        server_end=End(server_fin[0], _acked(packets, server_fin)),
        resets=(),
        refused=False,
        exchanges=tuple(map(_exchange, notable[:-2:2], notable[1:-2:2])),
        strays=(),
        whole=True,
    )


def _exchange(message: Taken, upcall: Taken) -> Exchange:
    frame, _, _, _, _, _, packet, header, end = message
    upcall_frame, _, _, _, _, _, upcall_packet, upcall_header, upcall_end = upcall
    return Exchange(
        packet[header:end],
        (frame,),
        upcall_packet[upcall_header:upcall_end],
        (upcall_frame,),
        Answer.YES,
    )


def _notable(packets: list[Taken]) -> list[Taken] | None:
    """All that is more than an acknowledgement, if each has the numbers that come next."""
    if len(packets) < _FEWEST or not _is_opening(*packets[:_OPENING]):
        return None
    _, _, _, client_next, server_next, _, _, _, _ = packets[_OPENING - 1]
    notable = []
    for packet in packets[_OPENING:]:
        _, _, forward, seq, ack, flags, _, header, end = packet
        if forward:
            if seq != client_next or ack != server_next:
                return None
            # A FIN counts one (RFC 9293 section 3.4).
            client_next = (seq + end - header + (flags & FIN)) % _NUMBERS
        else:
            if seq != server_next or ack != client_next:
                return None
            server_next = (seq + end - header + (flags & FIN)) % _NUMBERS
        if flags != ACK or header != end:
            notable.append(packet)
    return notable if len(notable) >= len(("FIN", "FIN")) else None


def _is_opening(syn: Taken, syn_ack: Taken, ack: Taken) -> bool:
    """A handshake without anything else (RFC 9293 section 3.5)."""
    _, _, forward, isn, _, flags, _, header, end = syn
    _, _, back, server_isn, acked, answer, _, answer_header, answer_end = syn_ack
    _, _, again, seq, server_acked, third, _, third_header, third_end = ack
    return (
        (flags, answer, third) == (SYN, SYN | ACK, ACK)
        and (forward, back, again) == (True, False, True)
        and (header, answer_header, third_header) == (end, answer_end, third_end)
        and (isn + 1) % _NUMBERS == acked == seq
        and (server_isn + 1) % _NUMBERS == server_acked
    )


def _take_turns(talk: list[Taken], phrase: bytes) -> bool:
    """Whether each message is answered by exactly its upcall, before the next one."""
    message = b""
    for _, _, forward, _, _, flags, packet, header, end in talk:
        data = packet[header:end]
        if flags != _DATA or forward == bool(message):
            return False
        if forward:
            if not data or phrase in data:
                return False
            message = data
        elif data == phrase + message:
            message = b""
        else:
            return False
    return not message


def _are_fins(first: Taken, second: Taken) -> bool:
    """Both sides' FIN, and nothing with them."""
    _, _, forward, _, _, flags, _, header, end = first
    _, _, back, _, _, answer, _, answer_header, answer_end = second
    return (
        flags == answer == _END and forward != back and (header, answer_header) == (end, answer_end)
    )


def _acked(packets: list[Taken], fin: Taken) -> int | None:
    """The first frame of the other side behind a FIN: with the next numbers, it acknowledges it."""
    acked = None
    for packet in reversed(packets):
        if packet is fin:
            break
        if packet[2] != fin[2]:
            acked = packet[0]
    return acked
