"""A whole capture, read once: its best connection, and what else has to be known of the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from upcall_grader.capture.connections import Connection, Follower
from upcall_grader.capture.dialogue import Exchange
from upcall_grader.capture.packets import Decoder, Packet, Segment, tcp_name
from upcall_grader.capture.reading import Capture, Damage
from upcall_grader.judge.prints import Prints
from upcall_grader.judge.seen import Seen, seen

MAX_EXCHANGES = 1000
"""So many exchanges of a capture are listed."""
MAX_FRAMES = 100
"""So many frames are named as evidence of one thing."""
_MAX_PROTOCOLS = 64

Merit = Callable[[Seen], tuple[int, ...]]


@dataclass(slots=True)
class Survey:
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
    best: Seen | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    exchange_count: int = 0
    prints: Prints = field(default_factory=Prints)


class Surveyor:
    """Fills a Survey from the packets of a capture."""

    def __init__(self, port: int, address: bytes | None, merit: Merit) -> None:
        self.survey = Survey()
        self._port = port
        self._address = address
        self._merit = merit
        self._best: tuple[int, ...] = ()
        self._waiting: dict[int, Seen] = {}
        self._next = 1
        self._follower = Follower(port, self._ended)

    def add(self, packet: Packet) -> None:
        """One packet; they come in the file's order."""
        survey = self.survey
        survey.packets += 1
        if packet.time_ns is not None:
            survey.last_time = packet.time_ns
        if not isinstance(packet, Segment):
            self._other(packet.protocol)
        elif not self._is_lab(packet):
            self._other(tcp_name(packet.source_port, packet.destination_port))
        else:
            survey.segments += 1
            if len(survey.lab_frames) < MAX_FRAMES:
                survey.lab_frames.append(packet.frame)
            if len(packet.payload) < packet.length and survey.cut_frame is None:
                survey.cut_frame = packet.frame
            survey.prints.add(packet)
            self._follower.add(packet)

    def finish(self) -> Survey:
        """The survey, once there are no more packets."""
        for connection in self._follower.finish():
            self._ended(connection)
        for number in sorted(self._waiting):
            self._take(self._waiting.pop(number))
        return self.survey

    def _other(self, protocol: str) -> None:
        if len(self.survey.protocols) < _MAX_PROTOCOLS:
            self.survey.protocols.add(protocol)

    def _is_lab(self, segment: Segment) -> bool:
        if self._address is None:
            return segment.on_port(self._port)
        ends = (
            (segment.source, segment.source_port),
            (segment.destination, segment.destination_port),
        )
        return (self._address, self._port) in ends

    def _ended(self, connection: Connection) -> None:
        """Connections end in any order, and are told in the order in which they began."""
        self._waiting[connection.number] = seen(connection)
        while self._next in self._waiting:
            self._take(self._waiting.pop(self._next))
            self._next += 1

    def _take(self, found: Seen) -> None:
        survey = self.survey
        survey.connections += 1
        survey.exchange_count += len(found.exchanges)
        survey.exchanges.extend(found.exchanges[: MAX_EXCHANGES - len(survey.exchanges)])
        merit = self._merit(found)
        if survey.best is None or merit > self._best:
            survey.best, self._best = found, merit


def survey(capture: Capture, port: int, address: bytes | None, merit: Merit) -> Survey:
    """Read all of ``capture``. Raises OSError if the medium fails."""
    decoder, surveyor = Decoder(), Surveyor(port, address, merit)
    for frame in capture:
        surveyor.add(decoder.decode(frame))
    found = surveyor.finish()
    found.damage = capture.damage
    return found
