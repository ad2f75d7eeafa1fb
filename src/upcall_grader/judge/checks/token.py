"""The student's token in a message (``upcall-grade tokens``)."""

from __future__ import annotations

from upcall_grader.judge.check import (
    Case,
    Check,
    Finding,
    met,
    not_decidable,
    not_met,
    not_observable,
)
from upcall_grader.judge.rubric import Criterion


def _find(_: Criterion, case: Case) -> Finding:
    if not case.token:
        return not_decidable("token-unknown")
    token = case.token.encode()
    # In whichever connection it was typed, it was typed by this student.
    for exchange in (*case.connection.exchanges, *case.capture.exchanges):
        if exchange.message is not None and token in exchange.message.lower():
            return met("token-met", exchange.message_frames)
    frames = case.connection.message_frames
    every_exchange_listed = case.capture.exchange_count == len(case.capture.exchanges)
    if case.complete and every_exchange_listed:
        return not_met("token-absent", frames, student=case.student)
    return not_observable("token-unseen", frames)


CHECK = Check(order=80, find=_find, of_the_file=True)
