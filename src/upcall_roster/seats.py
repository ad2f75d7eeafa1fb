"""What a roster says, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Student:
    """One student. ``student_id`` is a legal folder name; ``name`` and ``email`` may be empty."""

    student_id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Seat:
    """One machine and who sits there: one row of the roster.

    ``line``      where the row begins in the file, from 1
    ``host``      the machine's name, which is a legal folder name
    ``students``  none for a seat that is empty, several for one that is shared
    ``groups``    the groups of the row, as written there
    ``address``   where the machine is reached, if not by its name; else empty
    ``user``      who logs in there; empty: not said here
    ``port``      the port of its SSH server; None: not said here
    """

    line: int
    host: str
    students: tuple[Student, ...] = ()
    groups: tuple[str, ...] = ()
    address: str = ""
    user: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """The seats of a room, in the order of the file."""

    seats: tuple[Seat, ...]
