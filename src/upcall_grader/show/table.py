"""The packets of a capture as lines for a terminal: one packet a line, phases marked in the margin.

Wide terminals get addresses and ports in each line; on narrow ones "client" and "server" stand for
them, explained above the table. Colours only repeat what words and the margin's brackets say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from upcall_grader.capture.connections import Mark
from upcall_grader.capture.packets import flags_text
from upcall_grader.show.rows import LabStep, Row
from upcall_grader.terminal import Glyphs, Painter, quoted, whole, width
from upcall_text.plain import escape_unprintable

_BRACKETS = {"handshake": "handshake", "close": "close", "reset": "bad"}
"""Styles of brackets in the margin, by kind of phase."""
_MIN_WHAT = 36
_MAX_TEXT = 72
_WIDE_TEXT = 44


class Table:
    """Lays rows out for a terminal of ``columns``. Give it labelled rows.

    ``phrase`` is what all upcalls begin with.
    """

    def __init__(
        self, rows: list[Row], columns: int, paint: Painter, glyphs: Glyphs, phrase: bytes
    ) -> None:
        self._rows = rows
        self._paint = paint
        self._glyphs = glyphs
        self._phrase = phrase
        self._columns = columns
        self._start = next((row.time_ns for row in rows if row.time_ns is not None), 0)
        steps = [row.step for row in rows if row.step is not None]
        self._many = any(step.ends.number > 1 for step in steps)
        self._number = _widest(3, (len(str(row.number)) for row in rows))
        self._time = _widest(8, (len(self._clock(row)) for row in rows))
        self._flags = _widest(5, (len(flags_text(step.flags)) for step in steps))
        self._seq = _widest(3, (len(str(step.relative_seq)) for step in steps))
        self._ack = _widest(3, (len(_ack(step)) for step in steps))
        self._len = _widest(3, (len(str(step.length)) for step in steps))
        self.named = False
        self._way = _widest(20, (width(self._direction(step)) for step in steps))
        if columns - self._fixed() < _MIN_WHAT:
            self.named = True
            self._way = _widest(15, (width(self._direction(step)) for step in steps))
        self._what = max(columns - self._fixed(), 20)

    def _fixed(self) -> int:
        """Columns of everything but the last column, and the spaces between."""
        cells = (self._number, self._time, self._way, self._flags, self._seq, self._ack, self._len)
        return 2 + sum(cells) + len(cells) * len(self._gap())

    def lines(self) -> Iterator[str]:
        """Yield the table's head and one line for each packet."""
        yield self._head()
        for row, margin in zip(self._rows, self._margins(), strict=True):
            yield self._line(row, margin)

    # -- cells

    def _gap(self) -> str:
        return " " if self.named else "  "

    def _clock(self, row: Row) -> str:
        if row.time_ns is None:
            return "-"
        nanoseconds = row.time_ns - (self._start or 0)
        sign, nanoseconds = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
        microseconds = nanoseconds // 1000
        return f"{sign}{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"

    def _direction(self, step: LabStep) -> str:
        source, destination = self._ends(step)
        return f"{source} {self._glyphs.arrow} {destination}"

    def _ends(self, step: LabStep) -> tuple[str, str]:
        number, client, server = step.ends
        if self.named:
            client = f"client {number}" if self._many else "client"
            server = "server"
        return (client, server) if step.from_client else (server, client)

    def _head(self) -> str:
        cells = (
            f"{'No.':>{self._number}}",
            f"{'Time':>{self._time}}",
            f"{f'Source {self._glyphs.arrow} Destination':<{self._way}}"[: max(self._way, 20)],
            f"{'Flags':<{self._flags}}",
            f"{'Seq':>{self._seq}}",
            f"{'Ack':>{self._ack}}",
            f"{'Len':>{self._len}}",
            "What it is",
        )
        if self.named:
            cells = (*cells[:2], f"{'Direction':<{self._way}}", *cells[3:])
        return self._paint("bold", "  " + self._gap().join(cells))

    def _line(self, row: Row, margin: str) -> str:
        gap = self._gap()
        head = f"{row.number:>{self._number}}{gap}{self._clock(row):>{self._time}}{gap}"
        if row.step is None:
            return f"{margin} {self._paint('dim', (head + self._foreign(row)).rstrip())}"
        step = row.step
        cells = (
            _pad(self._direction(step), self._way),
            f"{flags_text(step.flags):<{self._flags}}",
            f"{step.relative_seq:>{self._seq}}",
            f"{_ack(step):>{self._ack}}",
            f"{step.length:>{self._len}}",
        )
        return f"{margin} {head}{gap.join(cells)}{gap}{self._describe(row, step)}".rstrip()

    def _foreign(self, row: Row) -> str:
        """Traffic that is not the lab's has no TCP columns: its addresses take their place."""
        other = row.other
        if other is None:
            return ""
        gap = self._gap()
        cells = (self._way, self._flags, self._seq, self._ack, self._len)
        room = sum(cells) + len(gap) * (len(cells) - 1)
        way = f"{other.source} {self._glyphs.arrow} {other.destination}" if other.source else ""
        what = f"{other.protocol}: {other.detail}" if other.detail else other.protocol
        way = _cut(escape_unprintable(way), room, self._glyphs.ellipsis)
        what = _cut(escape_unprintable(what), self._what, self._glyphs.ellipsis)
        return f"{_pad(way, room)}{gap}{what}"

    def _describe(self, row: Row, step: LabStep) -> str:
        room = min(self._what, _MAX_TEXT)
        again = f" of frame {step.repeats}" if step.repeats else ""
        if step.marks & Mark.SEEN_TWICE:
            where = "" if self.named else " (other interface)"
            return self._paint("dim", f"same packet as frame {step.repeats}{where}")
        parts: list[tuple[str, str]] = []
        if step.marks & Mark.RETRANSMISSION:
            parts.append(("warn", f"retransmission{again}"))
            if self.named:
                return self._paint(*parts[0])
        if step.marks & Mark.BEHIND_GAP:
            gap = "gap before" if self.named else "previous segment not captured"
            parts.append(("warn", gap))
        if step.marks & Mark.OUT_OF_ORDER:
            parts.append(("warn", "out of order"))
        if step.marks & Mark.KEEP_ALIVE:
            parts.append(("dim", "keep-alive"))
        parts += self._phase_words(step)
        used = sum(len(text) + 2 for _, text in parts)
        parts += self._texts(row, step, max(room - used, 12))
        if not parts:
            parts.append(("dim", "ACK" if step.flags & 0x10 else "no flags, no data"))
        return ", ".join(self._paint(style, text) for style, text in parts)

    def _phase_words(self, step: LabStep) -> list[tuple[str, str]]:
        side = "client" if step.from_client else "server"
        peer = "server" if step.from_client else "client"
        closing = (Mark.FIN, "close", f"close: FIN from {side}")
        if Mark.ACKS_FIN in step.marks:
            closing = (Mark.ACKS_FIN, "close", f"close: ACK of {peer}'s FIN")
            if Mark.FIN in step.marks:
                closing = (Mark.FIN, "close", self._fin_and_ack(side, peer))
        words = (
            (Mark.SYN, "handshake", "handshake 1/3"),
            (Mark.SYN_ACK, "handshake", "handshake 2/3"),
            (Mark.HANDSHAKE_ACK, "handshake", "handshake 3/3"),
            closing,
            (Mark.RESET, "bad", f"reset by {side}"),
        )
        return [(style, self._squeezed(text)) for mark, style, text in words if mark in step.marks]

    def _squeezed(self, text: str) -> str:
        """On a crowded line the margin's bracket alone says that this is the close."""
        return text if len(text) <= self._what else text.removeprefix("close: ")

    def _fin_and_ack(self, side: str, peer: str) -> str:
        full = f"close: FIN from {side}, ACK of {peer}'s FIN"
        return full if len(full) <= self._what else f"close: FIN+ACK from {side}"

    def _texts(self, row: Row, step: LabStep, room: int) -> list[tuple[str, str]]:
        if not row.labels:
            if step.marks & Mark.DATA:
                return [("warn", f"{step.length} bytes, not captured or not readable")]
            return []
        shown = row.labels[:3]
        each = max((room - 2 * len(shown) + 2) // len(shown), 12)
        parts = [self._text(kind, text, part, each) for kind, text, part in shown]
        if len(row.labels) > len(shown):
            parts.append(("dim", f"+{len(row.labels) - len(shown)} more"))
        return parts

    def _text(self, kind: str, text: bytes, part: str, room: int) -> tuple[str, str]:
        head = f"{kind} {part} " if part else f"{kind} "
        columns = max(room - len(head), 8)
        style = kind if kind in ("message", "upcall") else "warn"
        shown = whole(text, columns)
        if shown is None and kind == "upcall" and columns < _WIDE_TEXT:
            shown = self._shortened(text, columns)
        shown = shown or quoted(text, columns).replace("…", self._glyphs.ellipsis)
        return style, head + shown

    def _shortened(self, upcall: bytes, columns: int) -> str:
        """Leaves out what all upcalls begin with, and shows that it did."""
        message = upcall.removeprefix(self._phrase)
        last_word = self._phrase[self._phrase.rstrip().rfind(b" ") + 1 :]
        for kept in (escape_unprintable(last_word.decode("utf-8", "replace")), ""):
            head = f'"{self._glyphs.ellipsis}{kept}'
            shown = whole(message, columns - len(head) + 1)
            if shown is not None:
                break
        else:
            shown = quoted(message, columns - len(head) + 1).replace("…", self._glyphs.ellipsis)
        return head + shown[1:]

    # -- margin

    def _margins(self) -> list[str]:
        """Draw one bracket for each run of lab rows of the same phase.

        Other traffic inside keeps it open.
        """
        margins = [" "] * len(self._rows)
        lab = [index for index, row in enumerate(self._rows) if row.step is not None]
        at = 0
        while at < len(lab):
            phase = self._rows[lab[at]].phase
            end = at
            while end + 1 < len(lab) and self._rows[lab[end + 1]].phase == phase:
                end += 1
            if phase is not None:
                self._bracket(margins, lab[at], lab[end], phase[1].kind)
            at = end + 1
        return margins

    def _bracket(self, margins: list[str], first: int, last: int, kind: str) -> None:
        style = _BRACKETS.get(kind, "message")
        glyphs = self._glyphs
        if first == last:
            margins[first] = self._paint(style, glyphs.single)
            return
        margins[first] = self._paint(style, glyphs.top)
        margins[first + 1 : last] = [self._paint(style, glyphs.middle)] * (last - first - 1)
        margins[last] = self._paint(style, glyphs.bottom)


def _widest(least: int, widths: Iterable[int]) -> int:
    return max(least, max(widths, default=0))


def _ack(step: LabStep) -> str:
    return "" if step.relative_ack is None else str(step.relative_ack)


def _pad(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _cut(text: str, columns: int, ellipsis: str) -> str:
    if len(text) <= columns:
        return text
    return text[: max(columns - len(ellipsis), 0)] + ellipsis
