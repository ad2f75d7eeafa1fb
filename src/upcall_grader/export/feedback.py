"""What a submission came to, as one line of text."""

from __future__ import annotations

from collections.abc import Iterator

from upcall_grader.judge.results import Remark, Status, Submission
from upcall_grader.texts.wording import Wording

_POINTS = {"en": "{points} of {possible} points.", "id": "{points} dari {possible} poin."}
_OPEN = {
    "en": "No grade yet: the instructor decides.",
    "id": "Belum ada nilai: dosen yang memutuskan.",
}

_SAID_BY_FILE = "not-seen"
"""The code of a criterion that nothing can be said of; why, a remark on the file says."""


def number(points: float) -> int | float:
    """Return points as they are written: 100, not 100.0."""
    rounded = round(points, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def points_line(submission: Submission, possible: float, is_open: bool, language: str) -> str:
    """Return the points reached; where ``is_open``, add that they are no grade yet."""
    said = _POINTS[language].format(points=number(submission.points), possible=number(possible))
    return f"{_OPEN[language]} {said}" if is_open else said


def remarks_line(submission: Submission, wording: Wording) -> str:
    """Return the remarks on the file, then each criterion that was not met, and what to do.

    What captures and file names hold stands in it as it is.
    """
    return " ".join(_sentences(submission, wording))


def _sentences(submission: Submission, wording: Wording) -> Iterator[str]:
    for remark in submission.remarks:
        yield _told(remark, wording)
    for judgement in submission.judgements:
        if judgement.status is not Status.MET and judgement.remark.code != _SAID_BY_FILE:
            yield f"{wording.title(judgement.criterion)}: {_told(judgement.remark, wording)}"


def _told(remark: Remark, wording: Wording) -> str:
    return f"{wording.text(remark)} {wording.remedy(remark)}".strip()
