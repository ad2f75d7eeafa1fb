"""A whole exchange as the handouts show it: what a complete capture looks like in Wireshark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from upcall_grader.capture.connections import Follower
from upcall_grader.capture.dialogue import read_dialogue
from upcall_grader.capture.packets import ACK, FIN, PSH, SYN, Segment, endpoint_text
from upcall_grader.lab import UPCALL
from upcall_grader.report.drawing import Panel, panels
from upcall_grader.report.ladder import Ladder
from upcall_grader.report.phrases import Phrases

_CLIENT, _SERVER = (bytes((172, 18, 0, 3)), 53426), (bytes((172, 18, 0, 2)), UPCALL.port)
_MESSAGE = b"1"
_FROM_CLIENT, _FROM_SERVER = True, False
# Microseconds since the capture's first packet, the sender, flags and payload. The close has the
# four packets that a textbook shows; mostly the server's ACK travels with its FIN.
_PACKETS = (
    (0, _FROM_CLIENT, SYN, b""),
    (33, _FROM_SERVER, SYN | ACK, b""),
    (52, _FROM_CLIENT, ACK, b""),
    (3_120_469, _FROM_CLIENT, PSH | ACK, _MESSAGE),
    (3_120_489, _FROM_SERVER, ACK, b""),
    (3_120_633, _FROM_SERVER, PSH | ACK, UPCALL.answer + _MESSAGE),
    (3_120_647, _FROM_CLIENT, ACK, b""),
    (6_284_108, _FROM_CLIENT, FIN | ACK, b""),
    (6_284_131, _FROM_SERVER, ACK, b""),
    (6_284_544, _FROM_SERVER, FIN | ACK, b""),
    (6_284_561, _FROM_CLIENT, ACK, b""),
)


class ExamplePage(NamedTuple):
    """The diagram and its two ends."""

    panels: tuple[Panel, ...]
    client: str
    server: str


def example_page(phrases: Phrases) -> ExamplePage:
    """Return the example in one language."""
    follower = Follower(UPCALL.port)
    ladder = Ladder(start_ns=0, first=[follower.add(segment) for segment in _segments()])
    (connection,) = follower.finish()
    exchanges = read_dialogue(connection, UPCALL.answer).exchanges
    drawn = panels(ladder, exchanges, phrases, UPCALL)
    return ExamplePage(tuple(drawn), endpoint_text(*_CLIENT), endpoint_text(*_SERVER))


def _segments() -> Iterator[Segment]:
    """Yield the packets, numbered as each side counts (RFC 9293 section 3.4)."""
    sent = {_FROM_CLIENT: 0, _FROM_SERVER: 0}
    for frame, (microseconds, from_client, flags, payload) in enumerate(_PACKETS, 1):
        source, destination = (_CLIENT, _SERVER) if from_client else (_SERVER, _CLIENT)
        yield Segment(
            frame=frame,
            time_ns=microseconds * 1000,
            source=source[0],
            source_port=source[1],
            destination=destination[0],
            destination_port=destination[1],
            seq=sent[from_client],
            ack=sent[not from_client] if flags & ACK else 0,
            flags=flags,
            window=502,
            options=b"",
            payload=payload,
            length=len(payload),
            ip_id=frame,
        )
        sent[from_client] += len(payload) + bool(flags & (SYN | FIN))
