"""Segments on the lab's port."""

from __future__ import annotations

from upcall_grader.judge.check import Case, Check, Finding, met, not_met
from upcall_grader.judge.rubric import Criterion


def _find(_: Criterion, case: Case) -> Finding:
    capture = case.capture
    return met("traffic-met", capture.lab_frames, segments=capture.segments, port=case.port)


def _find_without_traffic(port: int) -> Finding:
    return not_met("traffic-none", port=port)


CHECK = Check(order=10, find=_find, points=10, find_without_traffic=_find_without_traffic)
