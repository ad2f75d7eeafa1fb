"""How each criterion is looked for, in the connection that is judged.

Every check follows one rule: *not met* only where the file shows that it was not so; *not
observable* where the file does not hold what would show it.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from upcall_grader.capture.dialogue import Answer, Exchange
from upcall_grader.capture.packets import address_text
from upcall_grader.judge.capture_summary import MAX_FRAMES, CaptureSummary
from upcall_grader.judge.connection_summary import ConnectionSummary
from upcall_grader.judge.results import Judgement, Remark, Status
from upcall_grader.judge.rubric import Criterion
from upcall_grader.terminal import quoted

PATIENCE_SECONDS = 30
"""A connection without a packet for so long, while the capture went on, was not being closed: a FIN
without an answer is sent again after about a second (RFC 6298 section 2)."""

_SHOWN = 60  # columns of a message in a sentence
_NANOSECONDS = 1_000_000_000
_SIDES = {True: "client", False: "server"}


class Case(NamedTuple):
    """All that a check may look at.

    ``dropped`` is how many packets the manifest says were lost. ``networks`` are the lab's own, as
    the manifest tells them. ``student`` and ``token`` are empty where nobody told them.
    """

    capture: CaptureSummary
    connection: ConnectionSummary
    port: int
    dropped: int = 0
    networks: tuple[str, ...] = ()
    student: str = ""
    token: str = ""

    @property
    def complete(self) -> bool:
        """Whether what is not in the file did not happen."""
        return self.connection.from_start_to_end and not self.dropped


class Finding(NamedTuple):
    """How a check ended; ``code`` and ``values`` are its remark's."""

    status: Status
    code: str
    values: Mapping[str, str | int] = {}
    frames: tuple[int, ...] = ()


Check = Callable[[Criterion, Case], Finding]


def judge_all(criteria: tuple[Criterion, ...], case: Case) -> tuple[Judgement, ...]:
    """All criteria of one connection."""
    return tuple(judge(criterion, case) for criterion in criteria)


def judge(criterion: Criterion, case: Case) -> Judgement:
    """One criterion of one connection."""
    status, code, values, frames = CHECKS[criterion.check](criterion, case)
    points = criterion.points if status is Status.MET else 0
    frames = frames[:MAX_FRAMES]
    shown = display_filter(frames)
    return Judgement(criterion, status, points, Remark(code, values), frames, shown)


def is_met(criterion: Criterion, case: Case) -> bool:
    """Return whether a connection meets a criterion.

    What else the file holds plays no part, unless the check is one of ``OF_THE_FILE``.
    """
    return CHECKS[criterion.check](criterion, case).status is Status.MET


def unseen(criterion: Criterion) -> Judgement:
    """A criterion of a file that holds nothing of the lab."""
    return Judgement(criterion, Status.NOT_OBSERVABLE, 0, Remark("not-seen"))


def no_traffic(criterion: Criterion, port: int) -> Judgement:
    """The criterion ``traffic`` of a file without any."""
    return Judgement(criterion, Status.NOT_MET, 0, Remark("traffic-none", {"port": port}))


