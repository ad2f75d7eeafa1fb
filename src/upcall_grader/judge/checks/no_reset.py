"""No segment with RST."""

from __future__ import annotations

from upcall_grader.judge.check import Case, Check, Finding, met, not_met
from upcall_grader.judge.rubric import Criterion


def _find(_: Criterion, case: Case) -> Finding:
    connection = case.connection
    if not connection.resets:
        return met("no-reset-met")
    if connection.refused:
        return not_met("no-reset-refused", connection.reset_frames)
    if connection.server_gone:
        return not_met("no-reset-server-gone", connection.reset_frames)
    return not_met("no-reset-sent", connection.reset_frames, by=connection.reset_by)


CHECK = Check(order=60, find=_find, points=5)
