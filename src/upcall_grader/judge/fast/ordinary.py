"""A connection without anything unusual: read straight from its segments.

Ordinary is: handshake; each message in one segment, and answered by exactly its upcall in one
segment before the next message; both sides' FINs, acknowledged; every segment with just the numbers
that are next. Of such a connection ``Follower`` and ``read_dialogue`` give the same, only later.
"""

from __future__ import annotations

from typing import NamedTuple

from upcall_grader.capture.connections import Handshake
from upcall_grader.capture.dialogue import Answer, Exchange
from upcall_grader.capture.packets import ACK, FIN, PSH, SYN
from upcall_grader.judge.connection_summary import ConnectionSummary, End
from upcall_grader.judge.fast.raw_segment import RawSegment

_OPENING = 3
_FEWEST, _MOST = 6, 1000
"""Segments with text that are read at most: fewer than a stream keeps (``streams.MAX_PIECES`` and
``MAX_BYTES``), so that nothing is missing."""
_NUMBERS = 1 << 32


class Talk(NamedTuple):
    """What is notable of an ordinary connection; messages and their upcalls take turns."""

    texts: list[RawSegment]
    client_fin: RawSegment
    server_fin: RawSegment


def read_ordinary(segments: list[RawSegment], phrase: bytes) -> Talk | None:
    """Return what an ordinary connection holds, None if it is not ordinary.

    ``phrase`` stands before a message in its upcall.
    """
    notable = _notable(segments)
    if notable is None or len(notable) > _MOST:
        return None
    texts, (first, second) = notable[:-2], notable[-2:]
    usual = (
        _take_turns(texts, phrase)
        and _are_fins(first, second)
        and _acked(segments, first)
        and _acked(segments, second)
    )
    if not usual:
        return None
    return Talk(texts, first, second) if first.forward else Talk(texts, second, first)


def summarize_ordinary(
    number: int, ends: bytes, segments: list[RawSegment], talk: Talk
) -> ConnectionSummary:
    """Return what ``summarize_connection`` gives; ``talk`` is what ``read_ordinary`` found.

    ``ends`` are the addresses and ports of the first segment: its source's and its destination's
    address, then both ports, as they stand on the wire.
    """
    syn, syn_ack, ack = segments[:_OPENING]
    last = segments[-1]
    return ConnectionSummary(
        number=number,
        client=(ends[:4], int.from_bytes(ends[8:10], "big")),
        server=(ends[4:8], int.from_bytes(ends[10:], "big")),
        first_frame=syn.frame,
        last_frame=last.frame,
        first_time=syn.time_ns,
        last_time=last.time_ns,
        handshake=Handshake(syn.frame, syn_ack.frame, ack.frame),
        client_end=End(talk.client_fin.frame, _acked(segments, talk.client_fin)),
        server_end=End(talk.server_fin.frame, _acked(segments, talk.server_fin)),
        resets=(),
        refused=False,
        exchanges=tuple(map(_exchange, talk.texts[::2], talk.texts[1::2])),
        strays=(),
        whole=True,
        last_options=last.options,
    )


def _exchange(message: RawSegment, upcall: RawSegment) -> Exchange:
    return Exchange(message.payload, (message.frame,), upcall.payload, (upcall.frame,), Answer.YES)


def _notable(segments: list[RawSegment]) -> list[RawSegment] | None:
    """Return all that is more than an acknowledgement, if each has the numbers that come next."""
    if len(segments) < _FEWEST or not _is_opening(*segments[:_OPENING]):
        return None
    opened = segments[_OPENING - 1]
    client_next, server_next = opened.seq, opened.ack
    notable = []
    for segment in segments[_OPENING:]:
        # A FIN counts one (RFC 9293 section 3.4).
        behind = (segment.seq + segment.length + (segment.flags & FIN)) % _NUMBERS
        if segment.forward:
            if segment.seq != client_next or segment.ack != server_next:
                return None
            client_next = behind
        else:
            if segment.seq != server_next or segment.ack != client_next:
                return None
            server_next = behind
        if segment.flags != ACK or segment.length:
            notable.append(segment)
    return notable if len(notable) >= len(("FIN", "FIN")) else None


def _is_opening(syn: RawSegment, syn_ack: RawSegment, ack: RawSegment) -> bool:
    """Return whether it is a handshake without anything else (RFC 9293 section 3.5)."""
    return (
        (syn.flags, syn_ack.flags, ack.flags) == (SYN, SYN | ACK, ACK)
        and (syn.forward, syn_ack.forward, ack.forward) == (True, False, True)
        and not (syn.length or syn_ack.length or ack.length)
        and (syn.seq + 1) % _NUMBERS == syn_ack.ack == ack.seq
        and (syn_ack.seq + 1) % _NUMBERS == ack.ack
    )


def _take_turns(texts: list[RawSegment], phrase: bytes) -> bool:
    """Return whether each message is answered by exactly its upcall, before the next one."""
    message = b""
    for segment in texts:
        text = segment.payload
        if segment.flags != PSH | ACK or segment.forward == bool(message):
            return False
        if segment.forward:
            if not text or phrase in text:
                return False
            message = text
        elif text == phrase + message:
            message = b""
        else:
            return False
    return not message


def _are_fins(first: RawSegment, second: RawSegment) -> bool:
    """Return whether these are both sides' FINs, and nothing with them."""
    return (
        first.flags == second.flags == FIN | ACK
        and first.forward != second.forward
        and not (first.length or second.length)
    )


def _acked(segments: list[RawSegment], fin: RawSegment) -> int | None:
    """Return the other side's first frame behind a FIN: with its number, it acknowledges it."""
    acked = None
    for segment in reversed(segments):
        if segment is fin:
            break
        if segment.forward != fin.forward:
            acked = segment.frame
    return acked
