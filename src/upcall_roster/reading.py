"""From a roster file to its seats.

A roster is a CSV file in UTF-8, with or without a byte-order mark. Its first line names the
columns (see ``columns``); of these only ``host`` is required. Cells are separated by ``,`` or ``;``
or tabs: the first line tells which. Cells may be quoted (RFC 4180), also over several lines. Lines
without content are skipped.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from upcall_roster import cells, columns
from upcall_roster.conflicts import conflicts
from upcall_roster.problems import Problem, RosterError
from upcall_roster.seats import Roster, Seat

MAX_BYTES = 256 * 1024
"""The largest roster that is read; a room of sixty machines needs some six thousand."""

_SAVE_AGAIN = (
    'save it again. Excel: Save As, type "CSV UTF-8 (Comma delimited)". LibreOffice: Save As, type'
    ' "Text CSV", then the character set "Unicode (UTF-8)"'
)
_DELIMITERS = (",", ";", "\t")


class _Record(NamedTuple):
    line: int
    cells: list[str]


def read_roster(path: Path) -> Roster:
    """Read a roster file.

    Raises:
        RosterError: the file cannot be read, or something in it is wrong.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        cause = _refused(error)
        raise RosterError([Problem(path.name, None, cause, trouble="roster-file")]) from error
    return parse_roster(data, path.name)


def parse_roster(data: bytes, file: str) -> Roster:
    """Return the roster in ``data``, the content of the file that messages call ``file``.

    Raises:
        RosterError: something in it is wrong. All that is wrong is named, unless the encoding or
            the header is: what follows cannot be understood then.
    """
    text = _decoded(data, file)
    problems: list[Problem] = []
    records = _records(text, _delimiter(text), file, problems)
    header = next(records, None)
    if header is None:
        empty = Problem(file, 1, "the roster is empty", trouble="roster-columns")
        raise RosterError(problems or [empty])
    wrong = columns.causes(header.cells)
    if wrong:
        raise RosterError(
            Problem(file, header.line, cause, trouble="roster-columns") for cause in wrong
        )
    seats = []
    for record in records:
        seat, causes = _row(header.cells, record)
        problems += (Problem(file, record.line, cause, trouble="roster-row") for cause in causes)
        if seat:
            seats.append(seat)
    problems += conflicts(seats, file)
    if not seats and not problems:
        cause = "there is a header, and no row below it"
        problems = [Problem(file, header.line, cause, trouble="roster-columns")]
    if problems:
        raise RosterError(sorted(problems, key=lambda problem: problem.line or 0))
    return Roster(tuple(seats))


def _refused(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file: check the name, or copy inventory/roster.example.csv"
    if isinstance(error, IsADirectoryError):
        return "it is a directory: name the roster inside it"
    if isinstance(error, PermissionError):
        return "reading it is not permitted: ask its owner"
    return f"the system cannot read it ({getattr(error, 'strerror', None) or error})"


def _decoded(data: bytes, file: str) -> str:
    if len(data) > MAX_BYTES:
        cause = (
            f"it is larger than {MAX_BYTES // 1024} KiB, so it cannot be a roster: check the name"
        )
        raise RosterError([Problem(file, None, cause, trouble="roster-file")])
    if data.startswith(b"PK\x03\x04"):
        cause = f"this is a spreadsheet or an archive, whatever its name says: {_SAVE_AGAIN}"
        raise RosterError([Problem(file, 1, cause, trouble="roster-encoding")])
    # UTF-16 of any text that has a header has a NUL in it, and UTF-8 has none.
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:64]:
        cause = f"this is UTF-16, not UTF-8: {_SAVE_AGAIN}"
        raise RosterError([Problem(file, 1, cause, trouble="roster-encoding")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + len(re.findall(rb"\r\n|\r|\n", error.object[: error.start]))
        cause = (
            f"the byte 0x{error.object[error.start]:02X} is not UTF-8 (this file may be Latin-1 or"
            f" Windows-1252): {_SAVE_AGAIN}"
        )
        raise RosterError([Problem(file, line, cause, trouble="roster-encoding")]) from error


def _delimiter(text: str) -> str:
    """Return the delimiter with which the first line names the most columns."""

    def known(delimiter: str) -> int:
        header = next(_records(text, delimiter, "", []), None)
        return sum(map(bool, columns.fields(header.cells))) if header else 0

    return max(_DELIMITERS, key=known)


def _records(text: str, delimiter: str, file: str, problems: list[Problem]) -> Iterator[_Record]:
    """Yield the records that have any content; stop where the file's quotes are wrong."""
    # Lines as they are in the file: csv counts them, in quoted cells as well.
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cause = (
                f"the cells of the row that begins here cannot be told apart ({error}): a cell that"
                ' begins with " has to end with one, and a " inside it is written twice'
            )
            problems.append(Problem(file, line, cause, trouble="roster-row"))
            return
        if any(cell.strip() for cell in cells):
            yield _Record(line, cells)


def _row(header: list[str], record: _Record) -> tuple[Seat | None, list[str]]:
    if len(record.cells) != len(header):
        return None, [
            f"{len(record.cells)} cells, where the header has {len(header)}: a separator is missing"
            " or one too many; a cell with a separator in it has to stand in quotes"
        ]
    pairs = zip(columns.fields(header), record.cells, strict=True)
    return cells.seat(record.line, {field: cell.strip() for field, cell in pairs if field})
