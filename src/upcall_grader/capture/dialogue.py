"""Messages and upcalls, read out of the two ordered byte streams of a connection.

The dialogue has no framing: an upcall is a phrase (``Lab.answer``) and the message, and the next
one may follow in the same segment. So the server's stream is split where that phrase begins,
and the client's stream tells which of the possible splits is the true one (a message may itself
contain the phrase).
"""

from __future__ import annotations

import enum
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

from upcall_grader.capture.connections import Connection, Side
from upcall_grader.pythons import SLOTS

_MAX_LOST = 1000
"""So many messages are tried as the one that an upcall behind a gap answers."""
_MAX_UNANSWERED = 8
"""The same where no byte of the server is missing: it left out so many in a row at most."""
_TRIES = 16
"""So many tries behind gaps there are for each message and each upcall of a connection. Then it
counts as one where nothing is missing, so that the work grows with the connection, not faster."""
_MAX_SPLITS = 8
"""So many ends of one upcall are tried; a message holding the phrase more often is no lab
message."""


class Answer(enum.Enum):
    """Whether a message came back in its upcall."""

    YES = "answered"
    WRONG = "answered with other text"
    NONE = "not answered"
    UNKNOWN = "not observable: bytes are missing in the capture"


class Exchange(NamedTuple):
    """A message and its upcall, each with its frames; None: not in the capture.

    ``upcall`` is the whole text, phrase included.
    """

    message: bytes | None
    message_frames: tuple[int, ...]
    upcall: bytes | None
    upcall_frames: tuple[int, ...]
    answer: Answer


class Dialogue(NamedTuple):
    """All exchanges of a connection, and bytes of the server that belong to no upcall.

    ``whole`` tells that no byte is missing between the first and the last of each side.
    """

    exchanges: tuple[Exchange, ...]
    strays: tuple[tuple[bytes, tuple[int, ...]], ...]
    whole: bool = True


@dataclass(**SLOTS)
class _Text:
    """The captured bytes of a stream joined.

    ``holes`` are the places where some are missing, in order; ``missing`` tells how many there.
    """

    data: bytes = b""
    holes: list[int] = field(default_factory=list)
    missing: dict[int, int] = field(default_factory=dict)
    boundaries: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    acked: list[int] = field(default_factory=list)

    def lacks(self, position: int, count: int) -> None:
        if position not in self.missing:
            self.holes.append(position)
        self.missing[position] = self.missing.get(position, 0) + count

    def frames_of(self, start: int, end: int) -> tuple[int, ...]:
        first = max(bisect_right(self.starts, start) - 1, 0)
        last = bisect_left(self.starts, end)
        return tuple(dict.fromkeys(self.frames[first:last]))

    def frame_at(self, position: int) -> int:
        """Return the frame that holds the byte at ``position``."""
        return self.frames[bisect_right(self.starts, position) - 1]

    def offset_of(self, position: int) -> int:
        """Return the place in the stream, with what is missing, of the byte at ``position``."""
        index = bisect_right(self.starts, position) - 1
        return self.offsets[index] + position - self.starts[index]

    def acked_at(self, position: int) -> int:
        """Return how much of the other stream the sender had when it sent that byte."""
        return self.acked[bisect_right(self.starts, position) - 1]

    def boundary_after(self, position: int) -> int:
        """Return where the sender's write ended that holds the byte at ``position``."""
        index = bisect_right(self.boundaries, position)
        return self.boundaries[index] if index < len(self.boundaries) else len(self.data)

    def hole_in(self, start: int, end: int) -> int | None:
        index = bisect_left(self.holes, start)
        hole = self.holes[index] if index < len(self.holes) else None
        return hole if hole is not None and hole <= end else None


def _text(side: Side) -> _Text:
    text, parts, position, expected = _Text(), [], 0, 0
    for piece in side.stream.pieces:
        if piece.start > expected:
            text.lacks(position, piece.start - expected)
        if piece.data:
            text.starts.append(position)
            text.frames.append(piece.frame)
            text.offsets.append(piece.start)
            text.acked.append(piece.acked)
            parts.append(piece.data)
            position += len(piece.data)
        if len(piece.data) < piece.length:
            text.lacks(position, piece.length - len(piece.data))
        if piece.push:
            text.boundaries.append(position)
        expected = piece.end
    if side.stream.cut or side.sent > expected:
        text.lacks(position, max(side.sent - expected, 1))
    text.data = b"".join(parts)
    return text


def read_dialogue(connection: Connection, phrase: bytes) -> Dialogue:
    """Pair each message with its upcall, in order; ``phrase`` stands before it there.

    The connection must be finished (``Follower.finish``).
    """
    reader = _Reader(connection, phrase)
    return reader.read()


