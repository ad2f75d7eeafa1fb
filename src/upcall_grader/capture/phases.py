"""Which phase of its connection each step belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from upcall_grader.capture.connections import Mark
from upcall_grader.capture.dialogue import Exchange


class Phase(NamedTuple):
    """A part of a connection: handshake, exchange, close, reset, or data of no exchange.

    ``number`` is that of the exchange, from 1.
    """

    kind: str
    number: int = 0


_DATA = Phase("data")
_BY_MARKS = (
    (Mark.SYN | Mark.SYN_ACK | Mark.HANDSHAKE_ACK, Phase("handshake")),
    (Mark.RESET, Phase("reset")),
    (Mark.FIN | Mark.ACKS_FIN, Phase("close")),
    (Mark.DATA, _DATA),
)


class Phases:
    """Tells the phase of one connection's steps, given one after the other."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self._of_frame: dict[int, Phase] = {}
        for number, exchange in enumerate(exchanges, 1):
            for frame in (*exchange.message_frames, *exchange.upcall_frames):
                # A segment with the end of one message and the beginning of the next has the first.
                self._of_frame.setdefault(frame, Phase("exchange", number))
        self._current = _DATA

    def of(self, frame: int, marks: Mark, repeats: int | None) -> Phase:
        """Return the phase of the next step, which is told by its frame, marks and repeated frame.

        It is that of what the step repeats, carries or does, or else of the step before.
        """
        phase = self._of_frame.get(repeats or frame) or self._of_frame.get(frame)
        phase = phase or _by_marks(marks) or self._current
        self._of_frame.setdefault(frame, phase)
        self._current = phase
        return phase


def _by_marks(marks: Mark) -> Phase | None:
    return next((phase for some, phase in _BY_MARKS if marks & some), None)
