"""A whole capture, read once: its best connection, and what else has to be known of the file."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Optional

from upcall_grader.capture.connections import Connection, Follower, Step
from upcall_grader.capture.dialogue import Exchange
from upcall_grader.capture.packets import Decoder, Packet, Segment, tcp_name
from upcall_grader.capture.reading import Capture, Damage
from upcall_grader.judge.connection_summary import ConnectionSummary, summarize_connection
from upcall_grader.judge.packet_fingerprints import MAX_FINGERPRINTS, PacketFingerprints
from upcall_grader.lab import Lab
from upcall_grader.pythons import SLOTS

MAX_EXCHANGES = 1000
"""So many exchanges of a capture are listed; fewer, if they are larger than the lab's."""
_USUAL_SIZE = 4096  # bytes
MAX_FRAMES = 100
"""So many frames are named as evidence of one thing."""
_MAX_PROTOCOLS = 64

Rank = Callable[[ConnectionSummary], tuple[float, int]]
"""Tells how good a connection is; of those with the highest rank the first one is judged."""
SeePacket = Callable[[Packet, Optional[Step]], None]
"""Is given each packet, and what it is in its connection; None: it is not the lab's."""
SeeConnection = Callable[[ConnectionSummary], None]
"""Is given each connection, in the order in which they end."""


@dataclass(**SLOTS)
class CaptureSummary:
    """What a capture holds.

    ``segments`` counts TCP segments on the lab's port, ``lab_frames`` are the first of them.
    ``protocols`` are the names of all else. ``cut_frame`` is the first lab segment that a snap
    length cut. ``last_time`` is the time of the last packet that has one, in nanoseconds since 1970
    UTC. ``best`` is the connection to judge.
    """

    packets: int = 0
    segments: int = 0
    lab_frames: list[int] = field(default_factory=list)
    protocols: set[str] = field(default_factory=set)
    cut_frame: int | None = None
    last_time: int | None = None
    damage: Damage | None = None
    connections: int = 0
    best: ConnectionSummary | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    exchange_count: int = 0
    fingerprints: PacketFingerprints = field(default_factory=PacketFingerprints)

    def other(self, protocol: str) -> None:
        """Take note of a packet that is none of the lab's."""
        if len(self.protocols) < _MAX_PROTOCOLS:
            self.protocols.add(protocol)


class SummaryBuilder:
    """Puts together what the connections of a capture come to; they end in any order."""

    def __init__(self, summary: CaptureSummary, lab: Lab, rank: Rank) -> None:
        self._summary = summary
        self._lab = lab
        self._rank = rank
        self._highest = (0.0, 0)
        # Exchanges are listed in the order in which their connections began; each with its number.
        self._exchanges: list[tuple[int, int, list[Exchange]]] = []
        self._kept = 0

    def take(self, connection: ConnectionSummary) -> None:
        """Take in a connection that has ended.

        It is none of the lab's if the lab's port is its client's own.
        """
        summary, best = self._summary, self._summary.best
        address, port = connection.server
        if port != self._lab.port or self._lab.address not in (None, address):
            summary.other(tcp_name(connection.client[1], port))
            return
        summary.connections += 1
        rank = self._rank(connection)
        if (
            best is None
            or rank > self._highest
            or (rank == self._highest and connection.number < best.number)
        ):
            summary.best, self._highest = connection, rank
        if connection.exchanges:
            summary.exchange_count += len(connection.exchanges)
            self._keep(connection.number, connection.exchanges)

    def finish(self) -> None:
        """List the exchanges, once there are no more connections."""
        exchanges = (one for _, _, some in self._exchanges for one in some)
        self._summary.exchanges, _ = _listed(exchanges)

    def _keep(self, number: int, exchanges: tuple[Exchange, ...]) -> None:
        """Keep only what may be listed: a capture may hold any number of connections."""
        kept = self._exchanges
        if self._kept >= MAX_EXCHANGES and number > kept[-1][0]:
            return
        some, weight = _listed(exchanges)
        bisect.insort(kept, (number, weight, some))
        self._kept += weight
        while self._kept - kept[-1][1] >= MAX_EXCHANGES:
            self._kept -= kept.pop()[1]


