"""grades.csv: one row for each student of the roster, and for each other file."""

from __future__ import annotations

from collections.abc import Iterator

from upcall_grader.export.counting import awaits_person, copied, counting
from upcall_grader.export.feedback import number, remarks_line
from upcall_grader.judge.results import Assessment, Submission
from upcall_grader.texts.wording import Wording
from upcall_text.cells import Cell, table

_FIRST = ("student", "name", "group", "verdict", "points", "possible", "needs_person")


def grades_table(assessment: Assessment, wording: Wording) -> bytes:
    """Return the table as CSV: for each criterion a column of points and one of its status.

    Of a student of the roster the file that counts is in it; of others every file.
    """
    ids = [criterion.id for criterion in assessment.rubric.criteria]
    header = [*_FIRST, *(name for id_ in ids for name in (id_, f"{id_} status"))]
    copies, possible = copied(assessment), number(assessment.rubric.points)
    rows: list[list[Cell]] = [[*header, "file", "remarks"]]
    for submission in _rows(assessment):
        owner = submission.owner
        looks = "yes" if awaits_person(submission, copies) else "no"
        rows.append(
            [
                *(owner.student, owner.name, owner.group, submission.verdict.value),
                *(number(submission.points), possible, looks, *_criteria(submission, ids)),
                *(submission.file, remarks_line(submission, wording)),
            ]
        )
    return table(rows)


def _rows(assessment: Assessment) -> Iterator[Submission]:
    counts = set(map(id, counting(assessment)))
    for submission in assessment.submissions:
        if not submission.owner.on_roster or id(submission) in counts:
            yield submission


def _criteria(submission: Submission, ids: list[str]) -> Iterator[Cell]:
    judged = {judgement.criterion.id: judgement for judgement in submission.judgements}
    for id_ in ids:
        judgement = judged.get(id_)
        yield number(judgement.points) if judgement else 0
        yield judgement.status.value if judgement else ""
