"""The bytes that one side sent, put in order, each with the frame that brought it.

Source: RFC 9293 sections 3.4 and 3.10.7.4 (what is old is dropped, what is early is kept).
"""

from __future__ import annotations

import enum
import heapq
from bisect import bisect_right
from typing import NamedTuple

MAX_EARLY = 1024
"""Pieces kept while an earlier one is missing; more, and the gap is taken for lost."""

MAX_PIECES = 8192
"""Pieces kept of one direction; what comes behind them is counted, not kept."""

MAX_BYTES = 2 * 1024 * 1024
"""Bytes kept of one direction, and as many while an earlier piece is missing."""


class Arrival(enum.Enum):
    """How a piece fits to those before it."""

    NEXT = enum.auto()
    OLD = enum.auto()
    BEHIND_GAP = enum.auto()
    """The first one after bytes that have not been seen."""
    EARLY = enum.auto()
    """Follows on one behind a gap."""
    LATE = enum.auto()
    """Fills a gap."""


class Piece(NamedTuple):
    """Consecutive bytes out of one frame.

    ``start`` counts from the stream's first byte, ``length`` is what was sent, ``data`` what was
    captured of it. ``push`` tells that the sender's buffer ended here (PSH, RFC 9293 section
    3.9.1.2). ``acked`` counts the bytes of the other side's stream that the sender had by then.
    """

    start: int
    length: int
    data: bytes
    frame: int
    push: bool
    acked: int = 0

    @property
    def end(self) -> int:
        """Return the offset of the first byte behind it."""
        return self.start + self.length


class Stream:
    """One direction of a connection.

    ``pieces`` are in order and do not overlap; between them may be gaps. ``cut`` tells that more
    came than is kept.
    """

    def __init__(self) -> None:
        self.next = 0
        self.cut = False
        self._highest = 0
        self._held = 0
        self._early_held = 0
        self.pieces: list[Piece] = []
        self._starts: list[int] = []
        self._early: list[tuple[int, int, Piece]] = []
        self._early_ends: dict[int, int] = {}

    def add(self, piece: Piece) -> Arrival:
        """Put a piece in its place, without the bytes that were there before."""
        if piece.end <= self.next or piece.end <= self._early_ends.get(piece.start, -1):
            return Arrival.OLD
        behind_gap = piece.start > self._highest
        self._highest = max(self._highest, piece.end)
        if piece.start > self.next:
            heapq.heappush(self._early, (piece.start, piece.frame, piece))
            self._early_ends[piece.start] = piece.end
            self._early_held += len(piece.data)
            while len(self._early) > MAX_EARLY or self._early_held > MAX_BYTES:
                self._take_early()
            return Arrival.BEHIND_GAP if behind_gap else Arrival.EARLY
        fills = bool(self._early)
        self._append(piece)
        while self._early and self._early[0][0] <= self.next:
            self._take_early()
        return Arrival.LATE if fills else Arrival.NEXT

    @property
    def empty(self) -> bool:
        """Whether nothing has come."""
        return self.next == 0 and not self._early

    def begin(self, start: int) -> None:
        """Let an empty stream begin there: bytes came behind those that follow them."""
        self.next = start

    def moved(self, by: int) -> Stream:
        """Return the same pieces, so much farther on."""
        stream = Stream()
        for piece in (*self.pieces, *(piece for _, _, piece in sorted(self._early))):
            stream.add(piece._replace(start=piece.start + by))
        return stream

    def finish(self) -> None:
        """Put what is behind gaps in its place, since nothing more will come."""
        while self._early:
            self._take_early()

    def frame_at(self, offset: int) -> int | None:
        """Return the frame that first brought the byte at ``offset``, None if there is none."""
        index = bisect_right(self._starts, offset) - 1
        if index < 0 or self.pieces[index].end <= offset:
            return None
        return self.pieces[index].frame

    def _take_early(self) -> None:
        start, _, piece = heapq.heappop(self._early)
        self._early_ends.pop(start, None)
        self._early_held -= len(piece.data)
        if piece.end > self.next:
            self._append(piece)

    def _append(self, piece: Piece) -> None:
        overlap = self.next - piece.start
        if overlap > 0:
            piece = piece._replace(
                start=self.next,
                length=piece.length - overlap,
                data=piece.data[overlap:],
            )
        self.next = piece.end
        self._held += len(piece.data)
        if len(self.pieces) >= MAX_PIECES or self._held > MAX_BYTES:
            self.cut = True
            return
        self.pieces.append(piece)
        self._starts.append(piece.start)
