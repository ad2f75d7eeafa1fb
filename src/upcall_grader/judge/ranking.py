"""Which connection of a capture is judged: the one that is worth most by the rubric."""

from __future__ import annotations

from collections.abc import Callable

from upcall_grader.judge.capture_summary import CaptureSummary, Rank
from upcall_grader.judge.check import Case
from upcall_grader.judge.checks import CHECKS
from upcall_grader.judge.connection_summary import ConnectionSummary
from upcall_grader.judge.criteria import is_met
from upcall_grader.judge.rubric import Rubric

CaseOf = Callable[[CaptureSummary, ConnectionSummary], Case]
"""Gives the case of a capture and one of its connections."""


def ranked_by(rubric: Rubric, case_of: CaseOf) -> Rank:
    """Return what ranks a connection: by its points, then by how many messages were answered.

    A connection is ranked as soon as it has ended. Whether it meets a criterion is known by then:
    the rest of the file decides only why it does not. What counts for the whole file, whichever
    connection meets it, ranks none above another.
    """
    own = [one for one in rubric.criteria if not CHECKS[one.check].of_the_file]

    def rank(connection: ConnectionSummary) -> tuple[float, int]:
        case = case_of(CaptureSummary(), connection)
        points = sum(one.points for one in own if is_met(one, case))
        return round(points, 2), connection.answered_messages

    return rank
