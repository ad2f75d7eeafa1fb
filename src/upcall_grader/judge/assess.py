"""A folder of captures -> all judgements, and the copies among them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

from upcall_grader.judge.copies import find_copies
from upcall_grader.judge.folder import Found, find
from upcall_grader.judge.results import Assessment, Copy, Owner, Remark, Submission
from upcall_grader.judge.rubric import Rubric
from upcall_grader.judge.submission import Judged, judge_with_prints, missing
from upcall_roster.seats import Roster

_ALONE = 256
"""So many files are judged before more processes are worth their start."""
_CHUNK = 32
_MAX_NAMED = 8

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

    ``without`` are files and folders in it to pass over; ``progress`` is told how many files of how
    many are judged.
    """
    found = find(directory, roster, without)
    judged: list[Judged] = []
    for one in _judged(directory, rubric, secret, found):
        judged.append(one)
        if progress is not None:
            progress(len(judged), len(found))
    copies = find_copies(judged)
    submissions = [_with_copies(one.submission, copies) for one in judged]
    submissions += _missing(rubric, roster, submissions)
    submissions.sort(key=lambda one: (one.owner.student.casefold(), one.owner.student, one.file))
    return Assessment(rubric, tuple(submissions), copies)


def _judged(
    directory: Path, rubric: Rubric, secret: bytes, found: Sequence[Found]
) -> Iterator[Judged]:
    judge = _Judge(directory, rubric, secret)
    done = 0
    if len(found) > _ALONE and (os.cpu_count() or 1) > 1:
        try:
            for one in _side_by_side(judge, found):
                yield one
                done += 1
        except BrokenProcessPool:
            # A process was killed, for want of memory perhaps: what is left is judged here.
            pass
    yield from map(judge, found[done:])


def _side_by_side(judge: _Judge, found: Iterable[Found]) -> Iterator[Judged]:
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(mp_context=context) as pool:
        yield from pool.map(judge, found, chunksize=_CHUNK)


class _Judge:
    """Judges files of one folder; goes to other processes as it is."""

    def __init__(self, directory: Path, rubric: Rubric, secret: bytes) -> None:
        self._directory = directory
        self._rubric = rubric
        self._secret = secret

    def __call__(self, found: Found) -> Judged:
        """One file."""
        return judge_with_prints(
            self._directory / found.file,
            self._rubric,
            found.owner,
            found.file,
            self._secret,
            found.companions,
        )


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
    return replace(submission, remarks=(*submission.remarks, remark))


def _missing(
    rubric: Rubric, roster: Roster | None, submissions: Iterable[Submission]
) -> list[Submission]:
    there = {submission.owner.student for submission in submissions}
    return [
        missing(
            rubric,
            Owner(
                student.student_id,
                student.name,
                student.email,
                ", ".join(seat.groups),
                seat.host,
                on_roster=True,
            ),
        )
        for seat in (roster.seats if roster else ())
        for student in seat.students
        if student.student_id not in there
    ]
