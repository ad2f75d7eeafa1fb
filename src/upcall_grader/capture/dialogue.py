"""Messages and upcalls, read out of the two ordered byte streams of a connection.

The dialogue has no framing: an upcall is ``Upcall event: Processing `` and the message, and the
next one may follow in the same segment. So the server's stream is split where that prefix begins,
and the client's stream tells which of the possible splits is the true one (a message may itself
contain the prefix).
"""

from __future__ import annotations

import enum
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from upcall_grader.capture.connections import Connection
from upcall_grader.capture.streams import Stream

PREFIX = b"Upcall event: Processing "
_MAX_SKIPPED = 1000
"""So many messages are tried as the one that an upcall behind a gap answers."""
_MAX_SPLITS = 8
"""So many ends of one upcall are tried; a message holding the prefix more often is no lab
message."""


class Answer(enum.Enum):
    """Whether a message came back in its upcall."""

    YES = "answered"
    WRONG = "answered with other text"
    NONE = "not answered"
    UNKNOWN = "not observable: bytes are missing in the capture"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message and its upcall, each with its frames; None: not in the capture.

    ``upcall`` is the whole text, prefix included.
    """

    message: bytes | None
    message_frames: tuple[int, ...]
    upcall: bytes | None
    upcall_frames: tuple[int, ...]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Dialogue:
    """All exchanges of a connection, and bytes of the server that belong to no upcall.

    ``whole`` tells that no byte is missing between the first and the last of each side.
    """

    exchanges: tuple[Exchange, ...]
    strays: tuple[tuple[bytes, tuple[int, ...]], ...]
    whole: bool = True


@dataclass(slots=True)
class _Text:
    """The captured bytes of a stream joined; ``holes`` are the places where some are missing."""

    data: bytes = b""
    holes: list[int] = field(default_factory=list)
    boundaries: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)

    def frames_of(self, start: int, end: int) -> tuple[int, ...]:
        first = max(bisect_right(self.starts, start) - 1, 0)
        last = bisect_left(self.starts, end)
        return tuple(dict.fromkeys(self.frames[first:last]))

    def boundary_after(self, position: int) -> int:
        """Where the sender's write ended that holds the byte at ``position``."""
        index = bisect_right(self.boundaries, position)
        return self.boundaries[index] if index < len(self.boundaries) else len(self.data)

    def hole_in(self, start: int, end: int) -> int | None:
        index = bisect_left(self.holes, start)
        found = self.holes[index] if index < len(self.holes) else None
        return found if found is not None and found <= end else None


def _text(stream: Stream) -> _Text:
    text, parts, position, expected = _Text(), [], 0, 0
    for piece in stream.pieces:
        if piece.start > expected:
            text.holes.append(position)
        if piece.data:
            text.starts.append(position)
            text.frames.append(piece.frame)
            parts.append(piece.data)
            position += len(piece.data)
        if len(piece.data) < piece.length:
            text.holes.append(position)
        if piece.push:
            text.boundaries.append(position)
        expected = piece.end
    if stream.cut:
        text.holes.append(position)
    text.data = b"".join(parts)
    return text


def read_dialogue(connection: Connection) -> Dialogue:
    """Pair each message with its upcall, in order.

    The connection must be finished (``Follower.finish``).
    """
    reader = _Reader(connection)
    return reader.read()


class _Reader:
    def __init__(self, connection: Connection) -> None:
        self._client = _text(connection.client.stream)
        self._server = _text(connection.server.stream)
        self._begun = connection.handshake.syn is not None
        self._at = 0
        self._server_at = 0
        self._exchanges: list[Exchange] = []

    def read(self) -> Dialogue:
        data = self._server.data
        whole = not self._client.holes and not self._server.holes
        begins = [match.start() for match in re.finditer(re.escape(PREFIX), data)]
        stray_end = begins[0] if begins else len(data)
        strays = ((data[:stray_end], self._server.frames_of(0, stray_end)),) if stray_end else ()
        ends = [*begins[1:], len(data)]
        index = 0
        while index < len(begins):
            index += self._upcall(begins[index], ends[index : index + _MAX_SPLITS])
        self._unanswered(len(self._client.data))
        return Dialogue(tuple(self._exchanges), strays, whole)

    def _upcall(self, begin: int, ends: list[int]) -> int:
        """Pair the upcall at ``begin``; returns over how many prefixes it reaches."""
        split = self._matching_split(self._at, begin, ends)
        if split is None and self._server.hole_in(self._server_at, begin) is not None:
            split = self._skip_to_match(begin, ends)
        self._server_at = ends[split or 0]
        if split is not None:
            end = ends[split]
            length = end - begin - len(PREFIX)
            self._pair(self._at + length, begin, end, Answer.YES)
            return split + 1
        end = ends[0]
        boundary = self._client.boundary_after(self._at)
        hole = self._client.hole_in(self._at, boundary)
        if hole is not None:
            self._client.holes.remove(hole)
            self._pair(hole, begin, end, Answer.UNKNOWN)
        elif self._server.hole_in(begin, end) is not None:
            self._pair(boundary, begin, end, Answer.UNKNOWN)
        elif self._at == 0 and not self._client.data and not self._begun:
            self._pair(0, begin, end, Answer.UNKNOWN)
        elif self._sent_before(begin):
            self._pair(boundary, begin, end, Answer.WRONG)
        else:
            self._pair(self._at, begin, end, Answer.WRONG)
        return 1

    def _skip_to_match(self, begin: int, ends: list[int]) -> int | None:
        """Upcalls are missing before this one: leave out the messages they would have answered."""
        position = self._at
        for _ in range(_MAX_SKIPPED):
            position = self._client.boundary_after(position)
            if position >= len(self._client.data):
                return None
            split = self._matching_split(position, begin, ends)
            if split is not None:
                self._unanswered(position)
                return split
        return None

    def _matching_split(self, at: int, begin: int, ends: list[int]) -> int | None:
        """The split whose text the client sent; rather one at which the client's write ended."""
        matching = None
        for index, end in enumerate(ends):
            text = self._server.data[begin + len(PREFIX) : end]
            if not text or not self._client.data.startswith(text, at):
                continue
            if self._client.boundary_after(at + len(text) - 1) == at + len(text):
                return index
            matching = index if matching is None else matching
        return matching

    def _sent_before(self, begin: int) -> bool:
        if self._at >= len(self._client.data):
            return False
        message = self._client.frames_of(self._at, self._at + 1)
        upcall = self._server.frames_of(begin, begin + 1)
        return message < upcall

    def _pair(self, message_end: int, begin: int, end: int, answer: Answer) -> None:
        message = self._client.data[self._at : message_end]
        self._exchanges.append(
            Exchange(
                message=message or None,
                message_frames=self._client.frames_of(self._at, message_end) if message else (),
                upcall=self._server.data[begin:end],
                upcall_frames=self._server.frames_of(begin, end),
                answer=answer,
            )
        )
        self._at = message_end

    def _unanswered(self, until: int) -> None:
        """The client's writes up to ``until`` have no upcall in the capture."""
        client = self._client
        while self._at < until:
            end = client.boundary_after(self._at)
            known = not self._server.holes and client.hole_in(self._at, end) is None
            self._exchanges.append(
                Exchange(
                    message=client.data[self._at : end],
                    message_frames=client.frames_of(self._at, end),
                    upcall=None,
                    upcall_frames=(),
                    answer=Answer.NONE if known else Answer.UNKNOWN,
                )
            )
            self._at = end
