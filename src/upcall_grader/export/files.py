"""The files for other programs, written to a folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from upcall_grader.export import grades_json
from upcall_grader.export.canvas import canvas_table
from upcall_grader.export.moodle import moodle_table
from upcall_grader.export.tables import grades_table
from upcall_grader.judge.results import Assessment
from upcall_grader.texts.wording import Wording


def write_exports(
    assessment: Assessment, out: Path, language: str, assignment: str = "Upcall"
) -> bool:
    """Write grades.json, its schema and grades.csv; with a roster moodle.csv and canvas.csv.

    Each is written whole or not at all, readable by its owner alone. Without a roster those of an
    earlier run are removed, since they would tell other grades. ``assignment`` names the column in
    the gradebooks. The same assessment gives the same bytes.

    Returns whether anything in the folder was changed.

    Raises:
        OSError: the folder cannot be made or written.
    """
    wording = Wording(language)
    grades = grades_json.grades(assessment, language)
    has_roster = any(submission.owner.on_roster for submission in assessment.submissions)
    wanted = {
        "grades.json": grades_json.as_bytes(grades),
        "grades.schema.json": grades_json.schema(),
        "grades.csv": grades_table(assessment, wording),
        "moodle.csv": moodle_table(assessment, wording, assignment) if has_roster else None,
        "canvas.csv": canvas_table(assessment, assignment) if has_roster else None,
    }
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    changes = [_put(out / name, data) for name, data in wanted.items()]
    return any(changes)


def _put(file: Path, data: bytes | None) -> bool:
    """Write these bytes to a file, or (None) remove it; return whether that was a change."""
    if data is None:
        is_there = file.exists()
        file.unlink(missing_ok=True)
        return is_there
    if file.is_file() and file.read_bytes() == data:
        return False
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink()
        raise
    return True
