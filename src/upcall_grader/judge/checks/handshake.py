"""SYN, SYN+ACK, ACK."""

from __future__ import annotations

from upcall_grader.judge.check import Case, Check, Finding, met, not_met, not_observable
from upcall_grader.judge.rubric import Criterion


def _find(_: Criterion, case: Case) -> Finding:
    connection, handshake = case.connection, case.connection.handshake
    if handshake.complete:
        return met("handshake-met", handshake.frames)
    if connection.refused:
        return not_met("handshake-refused", (*handshake.frames, *connection.reset_frames))
    if handshake.syn is None and handshake.syn_ack is None:
        return not_observable("handshake-before", [connection.first_frame])
    if case.unanswered:
        return not_met("handshake-unanswered", handshake.frames)
    parts = {"SYN": handshake.syn, "SYN+ACK": handshake.syn_ack, "ACK": handshake.ack}
    missing = ", ".join(name for name, frame in parts.items() if frame is None)
    return not_observable("handshake-lost", handshake.frames, missing=missing)


CHECK = Check(order=20, find=_find, points=25)
