"""What the judge says of a capture, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upcall_grader.capture.dialogue import Exchange
from upcall_grader.capture.frames import LINK_NAMES
from upcall_grader.capture.packets import endpoint_text
from upcall_grader.capture.reading import Capture
from upcall_grader.judge.check import Case
from upcall_grader.judge.connection_summary import ConnectionSummary
from upcall_grader.judge.criteria import judge
from upcall_grader.judge.results import Judgement, Remark, Status, Submission
from upcall_grader.judge.rubric import Criterion, Rubric
from upcall_grader.judge.submission import Watched, lacking
from upcall_grader.terminal import Glyphs, Painter, wrapped
from upcall_grader.texts.wording import Wording
from upcall_text.plain import escape_unprintable

_MAX_FRAMES = 12
_MAX_PAIRS = 6
_NAME = 9
_FEWEST_COLUMNS = 40
_SPACE = "\N{NO-BREAK SPACE}"
"""Where no line ends. Text of others has none left: ``escape_unprintable`` escapes it."""
# What is shown of every connection, whatever the rubric asks for.
_FACTS = {
    "Handshake": Criterion("handshake", "handshake", 0.0),
    "Exchanges": Criterion("upcalls", "upcalls", 0.0),
    "Close": Criterion("close", "close", 0.0),
}
_STYLES = {Status.MET: "good", Status.NOT_MET: "bad", Status.NOT_OBSERVABLE: "warn"}


class Summary:
    """Tells how a capture was judged by ``rubric``, on a terminal of ``columns``."""

    def __init__(self, rubric: Rubric, columns: int, paint: Painter, glyphs: Glyphs) -> None:
        self._rubric = rubric
        self._asked = {criterion.check for criterion in rubric.criteria}
        self._columns = max(columns, _FEWEST_COLUMNS)
        self._paint = paint
        self._arrow = glyphs.arrow
        self._marks = {
            Status.MET: glyphs.yes,
            Status.NOT_MET: glyphs.no,
            Status.NOT_OBSERVABLE: glyphs.unknown,
        }
        self._wording = Wording("en")
        self._remedies: set[str] = set()

    def lines(self, watched: Watched, file: str, capture: Capture) -> Iterator[str]:
        """Yield every connection, what else the rubric asks for, the verdict and the file."""
        submission = watched.submission
        judged = submission.conversation
        own = [judgement.remark for judgement in submission.judgements]
        remarks = [remark for remark in submission.remarks if remark not in own]
        if judged is None:
            yield from self._remark("Traffic", Status.NOT_MET, remarks.pop(0))
        for case in watched.cases:
            is_judged = judged is not None and case.connection.number == judged.number
            if len(watched.cases) > 1:
                yield self._title(case.connection, is_judged)
            yield from self._facts(case, is_judged)
            if is_judged:
                yield from self._others(submission)
        more = submission.connections - len(watched.cases)
        if more > 0:
            yield f"{more} more connections"
        yield from self._verdict(submission)
        yield from self._file(file, capture, submission.packets, remarks)

    def _title(self, summary: ConnectionSummary, is_judged: bool) -> str:
        ends = f"{endpoint_text(*summary.client)} {self._arrow} {endpoint_text(*summary.server)}"
        title = f"Connection {summary.number}: {ends}"
        return self._paint("bold", title) + (" (judged)" if is_judged else "")

    def _facts(self, case: Case, is_judged: bool) -> Iterator[str]:
        for name, criterion in _FACTS.items():
            judgement = judge(criterion, case)
            asked = criterion.check in self._asked
            status = judgement.status if asked else None
            if judgement.status is Status.MET:
                yield from self._fact(status, name, self._met(judgement, case.connection))
            else:
                yield from self._remark(
                    name, status, judgement.remark, judgement.frames, is_judged and asked
                )

    def _met(self, judgement: Judgement, summary: ConnectionSummary) -> str:
        frames = judgement.frames
        if judgement.criterion.check == "handshake":
            return "complete: yes" + _frames(frames)
        if judgement.criterion.check == "close":
            first = judgement.remark.values["first"]
            return f"orderly, {len(frames)} segments, {first} first" + _frames(frames)
        count = len(summary.exchanges)
        if count == 1:
            return "1 message, answered by its upcall" + self._pairs(summary.exchanges)
        return f"{count} messages, each answered by its upcall" + self._pairs(summary.exchanges)

    def _pairs(self, exchanges: Sequence[Exchange]) -> str:
        """Return which frames hold each message and its upcall."""
        shown = [
            _SPACE.join(
                (_ends(exchange.message_frames), self._arrow, _ends(exchange.upcall_frames))
            )
            for exchange in exchanges[:_MAX_PAIRS]
        ]
        more = f" and {len(exchanges) - _MAX_PAIRS} more" if len(exchanges) > _MAX_PAIRS else ""
        return f" (frames {', '.join(shown)}{more})"

    def _others(self, submission: Submission) -> Iterator[str]:
        """Yield the criteria that are not met and have no line among the facts."""
        shown = {criterion.check for criterion in _FACTS.values()}
        for judgement in submission.judgements:
            if judgement.status is not Status.MET and judgement.criterion.check not in shown:
                name = judgement.criterion.id.capitalize()
                yield from self._remark(name, judgement.status, judgement.remark, judgement.frames)

    def _verdict(self, submission: Submission) -> Iterator[str]:
        reached, most = f"{submission.points:g}", f"{self._rubric.points:g}"
        text = f"{submission.verdict}, {reached} of {most} points: "
        missing = lacking(submission)
        text += "complete" if not missing else "not complete"
        if missing and submission.conversation is not None:
            text += f" ({', '.join(judgement.criterion.id for judgement in missing)})"
        yield from self._fact(Status.NOT_MET if missing else Status.MET, "Verdict", text)

    def _file(
        self, file: str, capture: Capture, packets: int, remarks: list[Remark]
    ) -> Iterator[str]:
        links = ", ".join(LINK_NAMES.get(link, f"link type {link}") for link in capture.link_types)
        kind = f"{packets} packet{'' if packets == 1 else 's'}, {capture.file_format}"
        yield from self._fact(
            None, "File", f"{escape_unprintable(file)} ({kind}{', ' + links if links else ''})"
        )
        for remark in remarks:
            yield from self._remark("", None, remark)

    # -- lines

    def _remark(
        self,
        name: str,
        status: Status | None,
        remark: Remark,
        frames: Sequence[int] = (),
        with_remedy: bool = True,
    ) -> Iterator[str]:
        """Yield the judge's sentence and, the first time, its remedy."""
        yield from self._fact(
            status, name, escape_unprintable(self._wording.text(remark)) + _frames(frames)
        )
        remedy = escape_unprintable(self._wording.remedy(remark))
        if with_remedy and remedy and remedy not in self._remedies:
            self._remedies.add(remedy)
            yield from self._fact(None, "", f"{self._arrow} {remedy}")

    def _fact(self, status: Status | None, name: str, text: str) -> Iterator[str]:
        """Yield mark, name and text; what does not fit goes on below the text."""
        mark = self._paint(_STYLES[status], self._marks[status]) if status else " "
        head = f"{mark} {self._paint('bold', f'{name:<{_NAME}}')}  "
        for line in wrapped(text, self._columns - _NAME - 4):
            yield head + line.replace(_SPACE, " ")
            head = " " * (_NAME + 4)


def _ends(frames: Sequence[int]) -> str:
    if not frames:
        return "?"
    return str(frames[0]) if len(frames) == 1 else f"{frames[0]}-{frames[-1]}"


def _frames(frames: Sequence[int]) -> str:
    if not frames:
        return ""
    shown = ", ".join(str(frame) for frame in frames[:_MAX_FRAMES])
    more = f" and {len(frames) - _MAX_FRAMES} more" if len(frames) > _MAX_FRAMES else ""
    return f" (frame{'' if len(frames) == 1 else 's'} {shown}{more})"
