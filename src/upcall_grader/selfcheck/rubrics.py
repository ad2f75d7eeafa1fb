"""The rubric that a student's file is checked by."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.rubric import Rubric

EMBEDDED = "rubric.json"
"""Where ``make selfcheck RUBRIC=...`` puts the instructor's rubric, beside this module."""


def rubric_from(file: Path | None) -> Rubric:
    """Return the rubric in ``file``; without one the instructor's, or else the default one.

    Raises RubricError.
    """
    folder = resources.files("upcall_grader.selfcheck")
    # Python 3.9 takes any name in a zip for a file's.
    if file is None and EMBEDDED not in {one.name for one in folder.iterdir()}:
        return DEFAULT
    # PyYAML takes time to load, and the default rubric does not need it.
    from upcall_grader.judge.rubric_file import parse_rubric, read_rubric  # noqa: PLC0415

    if file is not None:
        return read_rubric(file)
    return parse_rubric(folder.joinpath(EMBEDDED).read_text("utf-8"), EMBEDDED)
