"""What a check is made of; the checks themselves are in the folder ``checks``.

Every check follows one rule: *not met* only where the file shows that it was not so; *not
observable* where the file does not hold what would show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from upcall_grader.judge.capture_summary import CaptureSummary
from upcall_grader.judge.connection_summary import ConnectionSummary
from upcall_grader.judge.parameters import Parameter, Parameters
from upcall_grader.judge.results import Status
from upcall_grader.judge.rubric import Criterion, Value

NANOSECONDS = 1_000_000_000
"""Nanoseconds of a second."""


class Case(NamedTuple):
    """All that a check may look at: a capture, and the connection in it that is judged.

    ``dropped`` is how many packets the manifest says were lost. ``networks`` are the lab's own, as
    the manifest names them. ``student`` and ``token`` are empty where nobody knows them.
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

    @property
    def unanswered(self) -> bool:
        """Whether the client sent nothing but SYNs, and nobody answered for a second."""
        connection, end = self.connection, self.capture.last_time
        began = connection.first_time
        waited = began is not None and end is not None and end - began >= NANOSECONDS
        only_syn = connection.handshake.syn is not None and not connection.answered
        return (
            only_syn and not connection.resets and connection.whole and waited and not self.dropped
        )


class Finding(NamedTuple):
    """How a check ended; ``code`` and ``values`` are its remark's.

    ``needs_person``: no new capture would help, so the instructor decides.
    """

    status: Status
    code: str
    values: Mapping[str, str | int] = {}
    frames: tuple[int, ...] = ()
    needs_person: bool = False


def met(code: str, frames: Iterable[int] = (), **values: str | int) -> Finding:
    """Return that it is so, as ``frames`` show."""
    return Finding(Status.MET, code, values, tuple(frames))


def not_met(code: str, frames: Iterable[int] = (), **values: str | int) -> Finding:
    """Return that it is not so, as ``frames`` show."""
    return Finding(Status.NOT_MET, code, values, tuple(frames))


def not_observable(code: str, frames: Iterable[int] = (), **values: str | int) -> Finding:
    """Return that the capture misses the packets that would prove it."""
    return Finding(Status.NOT_OBSERVABLE, code, values, tuple(frames))


def not_decidable(code: str) -> Finding:
    """Return that neither rubric, manifest nor file name says what is needed to decide."""
    return Finding(Status.NOT_OBSERVABLE, code, needs_person=True)


def not_seen(_port: int = 0) -> Finding:
    """Return that nothing of the lab is there, so that nothing can be said of it."""
    return not_observable("not-seen")


def _consistent(_: Parameters) -> None:
    """Return None: parameters that do not depend on each other do not contradict each other."""


class Check(NamedTuple):
    """One thing that a rubric may look for.

    ``order`` is its place among the checks. ``find`` looks for it. ``points`` are what it is worth
    in the default rubric, None if it is not in it. ``parameters`` are what a rubric may set.
    ``contradiction`` returns the name of a parameter that does not fit the others, and why.
    ``of_the_file``: it is met for the whole file as soon as one connection meets it.
    ``find_without_traffic`` is used where nothing goes to or comes from the port that it is given.
    """

    order: int
    find: Callable[[Criterion, Case], Finding]
    points: float | None = None
    parameters: Mapping[str, Parameter] = {}
    contradiction: Callable[[Parameters], tuple[str, str] | None] = _consistent
    of_the_file: bool = False
    find_without_traffic: Callable[[int], Finding] = not_seen

    @property
    def defaults(self) -> dict[str, Value]:
        """The parameters that need not be given, as they are then."""
        return {
            name: parameter.default
            for name, parameter in self.parameters.items()
            if parameter.default is not None
        }
