"""How a submission stands, for whoever colours it: by what was reached, not by having a grade."""

from __future__ import annotations

from upcall_grader.judge.results import Submission, Verdict
from upcall_grader.pythons import StrEnum


class Standing(StrEnum):
    """What is left to do: nothing, a part, most of it; or nothing was handed in."""

    FULL = "full"
    PART = "part"
    POOR = "poor"
    MISSING = "missing"


_UNGRADED = {Verdict.RECAPTURE: Standing.PART, Verdict.MISSING: Standing.MISSING}


def standing(submission: Submission, possible: float) -> Standing:
    """Return how a submission stands of which ``possible`` points can be reached."""
    if submission.verdict is not Verdict.GRADED:
        return _UNGRADED.get(submission.verdict, Standing.POOR)
    if submission.points >= possible:
        return Standing.FULL
    return Standing.PART if 2 * submission.points >= possible else Standing.POOR
