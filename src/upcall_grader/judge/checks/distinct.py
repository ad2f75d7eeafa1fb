"""So many different messages."""

from __future__ import annotations

from upcall_grader.judge.at_least import LEAST, at_least
from upcall_grader.judge.check import Case, Check, Finding
from upcall_grader.judge.rubric import Criterion


def _find(criterion: Criterion, case: Case) -> Finding:
    count, frames = len(set(case.connection.messages)), case.connection.message_frames
    return at_least(case, "distinct", count, criterion.whole("least"), frames)


CHECK = Check(order=70, find=_find, parameters=LEAST)
