"""``write_report``: the page of the class and the students' pages, as files that need nothing."""

from __future__ import annotations

from pathlib import Path

from upcall_files.whole import make_folder, save
from upcall_grader.judge.earlier_results import MARKER, REPORT
from upcall_grader.judge.results import Assessment
from upcall_grader.report.course import course_page
from upcall_grader.report.names import page_names
from upcall_grader.report.rendering import CLASS, STUDENT, Pages
from upcall_grader.report.student import student_page

_MARKED = b"Written by upcall-grade, which replaces this whole folder at its next run.\n"


def write_report(assessment: Assessment, directory: Path, out: Path, language: str) -> None:
    """Write ``out/report``: ``index.html``, and ``students/<name>.html`` for each submission.

    ``directory`` is the folder that was graded: the connections are drawn from its files. The same
    assessment and files give the same bytes. The folder is new, and for its owner alone.

    Raises:
        OSError: it is there already, or ``out`` cannot be written.
    """
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = out / REPORT
    make_folder(place)
    save(place / MARKER, _MARKED)
    pages, names = Pages(language), page_names(assessment.submissions)
    course = course_page(assessment, names, pages.phrases, pages.wording)
    save(place / "index.html", pages.html(CLASS, course).encode())
    copied = {file for copy in assessment.copies for file in copy.files}
    make_folder(place / "students")
    for submission, name in zip(assessment.submissions, names, strict=True):
        page = student_page(
            submission,
            assessment.rubric,
            directory,
            submission.file in copied,
            pages.phrases,
            pages.wording,
        )
        save(place / "students" / name, pages.html(STUDENT, page).encode())
