"""One row of a roster: from its cells to a seat, and what is wrong with them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from upcall_roster.problems import shown
from upcall_roster.seats import Seat, Student

MAX_HOST = 253
"""Characters: the longest name that DNS has (RFC 1035, section 2.3.4, without the final dot)."""
MAX_STUDENT_ID = 64
MAX_USER = 64
MAX_TEXT = 255
"""Characters of a name, an email address or a group."""

BETWEEN_STUDENTS = "|"
"""Between the names, and between the email addresses, of students who share a machine."""

# A name of a host, or of a student, becomes that of a folder in captures/.
_PATH_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
# These become words of ssh's command line: nothing that it could take for an option.
_ADDRESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9._:%-]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]*")
_ROUNDED = re.compile(r"[0-9]+([.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
_LEGAL = "letters, digits, '.', '_' and '-' are allowed, and '.' or '-' not at the beginning"


def seat(line: int, row: Mapping[str, str]) -> tuple[Seat, list[str]]:
    """Return the seat in a row, and what is wrong with it.

    ``row`` is each cell for its field, see ``columns.NAMES``. A seat with something wrong is there
    to be compared with other rows; it is not to be used.
    """
    students, wrong = _students(row)
    port = row.get("port", "")
    port_is_good = re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) and 1 <= int(port) <= 65535
    made = Seat(
        line,
        row.get("host", ""),
        students,
        tuple(filter(None, map(str.strip, row.get("group", "").split(",")))),
        row.get("address", ""),
        row.get("user", ""),
        int(port) if port_is_good else None,
    )
    wrong = [*_host(made.host), *wrong]
    for group in made.groups:
        wrong += _text("group", group)
    wrong += _word("address", made.address, _ADDRESS, MAX_HOST)
    wrong += _word("user", made.user, _USER, MAX_USER)
    if port and not port_is_good:
        wrong.append(f"port {shown(port)} is not a number from 1 to 65535")
    return made, wrong


def _students(row: Mapping[str, str]) -> tuple[tuple[Student, ...], list[str]]:
    ids = (row.get("student_id") or row.get("username") or "").split()
    name = row.get("name") or f"{row.get('first_name', '')} {row.get('last_name', '')}".strip()
    email = row.get("email", "")
    wrong: list[str] = []
    if not ids and (name or email):
        wrong.append(
            f"{shown(name or email)} has no student_id: add it, or leave name and email empty, too,"
            " for a seat without a student"
        )
    for student_id in ids:
        wrong += _student_id(student_id)
    columns = []
    for field, cell in (("name", name), ("email", email)):
        parts = [part.strip() for part in cell.split(BETWEEN_STUDENTS)]
        for part in parts:
            wrong += _text(field, part)
        if ids and cell and len(parts) != len(ids):
            wrong.append(
                f"student_id and {field} do not fit together: {len(ids)} and {len(parts)}. Several"
                f" students on one machine: their ids with spaces between them, their {field}s with"
                f" {BETWEEN_STUDENTS} between them, in the same order"
            )
        columns.append(parts if len(parts) == len(ids) else [""] * len(ids))
    return tuple(map(Student, ids, *columns)), wrong


def _host(host: str) -> Iterator[str]:
    if not host:
        yield "there is no host: name the machine in the column host"
    elif not _PATH_PART.fullmatch(host) or len(host) > MAX_HOST:
        yield (
            f"host {shown(host)} cannot name a folder in captures/: {_LEGAL}, at most {MAX_HOST}"
            " characters. An address such as fe80::1 goes into a column address"
        )


def _student_id(student_id: str) -> Iterator[str]:
    if _PATH_PART.fullmatch(student_id) and len(student_id) <= MAX_STUDENT_ID:
        return
    rounded = ""
    if _ROUNDED.fullmatch(student_id):
        rounded = ". A spreadsheet has rounded this number: give the column the format Text first"
    yield (
        f"student_id {shown(student_id)} cannot name a folder in captures/: {_LEGAL}, at most"
        f" {MAX_STUDENT_ID} characters{rounded}"
    )


def _word(field: str, value: str, legal: re.Pattern[str], longest: int) -> Iterator[str]:
    if value and (not legal.fullmatch(value) or len(value) > longest):
        yield f"{field} {shown(value)} has characters that do not belong there, or is too long"


def _text(field: str, value: str) -> Iterator[str]:
    if not all(map(_is_harmless, value)):
        yield f"{field} {shown(value)} has a control character or a line break in it: remove it"
    if len(value) > MAX_TEXT:
        yield f"{field} {shown(value)} is longer than {MAX_TEXT} characters"


def _is_harmless(letter: str) -> bool:
    """Return whether a letter can neither move the cursor nor turn a line (UAX #9)."""
    return unicodedata.category(letter) not in {"Cc", "Cs", "Zl", "Zp"} and not (
        "\u202a" <= letter <= "\u202e" or "\u2066" <= letter <= "\u2069"
    )
