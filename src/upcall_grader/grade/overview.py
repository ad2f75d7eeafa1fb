"""What grading came to, as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from upcall_grader.judge.results import Assessment, Status, Submission, Verdict
from upcall_grader.judge.standing import Standing, standing
from upcall_grader.terminal import Painter, width
from upcall_grader.texts.wording import Wording
from upcall_text.plain import escape_unprintable

_STYLES = {
    Standing.FULL: "good",
    Standing.PART: "warn",
    Standing.POOR: "bad",
    Standing.MISSING: "dim",
}
_WIDEST = 40


def lines(
    assessment: Assessment,
    wording: Wording,
    paint: Painter,
    quiet: bool = False,
    with_passed_over: bool = False,
) -> Iterator[str]:
    """Yield a line for each submission with what it lacks below it, then the sum.

    ``with_passed_over``: a line for each file that was passed over comes before the sum.
    """
    shown = [
        submission for submission in assessment.submissions if submission.needs_person or not quiet
    ]
    columns = max((width(_who(submission)) for submission in shown), default=0)
    for submission in shown:
        yield _line(submission, assessment, min(columns, _WIDEST), paint)
        for text in _lacking(submission, wording):
            yield f"    {escape_unprintable(text)}"
    if with_passed_over:
        for one in assessment.passed_over:
            yield escape_unprintable(f"passed over: {one.file}: {wording.told(one.cause)}")
    yield _sum(assessment, hint=not with_passed_over)


def _who(submission: Submission) -> str:
    return escape_unprintable(submission.owner.student) or "?"


def _line(submission: Submission, assessment: Assessment, columns: int, paint: Painter) -> str:
    who = _who(submission)
    style = _STYLES[standing(submission, assessment.rubric.points)]
    verdict = paint(style, f"{submission.verdict:<10}")
    points = f"{number(submission.points):>6} of {number(assessment.rubric.points)}"
    padding = " " * max(columns - width(who), 0)
    return f"{who}{padding}  {verdict} {points}  {escape_unprintable(submission.file)}".rstrip()


def _lacking(submission: Submission, wording: Wording) -> Iterator[str]:
    for remark in submission.remarks:
        yield wording.text(remark)
    for judgement in submission.judgements:
        if judgement.status is not Status.MET and judgement.remark.code != "not-seen":
            where = f" ({judgement.filter})" if judgement.filter else ""
            yield f"{judgement.criterion.id}: {wording.text(judgement.remark)}{where}"


def _sum(assessment: Assessment, hint: bool) -> str:
    counts = Counter(submission.verdict for submission in assessment.submissions)
    parts = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
    person = sum(submission.needs_person for submission in assessment.submissions)
    copies = len(assessment.copies)
    totals = f"{len(assessment.submissions)} submissions: {', '.join(parts)}"
    totals += f"; {person} need a person" if person else ""
    totals += f"; copies: {copies} group{'' if copies == 1 else 's'}" if copies else ""
    if assessment.passed_over:
        totals += f"; {len(assessment.passed_over)} passed over"
        totals += " (--passed-over lists them)" if hint else ""
    return totals


def number(points: float) -> str:
    """Return points without a needless decimal."""
    return f"{points:g}" if points != int(points) else str(int(points))