def display_filter(frames: Sequence[int]) -> str:
    """Wireshark's display filter that shows just these frames; "" for none.

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


def _met(code: str, frames: Iterable[int], **values: str | int) -> Finding:
    return Finding(Status.MET, code, values, tuple(frames))


def _not_met(code: str, frames: Iterable[int] = (), **values: str | int) -> Finding:
    return Finding(Status.NOT_MET, code, values, tuple(frames))


def _hidden(code: str, frames: Iterable[int] = (), **values: str | int) -> Finding:
    return Finding(Status.NOT_OBSERVABLE, code, values, tuple(frames))


def _traffic(_: Criterion, case: Case) -> Finding:
    capture = case.capture
    return _met("traffic-met", capture.lab_frames, segments=capture.segments, port=case.port)


def _handshake(_: Criterion, case: Case) -> Finding:
    handshake, frames = case.connection.handshake, case.connection.handshake.frames
    if handshake.complete:
        return _met("handshake-met", frames)
    if case.connection.refused:
        return _not_met(
            "handshake-refused", [*frames, *(frame for frame, _ in case.connection.resets)]
        )
    if handshake.syn is None and handshake.syn_ack is None:
        return _hidden("handshake-before", [case.connection.first_frame])
    if _only_syn(case):
        return _not_met("handshake-unanswered", frames)
    parts = {"SYN": handshake.syn, "SYN+ACK": handshake.syn_ack, "ACK": handshake.ack}
    missing = ", ".join(name for name, frame in parts.items() if frame is None)
    return _hidden("handshake-lost", frames, missing=missing)


def _only_syn(case: Case) -> bool:
    """Nothing but SYNs, and time enough went by for an answer that nothing lost."""
    summary = case.connection
    only = summary.handshake.syn is not None and not summary.answered and not summary.resets
    began, end = summary.first_time, case.capture.last_time
    waited = began is not None and end is not None and end - began >= _NANOSECONDS
    return only and summary.whole and waited and not case.dropped


def _few(case: Case, kind: str, count: int, least: int, frames: Iterable[int]) -> Finding:
    """So many of something that has to be there ``least`` times."""
    if count >= least:
        return _met(f"{kind}-met", frames, count=count)
    if case.complete or _only_syn(case):
        return _not_met(f"{kind}-few", frames, count=count, least=least)
    return _hidden(f"{kind}-unseen", frames, count=count, least=least)


def _messages(criterion: Criterion, case: Case) -> Finding:
    least = criterion.whole("least")
    return _few(
        case, "messages", len(case.connection.messages), least, _message_frames(case.connection)
    )


def _distinct(criterion: Criterion, case: Case) -> Finding:
    least, count = criterion.whole("least"), len(set(case.connection.messages))
    return _few(case, "distinct", count, least, _message_frames(case.connection))


def _message_frames(summary: ConnectionSummary) -> list[int]:
    return [frame for found in summary.exchanges for frame in found.message_frames]


def _upcalls(_: Criterion, case: Case) -> Finding:
    summary = case.connection
    if summary.strays and case.complete:
        data, frames = summary.strays[0]
        return _not_met("upcalls-stray", frames, bytes=quoted(data, _SHOWN))
    wrong = [
        found
        for found in summary.exchanges
        if found.answer is Answer.WRONG and not _before(summary, found)
    ]
    if wrong:
        first = wrong[0]
        return _not_met(
            "upcalls-wrong",
            _frames(wrong),
            message=quoted(first.message or b"", _SHOWN),
            upcall=quoted(first.upcall or b"", _SHOWN),
        )
    unanswered = [found for found in summary.exchanges if found.answer is Answer.NONE]
    unknown = [
        found
        for found in summary.exchanges
        if found.answer is Answer.UNKNOWN or _before(summary, found)
    ]
    if unanswered and not _may_follow(case, unanswered):
        first = unanswered[0]
        return _not_met(
            "upcalls-unanswered", _frames(unanswered), message=quoted(first.message or b"", _SHOWN)
        )
    count = len(summary.exchanges)
    if unanswered or unknown:
        return _hidden("upcalls-unseen", _frames([*unanswered, *unknown]), count=count)
    if not count:
        none = case.complete or _only_syn(case)
        return _not_met("upcalls-none") if none else _hidden("upcalls-none-seen")
    return _met("upcalls-met", _frames(summary.exchanges), count=count)


def _before(summary: ConnectionSummary, found: Exchange) -> bool:
    """Whether an upcall's message may have come before the capture began."""
    return found.message is None and summary.handshake.syn is None


def _may_follow(case: Case, unanswered: list[Exchange]) -> bool:
    """Whether the upcalls of the last messages may have come after the capture's end."""
    last = case.connection.exchanges[-len(unanswered) :]
    return not case.complete and list(last) == unanswered


def _frames(exchanges: Iterable[Exchange]) -> list[int]:
    return sorted(
        {frame for found in exchanges for frame in found.message_frames + found.upcall_frames}
    )


