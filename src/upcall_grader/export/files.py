"""The files for other programs, written to a folder."""

from __future__ import annotations

from pathlib import Path

from upcall_files.whole import save, save_pieces
from upcall_grader.export import grades_json
from upcall_grader.export.canvas import canvas_table
from upcall_grader.export.moodle import moodle_table
from upcall_grader.export.tables import grades_table
from upcall_grader.judge.results import Assessment
from upcall_grader.texts.wording import Wording


def write_exports(
    assessment: Assessment, out: Path, language: str, assignment: str = "Upcall"
) -> None:
    """Write grades.json, its schema and grades.csv; with a roster moodle.csv and canvas.csv.

    They are new files in a folder that is there, readable by their owner alone. ``assignment``
    names the column in the gradebooks. The same assessment gives the same bytes.

    Raises:
        OSError: the folder cannot be written.
    """
    wording = Wording(language)
    save_pieces(out / "grades.json", grades_json.grades(assessment, language))
    save(out / "grades.schema.json", grades_json.schema())
    save(out / "grades.csv", grades_table(assessment, wording))
    if any(submission.owner.on_roster for submission in assessment.submissions):
        save(out / "moodle.csv", moodle_table(assessment, wording, assignment))
        save(out / "canvas.csv", canvas_table(assessment, assignment))