def _listed(exchanges: Iterable[Exchange]) -> tuple[list[Exchange], int]:
    """Return the first exchanges that are listed, and for how many of usual size they count."""
    some: list[Exchange] = []
    weight = 0
    for one in exchanges:
        if weight >= MAX_EXCHANGES:
            break
        some.append(one)
        weight += 1 + len(one.upcall or one.message or b"") // _USUAL_SIZE
    return some, weight


class CaptureSummarizer:
    """Fills a CaptureSummary from the packets of a capture."""

    def __init__(
        self,
        lab: Lab,
        rank: Rank,
        see_packet: SeePacket | None = None,
        see_connection: SeeConnection | None = None,
    ) -> None:
        self.summary = CaptureSummary()
        self._lab = lab
        self._see_packet = see_packet
        self._see_connection = see_connection
        self._builder = SummaryBuilder(self.summary, lab, rank)
        self._follower = Follower(lab.port, self._ended)

    def add(self, packet: Packet) -> None:
        """Take in a packet; they come in the file's order."""
        step = self._add(packet)
        if self._see_packet is not None:
            self._see_packet(packet, step)

    def _add(self, packet: Packet) -> Step | None:
        summary = self.summary
        summary.packets += 1
        if packet.time_ns is not None:
            summary.last_time = packet.time_ns
        if not isinstance(packet, Segment):
            summary.other(packet.protocol)
        elif not is_lab(packet, self._lab):
            summary.other(tcp_name(packet.source_port, packet.destination_port))
        else:
            summary.segments += 1
            if len(summary.lab_frames) < MAX_FRAMES:
                summary.lab_frames.append(packet.frame)
            if len(packet.payload) < packet.length and summary.cut_frame is None:
                summary.cut_frame = packet.frame
            summary.fingerprints.add(
                packet.seq, packet.ack, packet.flags, packet.length, packet.frame
            )
            return self._follower.add(packet)
        return None

    def finish(self) -> CaptureSummary:
        """Return the summary, once there are no more packets."""
        for connection in self._follower.finish():
            self._ended(connection)
        self._builder.finish()
        return self.summary

    def _ended(self, connection: Connection) -> None:
        summary = summarize_connection(connection, self._lab.answer)
        self._builder.take(summary)
        if self._see_connection is not None:
            self._see_connection(summary)


def is_lab(segment: Segment, lab: Lab) -> bool:
    """Return whether a segment is of the lab's port, at its address if it has one."""
    if lab.address is None:
        return segment.on_port(lab.port)
    ends = (
        (segment.source, segment.source_port),
        (segment.destination, segment.destination_port),
    )
    return (lab.address, lab.port) in ends


def fingerprints_of(capture: Capture, lab: Lab, frames: Collection[int]) -> dict[int, int]:
    """Return the fingerprints of these frames of a capture, at most ``MAX_FINGERPRINTS``."""
    chosen = frozenset(sorted(frames)[:MAX_FINGERPRINTS])
    fingerprints, decoder, last = PacketFingerprints(), Decoder(), max(chosen, default=0)
    for frame in capture:
        if frame.number > last:
            break
        packet = decoder.decode(frame)
        if frame.number in chosen and isinstance(packet, Segment) and is_lab(packet, lab):
            fingerprints.add(packet.seq, packet.ack, packet.flags, packet.length, packet.frame)
    return fingerprints.frames


def summarize_capture(
    capture: Capture,
    lab: Lab,
    rank: Rank,
    see_packet: SeePacket | None = None,
    see_connection: SeeConnection | None = None,
) -> CaptureSummary:
    """Read all of ``capture``. Raises OSError if the medium fails."""
    decoder = Decoder()
    summarizer = CaptureSummarizer(lab, rank, see_packet, see_connection)
    for frame in capture:
        summarizer.add(decoder.decode(frame))
    summary = summarizer.finish()
    summary.damage = capture.damage
    return summary
