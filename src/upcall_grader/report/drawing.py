"""Steps of a connection as panels of a ladder diagram: what to draw, where, and in which words.

Time runs downwards, the client stands left, the server right. A panel is one phase of the
connection. Heights are CSS pixels; across, the templates draw in percent, so that a diagram fits
any page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from upcall_grader.capture.connections import Mark, Step
from upcall_grader.capture.dialogue import Exchange
from upcall_grader.capture.packets import FIN, RST, SYN, flags_text
from upcall_grader.capture.phases import Phase, Phases
from upcall_grader.lab import Lab
from upcall_grader.report.ladder import Ladder
from upcall_grader.report.missing import (
    MissingPacket,
    MissingPart,
    missing_close,
    missing_handshake,
)
from upcall_grader.report.phrases import NONE, Phrases
from upcall_grader.terminal import quoted

KINDS = ("handshake", "message", "upcall", "close", "reset", "other", "missing")
"""How an arrow is drawn; each has a colour, a line and words of its own."""
WIDE_TEXT, NARROW_TEXT = 64, 31
"""Columns of a message beside its arrow, on a wide page and on a phone."""
_CAPTION, _LINE, _ARROW, _SLOPE = 30, 16, 9, 8
_MAX_ROWS = 14
_FOLD, _PAUSE = 56, 30
_PAUSE_SECONDS = 10
_SECOND_NS = 1_000_000_000
_MAX_NUMBERS = 4
_TCP = "Seq={seq}{ack} Len={length}"


@dataclass(frozen=True)
class Arrow:
    """One segment. ``top`` is where its first line of text stands, ``y`` where its arrow begins.

    ``label`` may be empty: a segment that only acknowledges. ``frame`` is None for a segment that
    the capture misses.
    """

    frame: int | None
    time: str
    from_client: bool
    kind: str
    label: str
    flags: str
    numbers: str
    wide: str
    narrow: str
    top: int
    lines: int

    @property
    def y(self) -> int:
        """Return where the arrow leaves its sender."""
        return self.top + (self.lines - 1) * _LINE + _ARROW

    @property
    def end(self) -> int:
        """Return where it arrives."""
        return self.y + _SLOPE


@dataclass
class Panel:
    """A phase of the connection; or, without arrows, a pause or the fold in the middle."""

    caption: str
    kind: str
    height: int = _CAPTION
    arrows: list[Arrow] = field(default_factory=list)

    @property
    def next_top(self) -> int:
        """Return where the text of one more arrow begins."""
        return self.height + 14

    def add(self, arrow: Arrow) -> None:
        """Put one more arrow below the others."""
        self.arrows.append(arrow)
        self.height = arrow.end + 10


def panels(
    ladder: Ladder,
    exchanges: Sequence[Exchange],
    phrases: Phrases,
    lab: Lab,
    codes: Collection[str] = (),
) -> list[Panel]:
    """Return the whole diagram, from the top down.

    ``codes`` are those of the judge's remarks: packets that it could not see are drawn, too.
    """
    words = _Words(ladder, exchanges, phrases, lab.answer)
    drawn = _panels(ladder.first, words, Phases(exchanges))
    if handshake := missing_handshake(ladder, codes):
        place = 0 if handshake.first_is_missing else 1
        drawn.insert(place, _missing(handshake, words, phrases))
    if ladder.left_out:
        drawn.append(Panel(phrases("ladder.fold", count=ladder.left_out), "fold", _FOLD))
    drawn += _panels(ladder.last, words, Phases(exchanges))
    if close := missing_close(ladder, codes):
        drawn.append(_missing(close, words, phrases))
    return drawn


def _missing(part: MissingPart, words: _Words, phrases: Phrases) -> Panel:
    panel = Panel(phrases(f"missing.{part.code}"), "missing")
    for packet in part.packets:
        panel.add(words.missing(packet, panel.next_top))
    return panel


def _panels(steps: Iterable[Step], words: _Words, phases: Phases) -> list[Panel]:
    drawn: list[Panel] = []
    phase = before = None
    for step in steps:
        own = phases.of(step.segment.frame, step.marks, step.repeats)
        pause = _pause(before, step)
        if pause:
            drawn.append(Panel(words.pause(pause), "pause", _PAUSE))
        if own != phase or pause or len(drawn[-1].arrows) == _MAX_ROWS:
            again = own == phase
            phase = own
            drawn.append(Panel(words.caption(own, again), own.kind))
        drawn[-1].add(words.arrow(step, drawn[-1].next_top))
        before = step
    return drawn


def _pause(before: Step | None, step: Step) -> int:
    """Return the whole seconds between two packets; 0 if they are too few to be shown."""
    began = before.segment.time_ns if before else None
    ended = step.segment.time_ns
    if began is None or ended is None:
        return 0
    seconds = (ended - began) // _SECOND_NS
    return seconds if seconds >= _PAUSE_SECONDS else 0


class _Words:
    """What to say of each step."""

    def __init__(
        self, ladder: Ladder, exchanges: Sequence[Exchange], phrases: Phrases, answer: bytes
    ) -> None:
        self._phrases = phrases
        self._answer = answer
        self._start = ladder.start_ns
        drawn = {step.segment.frame for step in (*ladder.first, *ladder.last)}
        self._parts: dict[int, list[tuple[str, int, int, int]]] = {}
        for number, exchange in enumerate(exchanges, 1):
            for kind, frames in (
                ("message", exchange.message_frames),
                ("upcall", exchange.upcall_frames),
            ):
                for part, frame in enumerate(frames, 1):
                    if frame in drawn:
                        where = (kind, number, part, len(frames))
                        self._parts.setdefault(frame, []).append(where)

    def caption(self, phase: Phase, again: bool) -> str:
        """Return a panel's heading."""
        caption = self._phrases(f"phase.{phase.kind}", number=str(phase.number))
        return self._phrases("phase.again", phase=caption) if again else caption

    def pause(self, seconds: int) -> str:
        """Return what stands between two packets that are so far apart."""
        minutes, rest = divmod(seconds, 60)
        if not minutes:
            return self._phrases("ladder.pause", count=seconds)
        return self._phrases("ladder.long-pause", minutes=minutes, seconds=f"{rest:02}")

    def missing(self, packet: MissingPacket, top: int) -> Arrow:
        """Return a packet that the capture misses as an arrow whose text begins at ``top``."""
        return Arrow(
            frame=None,
            time="",
            from_client=packet.from_client,
            kind="missing",
            label=self._phrases(packet.code, side=packet.side),
            flags=flags_text(packet.flags),
            numbers="",
            wide="",
            narrow="",
            top=top,
            lines=2,
        )

    def arrow(self, step: Step, top: int) -> Arrow:
        """Return the step as an arrow whose text begins at ``top``."""
        segment = step.segment
        kind = self._kind(step)
        label = ", ".join(self._labels(step))
        wide = narrow = ""
        if segment.payload and Mark.KEEP_ALIVE not in step.marks:
            wide = quoted(segment.payload, WIDE_TEXT)
            narrow = quoted(segment.payload, NARROW_TEXT)
        ack = "" if step.relative_ack is None else f" Ack={step.relative_ack}"
        return Arrow(
            frame=segment.frame,
            time=self._time(segment.time_ns),
            from_client=step.from_client,
            kind=kind,
            label=label,
            flags=flags_text(segment.flags),
            numbers=_TCP.format(seq=step.relative_seq, ack=ack, length=segment.length),
            wide=wide,
            narrow=narrow,
            top=top,
            lines=1 + bool(label) + bool(wide),
        )

    def _time(self, time_ns: int | None) -> str:
        """Return the seconds since the file's first frame, written as Wireshark does."""
        if time_ns is None:
            return NONE
        microseconds = (time_ns - (self._start or 0)) // 1000
        sign = "-" if microseconds < 0 else ""
        return f"{sign}{abs(microseconds) // 1_000_000}.{abs(microseconds) % 1_000_000:06d}"

    def _kind(self, step: Step) -> str:
        segment = step.segment
        if step.marks & Mark.RESET or segment.flags & RST:
            return "reset"
        if step.marks & Mark.RETRANSMISSION:
            return "other"
        if step.marks & Mark.HANDSHAKE_ACK or segment.flags & SYN:
            return "handshake"
        if segment.flags & FIN or step.marks & Mark.ACKS_FIN:
            return "close"
        return self._content(step) if step.marks & Mark.DATA else "other"

    def _content(self, step: Step) -> str:
        parts = self._parts.get(step.segment.frame)
        if parts:
            return parts[0][0]
        if step.from_client:
            return "message"
        return "upcall" if step.segment.payload.startswith(self._answer) else "other"

    def _labels(self, step: Step) -> list[str]:
        phrases = self._phrases
        labels = []
        if Mark.RETRANSMISSION in step.marks:
            labels.append(phrases("step.again", frame=str(step.repeats or "?")))
        labels += [phrases(code) for mark, code in _OPENING if mark in step.marks and not labels]
        if Mark.DATA in step.marks:
            labels.append(self._data(step))
        labels += self._closing(step)
        labels += [phrases(code) for mark, code in _NOTES if mark in step.marks]
        return labels

    def _data(self, step: Step) -> str:
        phrases = self._phrases
        parts = self._parts.get(step.segment.frame)
        content = self._content(step)
        if not parts:
            return phrases(f"step.{content}" if content != "other" else "step.data")
        _, number, part, of = parts[0]
        if len(parts) > 1:
            numbers = ", ".join(str(number) for _, number, _, _ in parts[:_MAX_NUMBERS])
            more = "…" if len(parts) > _MAX_NUMBERS else ""
            return phrases(f"step.{content}s", numbers=numbers + more)
        if of > 1:
            return phrases(f"step.{content}-part", number=str(number), part=str(part), of=str(of))
        return phrases(f"step.{content}-number", number=str(number))

    def _closing(self, step: Step) -> list[str]:
        side = "client" if step.from_client else "server"
        peer = "server" if step.from_client else "client"
        labels = []
        if Mark.RESET in step.marks:
            labels.append(self._phrases("step.reset", side=side))
        if Mark.FIN in step.marks:
            code = "step.fin-and-ack" if Mark.ACKS_FIN in step.marks else "step.fin"
            labels.append(self._phrases(code, side=side))
        elif Mark.ACKS_FIN in step.marks:
            labels.append(self._phrases("step.fin-acked", side=peer))
        return labels


_OPENING = (
    (Mark.SYN, "step.syn"),
    (Mark.SYN_ACK, "step.syn-ack"),
    (Mark.HANDSHAKE_ACK, "step.ack"),
)
_NOTES = (
    (Mark.BEHIND_GAP, "step.gap"),
    (Mark.OUT_OF_ORDER, "step.order"),
    (Mark.KEEP_ALIVE, "step.keep-alive"),
)
