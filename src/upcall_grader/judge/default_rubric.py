"""The rubric where none is named: the checks that have points of their own."""

from __future__ import annotations

from upcall_grader.judge.checks import CHECKS
from upcall_grader.judge.rubric import Criterion, Rubric

DEFAULT = Rubric(
    tuple(
        Criterion(name, name, float(check.points), parameters=check.defaults)
        for name, check in CHECKS.items()
        if check.points is not None
    )
)
"""The default rubric."""
