"""What a check came to, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from upcall_grader.judge.results import Status, Verdict
from upcall_grader.report.phrases import Phrases
from upcall_grader.report.student import Note, Row
from upcall_grader.selfcheck.checking import Checked
from upcall_grader.terminal import Glyphs, Painter, wrapped
from upcall_text.plain import escape_unprintable

_STYLES = {Status.MET: "good", Status.NOT_MET: "bad", Status.NOT_OBSERVABLE: "warn"}
_FEWEST_COLUMNS = 40
_INDENT = 2


class Teller:
    """Tells what a check came to, in one language, on a terminal of ``columns``."""

    def __init__(self, phrases: Phrases, columns: int, paint: Painter, glyphs: Glyphs) -> None:
        self._phrases = phrases
        self._columns = max(columns, _FEWEST_COLUMNS)
        self._paint = paint
        self._marks = {
            Status.MET: glyphs.yes,
            Status.NOT_MET: glyphs.no,
            Status.NOT_OBSERVABLE: glyphs.unknown,
        }

    def lines(self, checked: Checked) -> Iterator[str]:
        """Yield verdict and points, each criterion, the one thing to do next."""
        yield from self._verdict(checked)
        yield ""
        if checked.verdict is not Verdict.UNREADABLE:
            yield from self._rows(checked.words.rows)
            yield ""
        for note in checked.words.notes:
            yield from self._lines(self._note(note))
        yield from self._lines(self._phrases("selfcheck.next", step=checked.next_step), "bold")
        yield ""
        yield from self._lines(checked.words.instructor, "dim")

    def _verdict(self, checked: Checked) -> Iterator[str]:
        words = checked.words
        points = f"{words.points} {self._phrases('points.rest', possible=words.possible)}"
        style = "good" if checked.complete else "warn"
        yield from self._lines(f"{words.title}: {words.verdict_word}, {points}", style)
        yield from self._lines(checked.sentence)

    def _rows(self, rows: Iterable[Row]) -> Iterator[str]:
        """Yield the criteria, and once why one is not met."""
        told: set[str] = set()
        for row in rows:
            yield from self._row(row)
            if row.status != Status.MET and row.why not in told:
                told.add(row.why)
                yield from self._lines(row.why, indent=_INDENT)

    def _row(self, row: Row) -> Iterator[str]:
        status = Status(row.status)
        mark = self._paint(_STYLES[status], self._marks[status])
        title = f"{row.title}: {row.word}, {row.points}/{row.possible}{self._frames(row)}"
        title = escape_unprintable(title)
        lines = wrapped(title, self._columns - _INDENT)
        yield f"{mark} {next(lines)}"
        yield from (" " * _INDENT + line for line in lines)

    def _frames(self, row: Row) -> str:
        if not row.frames:
            return ""
        count = 1 if row.frames.isdecimal() else 2
        return f" ({self._phrases('talks.frames', frames=row.frames, count=count)})"

    def _note(self, note: Note) -> str:
        if not note.frames:
            return note.text
        return f"{note.text} {self._phrases('notes.frames', frames=note.frames)}"

    def _lines(self, text: str, style: str = "plain", indent: int = 0) -> Iterator[str]:
        for line in wrapped(escape_unprintable(text), self._columns - indent):
            yield " " * indent + self._paint(style, line)
