"""Every message answered by exactly its upcall."""

from __future__ import annotations

from collections.abc import Iterable

from upcall_grader.capture.dialogue import Answer, Exchange
from upcall_grader.judge.check import Case, Check, Finding, met, not_met, not_observable
from upcall_grader.judge.connection_summary import ConnectionSummary
from upcall_grader.judge.rubric import Criterion
from upcall_grader.terminal import quoted

_SHOWN = 60  # columns of a message in a sentence


def _find(_: Criterion, case: Case) -> Finding:
    connection = case.connection
    if connection.strays and case.complete:
        data, frames = connection.strays[0]
        return not_met("upcalls-stray", frames, bytes=quoted(data, _SHOWN))
    answers = [(_answer(connection, exchange), exchange) for exchange in connection.exchanges]
    wrong = [exchange for answer, exchange in answers if answer is Answer.WRONG]
    if wrong:
        message, upcall = _quoted(wrong[0].message), _quoted(wrong[0].upcall)
        return not_met("upcalls-wrong", _frames(wrong), message=message, upcall=upcall)
    unanswered = [exchange for answer, exchange in answers if answer is Answer.NONE]
    if unanswered and not _may_follow(case, unanswered):
        message = _quoted(unanswered[0].message)
        if case.connection.server_gone:
            return not_met("upcalls-server-gone", _frames(unanswered), message=message)
        return not_met("upcalls-unanswered", _frames(unanswered), message=message)
    return _if_none_is_wrong(case, [one for answer, one in answers if answer is not Answer.YES])


def _if_none_is_wrong(case: Case, open_ones: list[Exchange]) -> Finding:
    exchanges = case.connection.exchanges
    early = [one for one in open_ones if _is_early(one)]
    if early:
        message = _quoted(early[0].message)
        return not_observable("upcalls-early", _frames(early), message=message)
    if open_ones:
        return not_observable("upcalls-unseen", _frames(open_ones), count=len(exchanges))
    if exchanges:
        return met("upcalls-met", _frames(exchanges), count=len(exchanges))
    if case.connection.refused:
        return not_met("upcalls-refused")
    if case.complete or case.unanswered:
        return not_met("upcalls-none")
    return not_observable("upcalls-none-seen")


def _answer(connection: ConnectionSummary, exchange: Exchange) -> Answer:
    """Return how a message was answered; unknown where it may be older than the capture."""
    if exchange.message is None and connection.handshake.syn is None:
        return Answer.UNKNOWN
    return exchange.answer


def _is_early(exchange: Exchange) -> bool:
    """Return whether an upcall stands before its message."""
    message, upcall = exchange.message_frames, exchange.upcall_frames
    return bool(message and upcall) and upcall < message


def _may_follow(case: Case, unanswered: list[Exchange]) -> bool:
    """Return whether the upcalls of the last messages may have come after the capture's end."""
    last = case.connection.exchanges[-len(unanswered) :]
    ended = case.connection.to_the_end and not case.dropped
    return not ended and list(last) == unanswered


def _frames(exchanges: Iterable[Exchange]) -> list[int]:
    return sorted(
        {frame for one in exchanges for frame in (*one.message_frames, *one.upcall_frames)}
    )


def _quoted(data: bytes | None) -> str:
    return quoted(data or b"", _SHOWN)


CHECK = Check(order=40, find=_find, points=25)
