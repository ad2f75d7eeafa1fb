"""Packets of the handshake and the close that the capture misses, for the diagram."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from upcall_grader.capture.connections import Mark
from upcall_grader.capture.packets import ACK, FIN, SYN
from upcall_grader.report.ladder import Ladder

HANDSHAKES = ("handshake-before", "handshake-lost")
CLOSES = ("close-unseen", "close-part")
"""Codes of the judge's remarks: packets were sent that the capture misses."""
_CLIENT, _SERVER = True, False


class MissingPacket(NamedTuple):
    """A packet that must have been sent: by whom, with which flags.

    ``code`` is that of the phrase that names it; ``side`` fills it in: whose FIN it is or
    acknowledges.
    """

    from_client: bool
    flags: int
    code: str
    side: str = ""


class MissingPart(NamedTuple):
    """Missing packets of one phase; ``code`` is the judge's, which says why they are missing."""

    code: str
    packets: tuple[MissingPacket, ...]

    @property
    def first_is_missing(self) -> bool:
        """Whether the connection's first packet is missing, the SYN."""
        return self.packets[0].code == "step.syn"


_HANDSHAKE = (
    (Mark.SYN, MissingPacket(_CLIENT, SYN, "step.syn")),
    (Mark.SYN_ACK, MissingPacket(_SERVER, SYN | ACK, "step.syn-ack")),
    (Mark.HANDSHAKE_ACK, MissingPacket(_CLIENT, ACK, "step.ack")),
)


def missing_handshake(ladder: Ladder, codes: Collection[str]) -> MissingPart | None:
    """Return what the judge, by the ``codes`` of its remarks, could not see of the handshake."""
    there = _marks(ladder, _CLIENT) | _marks(ladder, _SERVER)
    return _part(HANDSHAKES, codes, [packet for mark, packet in _HANDSHAKE if mark not in there])


def missing_close(ladder: Ladder, codes: Collection[str]) -> MissingPart | None:
    """Return the same of the close (RFC 9293 section 3.6)."""
    if ladder.left_out and "close-part" in codes:
        return None  # What seems to be missing may be among the packets that are not drawn.
    client, server = _marks(ladder, _CLIENT), _marks(ladder, _SERVER)
    packets = []
    if Mark.FIN not in client:
        packets.append(MissingPacket(_CLIENT, FIN | ACK, "step.fin", "client"))
    if Mark.FIN not in server:
        code = "step.fin" if Mark.ACKS_FIN in server else "step.fin-and-ack"
        packets.append(MissingPacket(_SERVER, FIN | ACK, code, "server"))
    elif Mark.ACKS_FIN not in server:
        packets.append(MissingPacket(_SERVER, ACK, "step.fin-acked", "client"))
    if Mark.ACKS_FIN not in client:
        packets.append(MissingPacket(_CLIENT, ACK, "step.fin-acked", "server"))
    return _part(CLOSES, codes, packets)


def _part(
    known: Collection[str], codes: Collection[str], packets: list[MissingPacket]
) -> MissingPart | None:
    code = next((code for code in known if code in codes), "")
    return MissingPart(code, tuple(packets)) if code and packets else None


def _marks(ladder: Ladder, from_client: bool) -> Mark:
    """Return all that one side's drawn packets are."""
    marks = Mark.NONE
    for step in (*ladder.first, *ladder.last):
        if step.from_client is from_client:
            marks |= step.marks
    return marks
