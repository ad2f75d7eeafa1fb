"""A folder of captures -> all judgements, and the copies among them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from upcall_grader.capture.limits import DEFAULT_LIMITS, Limits
from upcall_grader.judge.copies import find_copies
from upcall_grader.judge.folder import CaptureFile, find, owner_of
from upcall_grader.judge.results import Assessment, Copy, Remark, Submission
from upcall_grader.judge.rubric import Rubric
from upcall_grader.judge.submission import Judged, judge_with_fingerprints, missing
from upcall_roster.seats import Roster

_MAX_NAMED = 8

Progress = Callable[[int, int], None]


def assess(
    directory: Path,
    rubric: Rubric,
    roster: Roster | None = None,
    secret: bytes = b"",
    without: Collection[Path] = (),
    progress: Progress | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Assessment:
    """Judge all captures in ``directory``. Raises FolderError.

    ``without`` are files and folders in it to pass over; ``progress`` is called with how many
    files of how many are judged.
    """
    files, passed_over = find(directory, roster, without)
    judged: list[Judged] = []
    for one in files:
        judged.append(_judge(directory, rubric, secret, one, limits))
        if progress is not None:
            progress(len(judged), len(files))
    copies = find_copies(judged)
    submissions = _with_copies([one.submission for one in judged], copies)
    submissions = _scripted(submissions)
    submissions += _missing(rubric, roster, submissions)
    submissions.sort(key=lambda one: (one.owner.student.casefold(), one.owner.student, one.file))
    return Assessment(rubric, tuple(submissions), copies, passed_over)


def _judge(
    directory: Path, rubric: Rubric, secret: bytes, capture: CaptureFile, limits: Limits
) -> Judged:
    """Judge one file, and say what is unclear about its owner."""
    path = directory / capture.file
    judged = judge_with_fingerprints(
        path,
        rubric,
        capture.owner,
        capture.file,
        secret,
        capture.sidecars,
        capture.believed,
        limits,
    )
    if not capture.possible:
        return judged
    students = ", ".join(capture.possible[:_MAX_NAMED])
    remark = Remark("owner-unclear", {"students": students}, needs_person=True)
    submission = judged.submission
    return judged._replace(submission=submission._replace(remarks=(remark, *submission.remarks)))


def _with_copies(submissions: list[Submission], copies: Sequence[Copy]) -> list[Submission]:
    """Remark on the files that hold one capture, and on all other files of the same students.

    Else a better file beside the copy would become a grade, and nobody would look.
    """
    others: dict[str, list[str]] = {
        file: [other for other in copy.files if other != file]
        for copy in copies
        for file in copy.files
    }
    files: dict[tuple[str, str], list[str]] = {}
    for one in submissions:
        if one.file in others and not one.scripted:
            files.setdefault(one.whose, []).append(one.file)

    def remarked(one: Submission) -> Submission:
        if one.file in others:
            remark = Remark("copy", {"files": _some(others[one.file])}, needs_person=True)
        elif one.whose in files:
            remark = Remark("copy-beside", {"files": _some(files[one.whose])}, needs_person=True)
        else:
            return one
        return one._replace(remarks=(*one.remarks, remark))

    return [remarked(one) for one in submissions]


def _some(files: Sequence[str]) -> str:
    more = f" (+{len(files) - _MAX_NAMED})" if len(files) > _MAX_NAMED else ""
    return ", ".join(files[:_MAX_NAMED]) + more


def _scripted(submissions: list[Submission]) -> list[Submission]:
    """Remark on those of whom there is nothing but what a scripted session captured.

    Without a roster a host is its student, as for whoever collects captures.
    """
    own = {one.whose for one in submissions if not one.scripted}
    remark = Remark("scripted", needs_person=True)
    return [
        one._replace(remarks=(*one.remarks, remark))
        if one.scripted and one.whose not in own
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
