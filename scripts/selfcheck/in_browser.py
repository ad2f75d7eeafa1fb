"""Checks one file in the browser's own Python; ``worker.js`` calls it."""

from __future__ import annotations

from pathlib import Path

from upcall_grader.selfcheck.checking import check_file
from upcall_grader.selfcheck.rubrics import rubric_from

RUBRIC = rubric_from(None)


def check(path: str, language: str) -> tuple[str, float, str]:
    """Return verdict, points and page of one file, by the rubric that the page was made with."""
    checked = check_file(Path(path), RUBRIC, language)
    return str(checked.verdict), checked.points, checked.page
