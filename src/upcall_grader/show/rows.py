"""The packets of a capture as plain rows: what the table shows of each, and nothing else of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from upcall_grader.capture.connections import Connection, Mark, Step
from upcall_grader.capture.packets import Other, Packet, Segment, endpoint_text, tcp_name
from upcall_grader.capture.phases import Phase, Phases
from upcall_grader.judge.connection_summary import ConnectionSummary


class Ends(NamedTuple):
    """A connection's number and both its ends, as text."""

    number: int
    client: str
    server: str


class LabStep(NamedTuple):
    """What a ``Step`` is, without its segment and the connection's state."""

    ends: Ends
    from_client: bool
    relative_seq: int
    relative_ack: int | None
    flags: int
    length: int
    marks: Mark
    repeats: int | None


Label = tuple[str, bytes, str]
"""An exchange that a packet has part in: message or upcall, its text, part ("2/3" or "")."""


@dataclass(slots=True)
class Row:
    """One packet: either a step of a lab connection or something else.

    ``phase`` groups rows in the margin: the connection's number, and which of its phases it is.
    """

    number: int
    time_ns: int | None
    step: LabStep | None
    other: Other | None
    labels: list[Label] = field(default_factory=list)
    phase: tuple[int, Phase] | None = None


class Rows:
    """Collects the rows of a capture; those of a connection get labels and phases as it ends."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._open: dict[int, tuple[Ends, list[Row]]] = {}
        self._ended: list[ConnectionSummary] = []

    def see(self, packet: Packet, step: Step | None) -> None:
        """Take the next packet, and what it is in its connection."""
        row = Row(packet.frame, packet.time_ns, None, _other(packet, step))
        self.rows.append(row)
        if step is not None:
            ends, rows = self._of(step.connection)
            rows.append(row)
            row.step = LabStep(
                ends,
                step.from_client,
                step.relative_seq,
                step.relative_ack,
                step.segment.flags,
                step.segment.length,
                step.marks,
                step.repeats,
            )
        self._label_ended()

    def end(self, summary: ConnectionSummary) -> None:
        """Take a connection that has ended, perhaps with a packet that is seen next."""
        self._ended.append(summary)

    def finish(self) -> list[Row]:
        """Return all rows, once there are no more packets."""
        self._label_ended()
        return self.rows

    def _of(self, connection: Connection) -> tuple[Ends, list[Row]]:
        if connection.number not in self._open:
            ends = Ends(connection.number, str(connection.client), str(connection.server))
            self._open[connection.number] = ends, []
        return self._open[connection.number]

    def _label_ended(self) -> None:
        for summary in self._ended:
            _, rows = self._open.pop(summary.number)
            for exchange in summary.exchanges:
                self._label("message", exchange.message, exchange.message_frames)
                self._label("upcall", exchange.upcall, exchange.upcall_frames)
            for data, frames in summary.strays:
                self._label("other data", data, frames)
            _set_phases(rows, summary)
        self._ended.clear()

    def _label(self, kind: str, text: bytes | None, frames: tuple[int, ...]) -> None:
        for index, frame in enumerate(frames, 1):
            part = f"{index}/{len(frames)}" if len(frames) > 1 else ""
            self.rows[frame - 1].labels.append((kind, text or b"", part))


def _set_phases(rows: Iterable[Row], summary: ConnectionSummary) -> None:
    phases = Phases(summary.exchanges)
    for row in rows:
        if row.step is not None:
            phase = phases.of(row.number, row.step.marks, row.step.repeats)
            row.phase = summary.number, phase


def _other(packet: Packet, step: Step | None) -> Other | None:
    """Return what a packet is that is none of the lab's."""
    if isinstance(packet, Other):
        return packet
    return None if step is not None else _foreign(packet)


def _foreign(segment: Segment) -> Other:
    return Other(
        segment.frame,
        segment.time_ns,
        tcp_name(segment.source_port, segment.destination_port),
        endpoint_text(segment.source, segment.source_port),
        endpoint_text(segment.destination, segment.destination_port),
    )
