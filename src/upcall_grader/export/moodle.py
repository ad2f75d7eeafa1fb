r"""moodle.csv: for *Import* in Moodle's gradebook.

What Moodle does with such a file (docs.moodle.org, "Grade import"; grade/import/csv and
lib/csvlib.class.php in its sources), and what follows here:

- The teacher names one column that tells who it is, as "ID number" or "Email address". One unknown
  user, or one that is not in the group, ends the whole import: so students of the roster alone.
- A row whose identification is empty is counted to the student of the row before. So "Email
  address" is there only if every student has one that can be written as it is.
- A row with more or fewer cells than the first ends the import. PHP reads ``\"`` in a quoted cell
  as no end of it: so no cell has double quotes in it, or ends with a backslash.
- Feedback that is imported without its grade removes the grade: both columns are there, side by
  side.
- For no grade the file says ``-``, as Moodle's own export does. An empty cell would do for a column
  that exists, but in a new one the database makes 0 of it. So whatever a person has to look at, a
  student without a file included, comes as ``-``, with the reason in the feedback: nobody gets a
  zero that nobody gave. (Over an earlier grade ``-`` means: none.)
- A grade above the column's maximum ends the import; a new column has 100.
- Feedback is shown as HTML: angle brackets become single angle quotes.
"""

from __future__ import annotations

from upcall_grader.export.counting import awaits_person, copied, counting
from upcall_grader.export.feedback import number, points_line, remarks_line
from upcall_grader.judge.results import Assessment
from upcall_grader.texts.wording import Wording
from upcall_text.cells import Cell, harmless, table

NO_GRADE = "-"
_SHOWN = str.maketrans({"<": "‹", ">": "›", '"': "'"})  # noqa: RUF001  # these are meant


def moodle_table(assessment: Assessment, wording: Wording, assignment: str) -> bytes:
    """Return the file's bytes; its grade column is called ``assignment``."""
    students = [submission for submission in counting(assessment) if submission.owner.on_roster]
    emails = [submission.owner.email for submission in students]
    with_email = all(email and _text(email) == email for email in emails)
    copies, possible, title = copied(assessment), assessment.rubric.points, _text(assignment)
    who = ["ID number", "Email address"] if with_email else ["ID number"]
    rows: list[list[Cell]] = [[*who, title, f"{title} (Feedback)"]]
    for submission, email in zip(students, emails, strict=True):
        is_open = awaits_person(submission, copies)
        line = points_line(submission, possible, is_open, wording.language)
        who = [submission.owner.student, email] if with_email else [submission.owner.student]
        grade = NO_GRADE if is_open else number(submission.points)
        rows.append([*who, grade, _text(f"{line} {remarks_line(submission, wording)}")])
    return table(rows)


def _text(text: str) -> str:
    shown = harmless(text.translate(_SHOWN)).strip()
    return f"{shown}." if shown.endswith("\\") else shown
