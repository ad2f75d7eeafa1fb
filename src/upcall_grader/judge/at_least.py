"""For checks of something that has to be there at least so many times."""

from __future__ import annotations

from collections.abc import Iterable

from upcall_grader.judge.check import Case, Finding, met, not_met, not_observable
from upcall_grader.judge.parameters import Parameter, whole_number

LEAST = {"least": Parameter(whole_number("least", 1, 1000), default=2)}
"""The parameter of such a check."""


def at_least(case: Case, name: str, count: int, least: int, frames: Iterable[int]) -> Finding:
    """Return the finding of the check ``name``, of whose subject ``count`` are in the capture."""
    if count >= least:
        return met(f"{name}-met", frames, count=count)
    if case.connection.refused:
        return not_met(f"{name}-refused", frames)
    if case.complete or case.unanswered:
        return not_met(f"{name}-few", frames, count=count, least=least)
    return not_observable(f"{name}-unseen", frames, count=count, least=least)
