"""canvas.csv: for *Import* in Canvas' gradebook.

What Canvas does with such a file (lib/gradebook_importer.rb in its sources), and what follows here:

- The first row begins with ``Student,ID,SIS User ID,SIS Login ID,Section``. Every further column is
  an assignment, made anew if there is none of that name: so there is one, and no room for feedback.
- A row whose first cell holds ``Points Possible`` tells the assignments' points; it is the second.
  A student who is called so gets the student id for a name.
- A student is looked for by ``ID``, then ``SIS User ID``, then ``SIS Login ID``, then by name.
  ``ID`` is Canvas' own number, which no roster holds: a student id there would hit somebody else,
  so it is empty. The other two hold the student id: in most places one of them is that number.
- Students whom Canvas does not find have to be matched by hand: so students of the roster alone.
- An empty cell is no grade, ``0`` is a zero. So whatever a person has to look at, a student without
  a file included, is empty. The reason is in grades.csv and in the report.
- Which of ``,`` and ``;`` divides the cells is told from the first three lines: so there is no line
  break in a cell.
"""

from __future__ import annotations

from upcall_grader.export.counting import awaits_person, copied, counting
from upcall_grader.export.feedback import number
from upcall_grader.judge.results import Assessment, Owner
from upcall_text.cells import Cell, table

NO_GRADE = ""
POINTS_POSSIBLE = "Points Possible"


def canvas_table(assessment: Assessment, assignment: str) -> bytes:
    """Return the file's bytes; its grade column is called ``assignment``."""
    copies = copied(assessment)
    rows: list[list[Cell]] = [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment],
        [f"    {POINTS_POSSIBLE}", "", "", "", "", number(assessment.rubric.points)],
    ]
    for submission in counting(assessment):
        owner = submission.owner
        if owner.on_roster:
            grade = NO_GRADE if awaits_person(submission, copies) else number(submission.points)
            who = [_name(owner), "", owner.student, owner.student, owner.group]
            rows.append([*who, grade])
    return table(rows)


def _name(owner: Owner) -> str:
    usable = owner.name and POINTS_POSSIBLE not in owner.name
    return owner.name if usable else owner.student
