"""The criteria of a rubric, judged by their checks."""

from __future__ import annotations

from collections.abc import Sequence

from upcall_grader.judge.capture_summary import MAX_FRAMES
from upcall_grader.judge.check import Case, Finding, not_seen
from upcall_grader.judge.checks import CHECKS
from upcall_grader.judge.results import Judgement, Remark, Status
from upcall_grader.judge.rubric import Criterion


def judge_all(criteria: tuple[Criterion, ...], case: Case) -> tuple[Judgement, ...]:
    """Return the judgements of all criteria of one connection."""
    return tuple(judge(criterion, case) for criterion in criteria)


def judge(criterion: Criterion, case: Case) -> Judgement:
    """Return the judgement of one criterion of one connection."""
    return _judgement(criterion, CHECKS[criterion.check].find(criterion, case))


def judge_without_traffic(criterion: Criterion, port: int) -> Judgement:
    """Return the judgement of one criterion of a file in which nothing has to do with ``port``."""
    return _judgement(criterion, CHECKS[criterion.check].find_without_traffic(port))


def is_met(criterion: Criterion, case: Case) -> bool:
    """Return whether a connection meets a criterion.

    What else the file holds plays no part, unless the check is ``of_the_file``.
    """
    return CHECKS[criterion.check].find(criterion, case).status is Status.MET


def unseen(criterion: Criterion) -> Judgement:
    """Return the judgement of one criterion where there is no capture."""
    return _judgement(criterion, not_seen())


def _judgement(criterion: Criterion, finding: Finding) -> Judgement:
    points = criterion.points if finding.status is Status.MET else 0
    frames = finding.frames[:MAX_FRAMES]
    remark = Remark(finding.code, finding.values, needs_person=finding.needs_person)
    shown = display_filter(frames)
    return Judgement(criterion, finding.status, points, remark, frames, shown)


def display_filter(frames: Sequence[int]) -> str:
    """Return Wireshark's display filter that shows just these frames; "" for none.

    Source: the section on the membership operator in wireshark-filter(4).
    """
    if not frames:
        return ""
    runs: list[list[int]] = []
    for frame in sorted(set(frames)):
        if runs and runs[-1][1] == frame - 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    if len(runs) == 1 and runs[0][0] == runs[0][1]:
        return f"frame.number == {runs[0][0]}"
    shown = (str(low) if low == high else f"{low}..{high}" for low, high in runs)
    return f"frame.number in {{{', '.join(shown)}}}"
