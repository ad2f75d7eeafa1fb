"""What is wrong with a roster, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from upcall_text.plain import escape_unprintable

MAX_CELL = 60
"""Characters of a cell that a message shows."""
MAX_SHOWN = 100
"""Problems that one error message lists at most; ``RosterError.problems`` holds all of them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    ``file`` is the file's name, ``line`` the line in which the row begins, counted from 1 as an
    editor does, or None where the file as a whole is meant. ``cause`` says what is wrong, and what
    to do about it. ``trouble`` is the anchor of its paragraph in docs/troubles.md.
    """

    file: str
    line: int | None
    cause: str
    trouble: str

    def __str__(self) -> str:
        """Return ``roster.csv, line 7: there is no host (docs/troubles.md#roster-row)``."""
        file = escape_unprintable(self.file)
        where = file if self.line is None else f"{file}, line {self.line}"
        return f"{where}: {self.cause} (docs/troubles.md#{self.trouble})"


class RosterError(Exception):
    """A roster that cannot be used; ``problems`` are all that were found, in the file's order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Return one problem a line."""
        lines = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        left_out = len(self.problems) - len(lines)
        if left_out:
            lines.append(f"... and {left_out} more")
        return "\n".join(lines)


def shown(value: str) -> str:
    """Return a cell for a message: in quotes, printable, and not too long."""
    return f"'{escape_unprintable(value, MAX_CELL)}'"
