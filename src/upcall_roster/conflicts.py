"""Rows of a roster that do not go together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upcall_roster.problems import Problem, shown
from upcall_roster.seats import Seat

EVERYBODYS_NAMES = frozenset(
    (
        *("capture", "captures", "earlier", "file", "incomplete", "lab", "manifest", "pcap"),
        *("pcapng", "repositories", "report", "submission", "submissions", "tcpdump", "upcall"),
    )
)
"""Words that name files and folders of any student; none of them is an id."""


def conflicts(seats: Sequence[Seat], file: str) -> list[Problem]:
    """Return what is wrong between rows; ``file`` is the roster's name in messages."""
    return [*_twice(seats, file), *_mistakable(seats, file)]


def _twice(seats: Sequence[Seat], file: str) -> Iterator[Problem]:
    """Return hosts and students that appear twice; upper and lower case make no difference."""
    hosts: dict[str, int] = {}
    students: dict[str, int] = {}
    for seat in seats:
        first = hosts.setdefault(seat.host.casefold(), seat.line)
        if seat.host and first != seat.line:
            yield Problem(
                file,
                seat.line,
                f"host {shown(seat.host)} is already in line {first}. For several students on"
                " one machine, write their ids into one cell, with spaces between them",
                trouble="roster-row",
            )
        of_this_seat: set[str] = set()
        for student in seat.students:
            folded = student.student_id.casefold()
            first = students.setdefault(folded, seat.line)
            if first != seat.line or folded in of_this_seat:
                yield Problem(
                    file,
                    seat.line,
                    f"student {shown(student.student_id)} is already in line {first}:"
                    " each student has one seat",
                    trouble="roster-row",
                )
            of_this_seat.add(folded)


def _mistakable(seats: Sequence[Seat], file: str) -> Iterator[Problem]:
    """Yield ids that would take over other students' captures, which folders and names tell."""
    hosts = {seat.host.casefold(): seat.line for seat in seats}
    for seat in seats:
        for student in seat.students:
            folded = student.student_id.casefold()
            line = hosts.get(folded, seat.line)
            if line != seat.line:
                cause = f"is also the host in line {line}: their captures would be mixed up"
            elif folded in EVERYBODYS_NAMES:
                cause = "is a name that folders and captures of all students have"
            else:
                continue
            yield Problem(
                file,
                seat.line,
                f"student_id {shown(student.student_id)} {cause}. Use the student's number",
                trouble="roster-row",
            )
