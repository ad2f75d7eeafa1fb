"""What the page of the class shows. It is the instructor's: names, copies, everybody's points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from upcall_grader.judge.results import Assessment, Copy, Status, Submission, Verdict
from upcall_grader.judge.rubric import Criterion, Rubric
from upcall_grader.judge.standing import Standing, standing
from upcall_grader.report.phrases import NONE, Phrases
from upcall_grader.report.student import SYMBOLS
from upcall_grader.texts.wording import Wording

MAX_PROOFS = 5
MAX_PASSED_OVER = 500


@dataclass(frozen=True, slots=True)
class Cell:
    """How one criterion ended; ``rank`` sorts: what is worse comes first."""

    status: str
    symbol: str
    word: str
    points: str
    rank: float


@dataclass(frozen=True, slots=True)
class Line:
    """One submission."""

    page: str
    student: str
    name: str
    group: str
    file: str
    verdict: Verdict
    verdict_word: str
    standing: Standing
    points: str
    value: float
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """How often one criterion was not met, or not observable; widths in percent."""

    title: str
    points: str
    not_met: int
    not_observable: int
    of: int
    not_met_width: float
    not_observable_width: float


@dataclass(frozen=True, slots=True)
class Look:
    """One submission that the instructor has to look at, and why."""

    line: Line
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a group of copies; ``frames`` hold the same packets, in turn, in each file."""

    file: str
    line: Line | None
    frames: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CopyGroup:
    """Submissions that hold one capture; without ``proofs`` they are the same byte for byte."""

    members: tuple[Member, ...]
    proofs: int
    more_proofs: int


@dataclass(frozen=True, slots=True)
class Passed:
    """One file or folder that was not judged."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class CoursePage:
    """Everything on the page, in words."""

    heads: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    possible: str
    verdicts: tuple[tuple[Verdict, str, int], ...]
    bars: tuple[Bar, ...]
    copies: tuple[CopyGroup, ...]
    missing: tuple[Line, ...]
    passed: tuple[Passed, ...]
    more_passed: int
    looks: tuple[Look, ...]
    has_names: bool
    has_groups: bool


def course_page(
    assessment: Assessment, pages: Sequence[str], phrases: Phrases, wording: Wording
) -> CoursePage:
    """Return the page of all submissions; ``pages`` names their own, in the same order."""
    submissions = assessment.submissions
    criteria = assessment.rubric.criteria
    lines = tuple(
        _line(submission, page, assessment.rubric, phrases)
        for submission, page in zip(submissions, pages, strict=True)
    )
    by_file = {line.file: line for line in lines if line.file}
    counts = Counter(submission.verdict for submission in submissions)
    return CoursePage(
        heads=_heads(criteria, wording),
        lines=lines,
        possible=phrases.number(assessment.rubric.points),
        verdicts=tuple(
            (verdict, phrases(f"verdict.{verdict}"), counts[verdict])
            for verdict in Verdict
            if counts[verdict]
        ),
        bars=_bars(submissions, criteria, phrases, wording),
        copies=tuple(_copies(copy, by_file) for copy in assessment.copies),
        missing=tuple(line for line in lines if line.verdict is Verdict.MISSING),
        passed=tuple(
            Passed(one.file, wording.told(one.cause))
            for one in assessment.passed_over[:MAX_PASSED_OVER]
        ),
        more_passed=max(len(assessment.passed_over) - MAX_PASSED_OVER, 0),
        looks=_looks(submissions, lines, phrases, wording),
        has_names=any(line.name for line in lines),
        has_groups=any(line.group for line in lines),
    )


def _heads(criteria: Sequence[Criterion], wording: Wording) -> tuple[tuple[str, str], ...]:
    """Return each criterion's short and whole title; short where one word tells them apart."""
    checks = Counter(criterion.check for criterion in criteria)
    heads = []
    for criterion in criteria:
        title = wording.title(criterion)
        short = title
        if not criterion.titles and checks[criterion.check] == 1:
            short = wording.short_title(criterion)
        heads.append((short, title))
    return tuple(heads)


