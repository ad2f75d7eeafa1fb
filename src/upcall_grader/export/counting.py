"""Which file counts when a student has several, and what may become a grade."""

from __future__ import annotations

from collections.abc import Iterable

from upcall_grader.judge.results import Assessment, Submission

_RANKS = {"submission": 0, "": 0, "watch": 1}
"""How captures count by their manifest's mode ("": none), the first before all others.

A student handed it in, or typed while a session watched; any other mode comes last.
"""


def best_of(submissions: Iterable[Submission]) -> Submission:
    """Return the submission that counts, of all that one student has.

    One that the student handed in comes first, then one for which they typed while a session
    watched, then a scripted session's. Among several of these the one counts whose owner is surest
    (``Basis``): nobody's own file counts less for what another one is called. Then comes the one
    with the most points, then the one whose file is first by name.

    Raises:
        ValueError: there is none.
    """
    return min(
        submissions,
        key=lambda submission: (
            _RANKS.get(submission.mode, len(_RANKS)),
            submission.owner.basis,
            -submission.points,
            submission.file,
        ),
    )


def counting(assessment: Assessment) -> tuple[Submission, ...]:
    """Return each student's submission that counts, in the order of the assessment.

    A file of which it is not known whose it is counts for itself.
    """
    students: dict[tuple[str, str], list[Submission]] = {}
    for submission in assessment.submissions:
        students.setdefault(submission.whose, []).append(submission)
    return tuple(map(best_of, students.values()))


def copied(assessment: Assessment) -> frozenset[tuple[str, str]]:
    """Return the students (``Submission.whose``) of whom a file holds another file's capture.

    Nobody answers for what a scripted session captured at their host.
    """
    files = {file for copy in assessment.copies for file in copy.files}
    return frozenset(
        one.whose for one in assessment.submissions if one.file in files and not one.scripted
    )


def awaits_person(submission: Submission, copies: frozenset[tuple[str, str]]) -> bool:
    """Return whether the instructor has to look before this becomes a grade; ``copies``: see above.

    A copy makes its students wait, whichever of their files counts.
    """
    return submission.needs_person or submission.whose in copies