def _close(_: Criterion, case: Case) -> Finding:
    summary, frames = case.connection, case.connection.close_frames
    if summary.closed:
        first = (summary.client_end.fin or 0) < (summary.server_end.fin or 0)
        return _met("close-met", frames, first=_SIDES[first])
    if summary.resets and not case.dropped:
        return _not_met(
            "close-reset", [frame for frame, _ in summary.resets], by=_SIDES[summary.resets[0][1]]
        )
    waited = _seconds_after(case)
    if waited >= PATIENCE_SECONDS and not case.dropped:
        return _not_met("close-open", [summary.last_frame], seconds=waited)
    if not frames:
        return _hidden("close-unseen", [summary.last_frame])
    ends = (("client", summary.client_end), ("server", summary.server_end))
    missing = [f"FIN ({side})" for side, end in ends if end.fin is None]
    missing = missing or [f"ACK (FIN, {side})" for side, end in ends if end.acked is None]
    return _hidden("close-part", frames, missing=", ".join(missing))


def _seconds_after(case: Case) -> int:
    """How long the capture went on behind the connection's last packet."""
    last, end = case.connection.last_time, case.capture.last_time
    return 0 if last is None or end is None else (end - last) // _NANOSECONDS


def _no_reset(_: Criterion, case: Case) -> Finding:
    if not case.connection.resets:
        return _met("no-reset-met", ())
    frames = [frame for frame, _ in case.connection.resets]
    return _not_met("no-reset-sent", frames, by=_SIDES[case.connection.resets[0][1]])


def _token(_: Criterion, case: Case) -> Finding:
    if not case.token:
        return _hidden("token-unknown")
    token = case.token.encode()
    # In whichever connection it was typed, it was typed by this student.
    for found in (*case.connection.exchanges, *case.capture.exchanges):
        if found.message is not None and token in found.message.lower():
            return _met("token-met", found.message_frames)
    frames = _message_frames(case.connection)
    known = case.complete and case.capture.exchange_count == len(case.capture.exchanges)
    code = "token-absent" if known else "token-unseen"
    status = Status.NOT_MET if known else Status.NOT_OBSERVABLE
    return Finding(status, code, {"student": case.student}, tuple(frames))


def _window(criterion: Criterion, case: Case) -> Finding:
    began = case.connection.first_time
    if began is None:
        return _hidden("window-no-time", [case.connection.first_frame])
    low, high = str(criterion.parameters["from"]), str(criterion.parameters["to"])
    try:
        moment = datetime.datetime.fromtimestamp(began // _NANOSECONDS, tz=datetime.UTC)
    except (OverflowError, OSError, ValueError):  # a time that no calendar has
        return _hidden("window-no-time", [case.connection.first_frame])
    told = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    inside = datetime.datetime.fromisoformat(low) <= moment <= datetime.datetime.fromisoformat(high)
    if inside:
        return _met("window-met", [case.connection.first_frame], time=told)
    values = {"time": told, "from": low, "to": high}
    return Finding(Status.NOT_MET, "window-outside", values, (case.connection.first_frame,))


def _network(criterion: Criterion, case: Case) -> Finding:
    told = criterion.texts("networks") or case.networks
    if not told:
        return _hidden("network-unknown")
    networks = [ipaddress.ip_network(network) for network in told]
    client, server = case.connection.client[0], case.connection.server[0]
    both = all(
        any(ipaddress.ip_address(address) in network for network in networks)
        for address in (client, server)
    )
    code = "network-met" if both else "network-other"
    values = {"client": address_text(client), "server": address_text(server)}
    status = Status.MET if both else Status.NOT_MET
    return Finding(status, code, values, (case.connection.first_frame,))


CHECKS: dict[str, Check] = {
    "traffic": _traffic,
    "handshake": _handshake,
    "messages": _messages,
    "upcalls": _upcalls,
    "close": _close,
    "no-reset": _no_reset,
    "token": _token,
    "distinct": _distinct,
    "window": _window,
    "network": _network,
}
"""Name of a check -> the check."""

OF_THE_FILE = frozenset(("token",))
"""Checks that are met for a whole file as soon as one of its connections meets them."""

UNTOLD = frozenset(("network-unknown", "token-unknown"))
"""Remarks on what neither rubric nor manifest nor file name tells: no new capture would help."""