class _Reader:
    def __init__(self, connection: Connection, phrase: bytes) -> None:
        self._phrase = phrase
        self._client = _text(connection.client)
        self._server = _text(connection.server)
        self._begun = connection.handshake.syn is not None
        self._tries = 0
        self._at = 0
        self._server_at = 0
        self._exchanges: list[Exchange] = []
        self._strays: list[tuple[bytes, tuple[int, ...]]] = []

    def read(self) -> Dialogue:
        data = self._server.data
        whole = not self._client.holes and not self._server.holes
        begins = [match.start() for match in re.finditer(re.escape(self._phrase), data)]
        stray_end = begins[0] if begins else len(data)
        self._stray(0, stray_end)
        ends = [*begins[1:], len(data)]
        self._tries = _TRIES * (len(self._client.boundaries) + len(begins))
        index = 0
        while index < len(begins):
            index += self._upcall(begins[index], ends[index : index + _MAX_SPLITS])
        self._unanswered(len(self._client.data))
        return Dialogue(tuple(self._exchanges), tuple(self._strays), whole)

    def _upcall(self, begin: int, ends: list[int]) -> int:
        """Pair the upcall at ``begin``, and return over how many phrases it reaches."""
        own_end = self._server.boundary_after(begin)
        if own_end < ends[0] and self._answers_one(begin, own_end):
            # What the server sent by itself behind a complete upcall is not part of it.
            self._pair(self._at + own_end - begin - len(self._phrase), begin, own_end, Answer.YES)
            self._stray(own_end, ends[0])
            self._server_at = ends[0]
            return 1
        texts = [self._server.data[begin + len(self._phrase) : end] for end in ends]
        split = self._matching_split(self._at, begin, texts)
        if split is None:
            lost = self._server.hole_in(self._server_at, begin) is not None
            split = self._skip_to_match(begin, texts, _MAX_LOST if lost else _MAX_UNANSWERED)
        self._server_at = ends[split or 0]
        if split is not None:
            end = ends[split]
            length = end - begin - len(self._phrase)
            self._pair(self._at + length, begin, end, Answer.YES)
            return split + 1
        end = ends[0]
        boundary = self._client.boundary_after(self._at)
        hole = self._client.hole_in(self._at, boundary)
        if self._at == 0 and not self._begun and not self._sent_before(begin, self._at):
            self._pair(0, begin, end, Answer.UNKNOWN)
        elif hole is not None:
            self._pair(self._beyond(hole, begin, end), begin, end, Answer.UNKNOWN)
        elif self._server.hole_in(begin, end) is not None:
            self._pair(boundary, begin, end, Answer.UNKNOWN)
        elif self._sent_before(begin, self._at):
            self._pair(boundary, begin, end, Answer.WRONG)
        else:
            self._pair(self._at, begin, end, Answer.WRONG)
        return 1

    def _skip_to_match(self, begin: int, texts: list[bytes], most: int) -> int | None:
        """Leave out the messages whose upcalls are missing before this one."""
        position = self._at
        for _ in range(min(most, max(self._tries, _MAX_UNANSWERED))):
            self._tries -= 1
            position = self._client.boundary_after(position)
            if not self._sent_before(begin, position):
                return None
            split = self._matching_split(position, begin, texts)
            if split is not None:
                self._unanswered(position)
                return split
        return None

    def _beyond(self, hole: int, begin: int, end: int) -> int:
        """Return where the message ends that the upcall answers and of which bytes are missing."""
        client = self._client
        if self._server.hole_in(begin + 1, end) is not None:
            return hole
        behind = self._at + end - begin - len(self._phrase) - hole - client.missing[hole]
        if behind < 0:
            # The rest of the hole are other messages.
            client.missing[hole] = -behind
            return hole
        del client.holes[bisect_left(client.holes, hole)]
        return min(hole + behind, len(client.data))

    def _answers_one(self, begin: int, end: int) -> bool:
        """Return whether the text up to ``end`` is what the client sent in whole writes."""
        text = self._server.data[begin + len(self._phrase) : end]
        message_end = self._at + len(text)
        return (
            bool(text)
            and self._client.data.startswith(text, self._at)
            and self._client.boundary_after(message_end - 1) == message_end
        )

    def _stray(self, start: int, end: int) -> None:
        if start < end:
            data = self._server.data[start:end]
            self._strays.append((data, self._server.frames_of(start, end)))

    def _matching_split(self, at: int, begin: int, texts: list[bytes]) -> int | None:
        """Return the split whose text the client sent, if possible where its write ended.

        Each of ``texts`` begins with the one before it.
        """
        matching = None
        for index, text in enumerate(texts):
            if not self._client.data.startswith(text, at):
                break
            if not text:
                continue
            if self._client.boundary_after(at + len(text) - 1) == at + len(text):
                return index
            # Where bytes are missing the text may have gone on: then it is no match.
            end = begin + len(self._phrase) + len(text)
            if matching is None and self._server.hole_in(begin + 1, end) is None:
                matching = index
        return matching

    def _sent_before(self, begin: int, at: int) -> bool:
        """Return whether the client's byte at ``at`` was seen before the upcall at ``begin``."""
        client = self._client
        return at < len(client.data) and client.frame_at(at) < self._server.frame_at(begin)

    def _had(self, message_end: int, begin: int) -> bool:
        """Return whether the server had a whole message when it sent the upcall at ``begin``.

        If the message stands behind it in the file, the upcall has to acknowledge the message.
        """
        last = message_end - 1
        acked, offset = self._server.acked_at(begin), self._client.offset_of(last)
        return self._sent_before(begin, last) or acked > offset

    def _pair(self, message_end: int, begin: int, end: int, answer: Answer) -> None:
        if answer is Answer.YES and not self._had(message_end, begin):
            answer = Answer.UNKNOWN
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
        """Note that the client's writes up to ``until`` have no upcall in the capture."""
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
