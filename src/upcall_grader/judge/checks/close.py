"""FIN from both sides, both acknowledged."""

from __future__ import annotations

from upcall_grader.judge.check import (
    NANOSECONDS,
    Case,
    Check,
    Finding,
    met,
    not_met,
    not_observable,
)
from upcall_grader.judge.connection_summary import ConnectionSummary
from upcall_grader.judge.rubric import Criterion

_PATIENCE_SECONDS = 30
"""A connection without a packet for so long, while the capture went on, was not being closed: a FIN
without an answer is sent again after about a second (RFC 6298 section 2)."""


def _find(_: Criterion, case: Case) -> Finding:
    connection = case.connection
    if connection.closed:
        client_first = (connection.client_end.fin or 0) < (connection.server_end.fin or 0)
        first = "client" if client_first else "server"
        return met("close-met", connection.close_frames, first=first)
    if connection.refused:
        return not_met("close-refused", connection.reset_frames)
    if connection.server_gone and not case.dropped:
        return not_met("close-server-gone", connection.reset_frames)
    if connection.resets and not case.dropped:
        return not_met("close-reset", connection.reset_frames, by=connection.reset_by)
    waited = _seconds_after(case)
    if waited >= _PATIENCE_SECONDS and not case.dropped:
        return not_met("close-open", [connection.last_frame], seconds=waited)
    if not connection.close_frames:
        return not_observable("close-unseen", [connection.last_frame])
    return not_observable("close-part", connection.close_frames, missing=_missing(connection))


def _seconds_after(case: Case) -> int:
    """Return how long the capture went on behind the connection's last packet."""
    last, end = case.connection.last_time, case.capture.last_time
    return 0 if last is None or end is None else (end - last) // NANOSECONDS


def _missing(connection: ConnectionSummary) -> str:
    ends = (("client", connection.client_end), ("server", connection.server_end))
    missing = [f"FIN ({side})" for side, end in ends if end.fin is None]
    missing = missing or [f"ACK (FIN, {side})" for side, end in ends if end.acked is None]
    return ", ".join(missing)


CHECK = Check(order=50, find=_find, points=20)
