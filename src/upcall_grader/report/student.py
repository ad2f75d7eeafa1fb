"""What a student's page shows: one submission, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from upcall_grader.capture.dialogue import Answer, Exchange
from upcall_grader.capture.packets import endpoint_text
from upcall_grader.judge.results import Judgement, Status, Submission, Verdict
from upcall_grader.judge.rubric import Rubric
from upcall_grader.judge.standing import Standing, standing
from upcall_grader.judge.submission import lacking
from upcall_grader.lab import Lab
from upcall_grader.report.drawing import Panel, panels
from upcall_grader.report.ladder import Ladder, read_ladder
from upcall_grader.report.phrases import Phrases
from upcall_grader.terminal import quoted
from upcall_grader.texts.wording import Wording

SYMBOLS = {Status.MET: "✓", Status.NOT_MET: "✗", Status.NOT_OBSERVABLE: "?"}
MAX_EXCHANGES = 40
_MESSAGE = 300
_ANSWERS = {
    Answer.YES: (Status.MET, "answer.yes"),
    Answer.WRONG: (Status.NOT_MET, "answer.wrong"),
    Answer.NONE: (Status.NOT_MET, "answer.none"),
    Answer.UNKNOWN: (Status.NOT_OBSERVABLE, "answer.unknown"),
}


@dataclass(frozen=True)
class Row:
    """One criterion."""

    title: str
    status: str
    symbol: str
    word: str
    points: str
    possible: str
    why: str
    remedy: str
    frames: str
    filter: str


@dataclass(frozen=True)
class Talk:
    """One exchange; "" for what is not in the capture."""

    number: int
    message: str
    message_frames: str
    upcall: str
    upcall_frames: str
    status: str
    symbol: str
    word: str


@dataclass(frozen=True)
class Todo:
    """What to do, and what it is good for."""

    goods: tuple[str, ...]
    remedy: str


@dataclass(frozen=True)
class Note:
    """A remark about the file as a whole."""

    text: str
    frames: str


@dataclass(frozen=True)
class StudentPage:
    """Everything on the page, in words.

    ``instructor`` says what the instructor has to do; ``preliminary`` are points that wait for it.
    ``share`` is the part of the points, in percent. ``unknown``: something is missing, and no
    remedy is known.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    verdict_word: str
    standing: Standing
    sentence: str
    instructor: str
    preliminary: bool
    selfcheck: bool
    points: str
    possible: str
    share: int
    judged: bool
    unknown: bool
    rows: tuple[Row, ...]
    todos: tuple[Todo, ...]
    notes: tuple[Note, ...]
    talks: tuple[Talk, ...]
    more_talks: int
    panels: tuple[Panel, ...]
    client: str
    server: str
    seen_twice: bool
    drawing_lost: bool


def student_page(
    submission: Submission,
    rubric: Rubric,
    directory: Path,
    copied: bool,
    phrases: Phrases,
    wording: Wording,
    selfcheck: bool = False,
) -> StudentPage:
    """Return the page of ``submission``; ``copied``: another submission holds the same capture.

    ``selfcheck``: its student looks at it before handing it in, so nobody else will.
    """
    ladder = None
    conversation = submission.conversation
    if conversation is not None:
        ladder = read_ladder(directory / submission.file, conversation)
    todos = _todos(submission, phrases, wording)
    looks = _looks(submission, copied, phrases)
    sentence = sentence_of(submission, rubric, phrases)
    if selfcheck and not lacking(submission):
        sentence += f" {next_step(submission, phrases, wording)}"
    return StudentPage(
        title=submission.owner.name or submission.owner.student or submission.file,
        facts=_facts(submission, phrases),
        verdict_word=phrases(f"verdict.{submission.verdict}"),
        standing=standing(submission, rubric.points),
        sentence=sentence,
        instructor=phrases("instructor.checks") if selfcheck else looks,
        preliminary=bool(looks) and not selfcheck,
        selfcheck=selfcheck,
        points=phrases.number(submission.points),
        possible=phrases.number(rubric.points),
        share=_share(submission.points, rubric.points),
        judged=bool(submission.judgements),
        unknown=not todos and bool(lacking(submission)),
        rows=tuple(_row(judgement, phrases, wording) for judgement in submission.judgements),
        todos=todos,
        notes=_notes(submission, copied, selfcheck, phrases, wording),
        talks=tuple(
            _talk(number, exchange, phrases)
            for number, exchange in enumerate(submission.exchanges[:MAX_EXCHANGES], 1)
        ),
        more_talks=max(len(submission.exchanges) - MAX_EXCHANGES, 0),
        panels=_drawn(ladder, submission, phrases, rubric.lab),
        client=endpoint_text(*conversation.client) if conversation else "",
        server=endpoint_text(*conversation.server) if conversation else "",
        seen_twice=ladder is not None and ladder.seen_twice,
        drawing_lost=conversation is not None and ladder is None,
    )


def _drawn(
    ladder: Ladder | None, submission: Submission, phrases: Phrases, lab: Lab
) -> tuple[Panel, ...]:
    if not ladder:
        return ()
    codes = {judgement.remark.code for judgement in submission.judgements}
    return tuple(panels(ladder, submission.exchanges, phrases, lab, codes))


