"""Filters for collecting: who sits where, and who handed in nothing, also as a table."""

from __future__ import annotations

import re
import sys
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from ansible.errors import AnsibleFilterError

# AWX and ansible-pull install nothing of this project: its packages lie beside plugins/.
sys.path.append(str(Path(__file__).resolve().parents[2] / "src"))

from upcall_text.cells import table
from upcall_text.plain import escape_unprintable, instant

Seat = dict[str, t.Any]
Row = dict[str, str]

_STUDENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_LONGEST = 600  # characters of a line
_COLUMNS = ("student", "name", "host", "why", "collected_before")


def lab_collect_seats(hosts: list[str], hostvars: Mapping[str, t.Any]) -> list[Seat]:
    """Return a dict for each student: ``student``, ``name``, ``host``, and if ``alone`` there.

    A host's students are in its variable ``lab_roster_students``; a host without that variable
    counts as one student, named like the host. Raises AnsibleFilterError for an id that cannot be a
    folder's name, and for an id of two students.
    """
    seats: dict[str, Seat] = {}
    for host in hosts:
        students = _students(host, hostvars[host])
        for student in students:
            seat: Seat = {
                "student": str(student["student_id"]),
                "name": str(student.get("name", "")),
                "host": host,
                "alone": len(students) == 1,
            }
            _must_be_legal(seat)
            # Some file systems ignore upper and lower case.
            other = seats.setdefault(seat["student"].casefold(), seat)
            if other is not seat:
                raise AnsibleFilterError(
                    f"{seat['student']!r} is a student of {other['host']} and of {host}; one of the"
                    " two files would replace the other. Correct lab_roster_students"
                    " (docs/troubles.md#student-id)"
                )
    return list(seats.values())


def _students(host: str, variables: Mapping[str, t.Any]) -> list[Mapping[str, t.Any]]:
    students = variables.get("lab_roster_students", [{"student_id": host}])
    if not isinstance(students, list) or not all(
        isinstance(student, Mapping) and "student_id" in student for student in students
    ):
        raise AnsibleFilterError(
            f"{host}: lab_roster_students is not a list with a student_id in each entry. Correct it"
            " (docs/troubles.md#student-id)"
        )
    return students


def _must_be_legal(seat: Seat) -> None:
    if not _STUDENT.fullmatch(seat["student"]):
        raise AnsibleFilterError(
            f"{seat['host']}: {seat['student']!r} cannot be a student's id, since it becomes a"
            " folder's name. Name the student in lab_roster_students with at most 64 letters,"
            " digits, '.', '_' or '-', not beginning with '.' or '-' (docs/troubles.md#student-id)"
        )


def lab_collect_missing(
    seats: list[Seat], hostvars: Mapping[str, t.Any], asked: list[str], directory: str
) -> list[Row]:
    """Return a row, with the reason, for each student without an acceptable submission.

    ``asked`` are the hosts of this run. Students of other hosts are listed only if they have handed
    in nothing before.
    """
    return [
        {
            "student": seat["student"],
            "name": seat["name"],
            "host": seat["host"],
            "why": why,
            "collected_before": before,
        }
        for seat in seats
        for before in [_collected_before(Path(directory, "submissions", seat["student"]))]
        for why in _why(seat, hostvars[seat["host"]], seat["host"] in asked, bool(before))
    ]


def _collected_before(folder: Path) -> str:
    """Return when the kept submission was written, empty if there is none."""
    try:
        written = (folder / "upcall.pcap").lstat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return instant(written)


def _why(seat: Seat, variables: Mapping[str, t.Any], asked: bool, before: bool) -> Iterator[str]:
    """Yield the reason if nothing was collected."""
    if not asked:
        if not before:
            yield "not asked: this run left out the host"
        return
    answer = variables.get("__lab_collect_submissions", {})
    if answer.get("unreachable"):
        yield "the host is unreachable"
        return
    results = [r for r in answer.get("results", []) if r["item"]["student"] == seat["student"]]
    if not results:
        yield "the host failed before it was asked"
    elif results[0].get("unreachable"):
        yield "the host is unreachable"
    elif not results[0].get("collected"):
        error = results[0].get("error") or results[0].get("msg")
        yield str(error or _passed_over(results[0]) or "no file")


def _passed_over(result: Mapping[str, t.Any]) -> str:
    """Return the refused files, and why each was refused."""
    files = [f"{entry['path']} {entry['why']}" for entry in result.get("passed_over", [])]
    more = result.get("passed_over_count", 0) - len(files)
    return "; ".join(files + ([f"and {more} more"] if more > 0 else []))


def lab_collect_csv(rows: list[Row]) -> str:
    """Return the rows as CSV, which a spreadsheet shows as it is and does not compute."""
    return table([_COLUMNS, *([row[column] for column in _COLUMNS] for row in rows)]).decode()


def lab_collect_lines(rows: list[Row]) -> list[str]:
    """Return one printable line for each row."""
    return [escape_unprintable(_line(**row), _LONGEST) for row in rows]


def _line(student: str, name: str, host: str, why: str, collected_before: str) -> str:
    who = f"{student} ({name})" if name else student
    where = f" on {host}" if host != student else ""
    kept = f"; the one of {collected_before} is kept" if collected_before else ""
    return f"{who}{where}: {why}{kept}"


class FilterModule:
    """The filters of the role."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {
            "lab_collect_seats": lab_collect_seats,
            "lab_collect_missing": lab_collect_missing,
            "lab_collect_csv": lab_collect_csv,
            "lab_collect_lines": lab_collect_lines,
        }