def _line(submission: Submission, page: str, rubric: Rubric, phrases: Phrases) -> Line:
    judged = {judgement.criterion.id: judgement for judgement in submission.judgements}
    cells: list[Cell | None] = []
    for criterion in rubric.criteria:
        judgement = judged.get(criterion.id)
        if judgement is None:
            cells.append(None)
            continue
        cells.append(
            Cell(
                status=judgement.status,
                symbol=SYMBOLS[judgement.status],
                word=phrases(f"status.{judgement.status}"),
                points=phrases.number(judgement.points),
                rank=_RANKS[judgement.status],
            )
        )
    return Line(
        page=page,
        student=submission.owner.student,
        name=submission.owner.name,
        group=submission.owner.group,
        file=submission.file,
        verdict=submission.verdict,
        verdict_word=phrases(f"verdict.{submission.verdict}"),
        standing=standing(submission, rubric.points),
        points=phrases.number(submission.points) if judged else NONE,
        value=submission.points if judged else -1,
        cells=tuple(cells),
    )


_RANKS = {Status.NOT_MET: 0, Status.NOT_OBSERVABLE: 1, Status.MET: 2}


def _bars(
    submissions: Sequence[Submission],
    criteria: Sequence[Criterion],
    phrases: Phrases,
    wording: Wording,
) -> tuple[Bar, ...]:
    """Return the bars; the criterion that failed most comes first."""
    judged = [submission for submission in submissions if submission.judgements]
    ended = Counter(
        (judgement.criterion.id, judgement.status)
        for submission in judged
        for judgement in submission.judgements
    )
    bars = []
    for criterion in criteria:
        not_met = ended[criterion.id, Status.NOT_MET]
        unseen = ended[criterion.id, Status.NOT_OBSERVABLE]
        bars.append(
            Bar(
                title=wording.title(criterion),
                points=phrases.number(criterion.points),
                not_met=not_met,
                not_observable=unseen,
                of=len(judged),
                not_met_width=_percent(not_met, len(judged)),
                not_observable_width=_percent(unseen, len(judged)),
            )
        )
    return tuple(sorted(bars, key=lambda bar: -(bar.not_met + bar.not_observable)))


def _percent(count: int, of: int) -> float:
    return round(100 * count / of, 2) if of else 0.0


def _copies(copy: Copy, by_file: Mapping[str, Line]) -> CopyGroup:
    shown = copy.proofs[:MAX_PROOFS]
    members = tuple(
        Member(file, by_file.get(file), tuple(str(proof.frames.get(file, NONE)) for proof in shown))
        for file in copy.files
    )
    return CopyGroup(
        members=members,
        proofs=len(shown),
        more_proofs=max(len(copy.proofs) - MAX_PROOFS, 0),
    )


def _looks(
    submissions: Sequence[Submission], lines: Sequence[Line], phrases: Phrases, wording: Wording
) -> tuple[Look, ...]:
    """List what a person has to look at; missing students have a list of their own."""
    return tuple(
        Look(line, tuple(dict.fromkeys(_reasons(submission, phrases, wording))))
        for submission, line in zip(submissions, lines, strict=True)
        if submission.needs_person and submission.verdict is not Verdict.MISSING
    )


def _reasons(submission: Submission, phrases: Phrases, wording: Wording) -> list[str]:
    """Say why the instructor has to look: remarks that ask for it, and why it was not graded."""
    judged = submission.verdict in (Verdict.GRADED, Verdict.RECAPTURE)
    reasons = [
        wording.text(remark) for remark in submission.remarks if remark.needs_person or not judged
    ]
    if submission.verdict is Verdict.RECAPTURE:
        reasons += [
            f"{wording.title(judgement.criterion)}: {wording.text(judgement.remark)}"
            for judgement in submission.judgements
            if judgement.status is Status.NOT_OBSERVABLE
        ]
    return reasons or [phrases(f"look.{submission.verdict}")]