def _share(points: float, possible: float) -> int:
    return round(100 * min(max(points / possible, 0), 1)) if possible > 0 else 0


def _facts(submission: Submission, phrases: Phrases) -> tuple[tuple[str, str], ...]:
    owner = submission.owner
    facts = [
        ("fact.student", owner.student),
        ("fact.group", owner.group),
        ("fact.host", owner.host),
        ("fact.file", submission.file),
    ]
    if submission.packets:
        facts.append(("fact.packets", phrases.number(submission.packets)))
    if submission.connections:
        facts.append(("fact.connections", phrases.number(submission.connections)))
    return tuple((phrases(code), value) for code, value in facts if value)


def _looks(submission: Submission, copied: bool, phrases: Phrases) -> str:
    waits = submission.needs_person and submission.verdict is not Verdict.MISSING
    return phrases("instructor.looks") if copied or waits else ""


def sentence_of(submission: Submission, rubric: Rubric, phrases: Phrases) -> str:
    """Return in one sentence how a submission ended."""
    code = f"sentence.{submission.verdict}"
    if submission.verdict is Verdict.GRADED:
        code = "sentence.part" if lacking(submission) else "sentence.shown"
        code = "sentence.all" if submission.points >= rubric.points else code
    if any(remark.code == "missing-or-nobodys" for remark in submission.remarks):
        code = "sentence.missing-or-nobodys"
    return phrases(
        code,
        points=submission.points,
        possible=rubric.points,
        port=str(rubric.lab.port),
    )


def _row(judgement: Judgement, phrases: Phrases, wording: Wording) -> Row:
    return Row(
        title=wording.title(judgement.criterion),
        status=judgement.status,
        symbol=SYMBOLS[judgement.status],
        word=phrases(f"status.{judgement.status}"),
        points=phrases.number(judgement.points),
        possible=phrases.number(judgement.criterion.points),
        why=wording.text(judgement.remark),
        remedy="" if judgement.status is Status.MET else wording.remedy(judgement.remark),
        frames=phrases.frames(judgement.frames),
        filter=judgement.filter,
    )


def next_step(submission: Submission, phrases: Phrases, wording: Wording) -> str:
    """Return the one thing to do next: hand in what is complete, or the page's first remedy.

    That one is about the whole file or the earliest part of the lab.
    """
    if not lacking(submission):
        return phrases("todo.hand-in")
    todos = _todos(submission, phrases, wording)
    return todos[0].remedy if todos else phrases("todo.unknown")


def _todos(submission: Submission, phrases: Phrases, wording: Wording) -> tuple[Todo, ...]:
    """Return each remedy once, with everything that it would bring."""
    goods: dict[str, list[str]] = {}
    for remark in submission.remarks:
        remedy = wording.remedy(remark)
        if remedy and remark.code not in _NOT_THE_STUDENTS:
            goods.setdefault(remedy, [])
    for judgement in submission.judgements:
        remedy = wording.remedy(judgement.remark)
        gain = round(judgement.criterion.points - judgement.points, 2)
        if remedy and judgement.status is not Status.MET:
            title = wording.title(judgement.criterion)
            good = phrases("todo.gain", title=title, count=gain) if gain > 0 else title
            goods.setdefault(remedy, []).append(good)
    return tuple(Todo(tuple(gains), remedy) for remedy, gains in goods.items())


_NOT_THE_STUDENTS = frozenset({"reader-failed", "missing-or-nobodys", "owner-unclear"})
"""Remarks whose remedy is the instructor's."""
_SAID_ALREADY = frozenset({"copy", "missing", "missing-or-nobodys"})
"""Remarks for which the page has a sentence of its own, without the names of others."""


def _notes(
    submission: Submission, copied: bool, selfcheck: bool, phrases: Phrases, wording: Wording
) -> tuple[Note, ...]:
    """Return the remarks that the page does not say in words of its own.

    In a self-check, what a person has to decide is said by the sentence about the instructor.
    """
    own = [remark for remark in submission.remarks if remark.code not in _SAID_ALREADY]
    own = [remark for remark in own if not (selfcheck and remark.needs_person)]
    notes = [Note(wording.text(remark), phrases.frames(remark.frames)) for remark in own]
    if copied or any(remark.code == "copy" for remark in submission.remarks):
        notes.append(Note(phrases("copy.student"), ""))
    return tuple(notes)


def _talk(number: int, exchange: Exchange, phrases: Phrases) -> Talk:
    status, word = _ANSWERS[exchange.answer]
    return Talk(
        number=number,
        message=_text(exchange.message),
        message_frames=_frames(exchange.message_frames, phrases),
        upcall=_text(exchange.upcall),
        upcall_frames=_frames(exchange.upcall_frames, phrases),
        status=status,
        symbol=SYMBOLS[status],
        word=phrases(word),
    )


def _frames(frames: Sequence[int], phrases: Phrases) -> str:
    return phrases("talks.frames", frames=phrases.frames(frames), count=len(frames))


def _text(data: bytes | None) -> str:
    return "" if data is None else quoted(data, _MESSAGE)
