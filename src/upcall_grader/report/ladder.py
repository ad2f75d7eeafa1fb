"""The judged connection, read once more from its file: its first and its last steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from upcall_grader.capture.connections import Follower, Mark, Step
from upcall_grader.capture.packets import Decoder, Segment
from upcall_grader.capture.reading import Capture, CaptureError, open_capture
from upcall_grader.judge.results import Conversation

FIRST_STEPS = 40
LAST_STEPS = 24
# The first segments behind the fold follow on nothing that was read; these many are followed and
# not drawn, so that those which are drawn have something before them.
_RUN_UP = 32
# Fragments of a datagram come close together: the first segment may have begun so many frames
# before.
_FRAGMENTS = 64


@dataclass
class Ladder:
    """The steps to draw: ``first``, then ``left_out`` packets that are not drawn, then ``last``.

    ``start_ns`` is the time of the file's first frame, from which Wireshark counts.
    ``seen_twice`` tells that packets were met on two interfaces; they are drawn once.
    """

    start_ns: int | None = None
    first: list[Step] = field(default_factory=list)
    last: list[Step] = field(default_factory=list)
    left_out: int = 0
    seen_twice: bool = False


@dataclass
class _Kept:
    """The first and the last segments of a connection, and how many there were."""

    first: list[Segment] = field(default_factory=list)
    last: deque[Segment] = field(default_factory=lambda: deque(maxlen=LAST_STEPS + _RUN_UP))
    count: int = 0
    start_ns: int | None = None

    def add(self, segment: Segment) -> None:
        self.count += 1
        if len(self.first) < FIRST_STEPS:
            self.first.append(segment)
        else:
            self.last.append(segment)


def read_ladder(path: Path, conversation: Conversation) -> Ladder | None:
    """Return the steps of ``conversation`` in ``path``, read no further than its last frame.

    None where the file no longer holds what was judged: gone, changed, or damaged since.
    """
    kept = _Kept()
    try:
        if path.is_symlink() or not path.is_file():
            return None
        stream, capture = open_capture(path)
        with stream:
            for segment in _segments(capture, conversation, kept):
                kept.add(segment)
    except (CaptureError, OSError, ValueError):
        return None
    segments = [*kept.first, *kept.last]
    if not segments or segments[0].frame != conversation.first_frame:
        return None
    if segments[-1].frame != conversation.last_frame:
        return None
    return _followed(segments, kept, conversation.server[1])


def _segments(capture: Capture, conversation: Conversation, kept: _Kept) -> Iterator[Segment]:
    ends = {conversation.client, conversation.server}
    decoder = Decoder()
    for frame in capture:
        if kept.start_ns is None:
            kept.start_ns = frame.time_ns
        if frame.number > conversation.last_frame:
            return
        if frame.number < conversation.first_frame - _FRAGMENTS:
            continue
        packet = decoder.decode(frame)
        if not isinstance(packet, Segment) or packet.frame < conversation.first_frame:
            continue
        sender = (packet.source, packet.source_port)
        receiver = (packet.destination, packet.destination_port)
        if {sender, receiver} == ends:
            yield packet
        if frame.number == conversation.last_frame:
            return


def _followed(segments: list[Segment], kept: _Kept, port: int) -> Ladder:
    follower = Follower(port)
    steps = [follower.add(segment) for segment in segments]
    once = [step for step in steps if Mark.SEEN_TWICE not in step.marks]
    ladder = Ladder(kept.start_ns, seen_twice=len(once) < len(steps))
    unread = kept.count - len(segments)
    if not unread and len(once) <= FIRST_STEPS + LAST_STEPS:
        ladder.first = once
        return ladder
    ladder.last = once[-LAST_STEPS:]
    end = kept.first[-1].frame
    ladder.first = [step for step in once[:-LAST_STEPS] if step.segment.frame <= end]
    ladder.left_out = unread + len(once) - len(ladder.first) - len(ladder.last)
    return ladder
