"""The connection begun in a certain time."""

from __future__ import annotations

import datetime

from upcall_grader.judge.check import (
    NANOSECONDS,
    Case,
    Check,
    Finding,
    met,
    not_met,
    not_observable,
)
from upcall_grader.judge.parameters import Parameter, Parameters
from upcall_grader.judge.rubric import Criterion

_EXAMPLE = "2026-11-23T08:00:00+07:00"


def _find(criterion: Criterion, case: Case) -> Finding:
    frames = [case.connection.first_frame]
    began = _moment(case.connection.first_time)
    if began is None:
        return not_observable("window-no-time", frames)
    time = began.strftime("%Y-%m-%d %H:%M:%S UTC")
    window = {name: str(criterion.parameters[name]) for name in ("from", "to")}
    if _time(window["from"]) <= began <= _time(window["to"]):
        return met("window-met", frames, time=time)
    return not_met("window-outside", frames, time=time, **window)


def _moment(nanoseconds: int | None) -> datetime.datetime | None:
    """Return a capture's time, to the second; None for a time that no calendar has."""
    if nanoseconds is None:
        return None
    try:
        return datetime.datetime.fromtimestamp(nanoseconds // NANOSECONDS, tz=datetime.timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def _read_time(text: str) -> str:
    try:
        zone = _time(text).tzinfo
    except ValueError:
        zone = None
    if zone is None:
        raise ValueError(f"a time has to name its zone, as in {_EXAMPLE} (WIB); this is {text!r}")
    return text


def _contradiction(parameters: Parameters) -> tuple[str, str] | None:
    if _time(str(parameters["from"])) > _time(str(parameters["to"])):
        return "to", "to has to be later than from"
    return None


CHECK = Check(
    order=90,
    find=_find,
    parameters={name: Parameter(_read_time, example=_EXAMPLE) for name in ("from", "to")},
    contradiction=_contradiction,
)
