"""A folder of captures -> all judgements, and the copies among them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from upcall_grader.judge.copies import find_copies
from upcall_grader.judge.folder import CaptureFile, find, owner_of
from upcall_grader.judge.results import Assessment, Copy, Remark, Submission
from upcall_grader.judge.rubric import Rubric
from upcall_grader.judge.submission import Judged, judge_with_fingerprints, missing
from upcall_roster.seats import Roster

_MAX_NAMED = 8
SCRIPTED = "exercise"
"""Mode of a manifest: nobody typed the messages, a session did."""

Progress = Callable[[int, int], None]


def assess(
    directory: Path,
    rubric: Rubric,
    roster: Roster | None = None,
    secret: bytes = b"",
    without: Collection[Path] = (),
    progress: Progress | None = None,
) -> Assessment:
    """Judge all captures in ``directory``. Raises FolderError.

    ``without`` are files and folders in it to pass over; ``progress`` is called with how many
    files of how many are judged.
    """
    files = find(directory, roster, without)
    judged: list[Judged] = []
    for one in files:
        judged.append(_judge(directory, rubric, secret, one))
        if progress is not None:
            progress(len(judged), len(files))
    copies = find_copies(judged)
    submissions = _scripted([_with_copies(one.submission, copies) for one in judged])
    submissions += _missing(rubric, roster, submissions)
    submissions.sort(key=lambda one: (one.owner.student.casefold(), one.owner.student, one.file))
    return Assessment(rubric, tuple(submissions), copies)


def _judge(directory: Path, rubric: Rubric, secret: bytes, capture: CaptureFile) -> Judged:
    """Judge one file, and say what is unclear about its owner."""
    path = directory / capture.file
    judged = judge_with_fingerprints(
        path, rubric, capture.owner, capture.file, secret, capture.sidecars
    )
    if not capture.possible:
        return judged
    students = ", ".join(capture.possible[:_MAX_NAMED])
    remark = Remark("owner-unclear", {"students": students}, needs_person=True)
    submission = judged.submission
    return judged._replace(submission=submission._replace(remarks=(remark, *submission.remarks)))


def _with_copies(submission: Submission, copies: Iterable[Copy]) -> Submission:
    others = [
        file
        for copy in copies
        if submission.file in copy.files
        for file in copy.files
        if file != submission.file
    ]
    if not others:
        return submission
    more = f" (+{len(others) - _MAX_NAMED})" if len(others) > _MAX_NAMED else ""
    remark = Remark("copy", {"files": ", ".join(others[:_MAX_NAMED]) + more}, needs_person=True)
    return submission._replace(remarks=(*submission.remarks, remark))


def _scripted(submissions: list[Submission]) -> list[Submission]:
    """Remark on those of whom there is nothing but what a scripted session captured."""
    own = {one.owner.student for one in submissions if one.mode != SCRIPTED}
    remark = Remark("scripted", needs_person=True)
    return [
        one._replace(remarks=(*one.remarks, remark))
        if one.mode == SCRIPTED and one.owner.on_roster and one.owner.student not in own
        else one
        for one in submissions
    ]


def _missing(
    rubric: Rubric, roster: Roster | None, submissions: Sequence[Submission]
) -> list[Submission]:
    """Return a submission for each student without a file; one that is nobody's may be theirs."""
    there = {one.owner.student for one in submissions if one.owner.on_roster}
    nobodys = sum(not one.owner.on_roster for one in submissions)
    remark = Remark("missing-or-nobodys", {"count": nobodys}) if nobodys else Remark("missing")
    return [
        missing(rubric, owner_of(student, seat), remark)
        for seat in (roster.seats if roster else ())
        for student in seat.students
        if student.student_id not in there
    ]
