"""What a terminal shows, from all that was written to it, and runs of ansible-playbook on one."""

from __future__ import annotations

import os
import re
import typing as t

from tests.support.terminal import Terminal
from tests.unit.plugins.conftest import Room

TOKEN = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|([^\x1b])|(\x1b)")


class Shown:
    """A terminal's screen and what has scrolled off it. It knows no sequence but the expected.

    Attributes:
        cursor: whether it is visible.
    """

    def __init__(self, text: str, lines: int = 24, columns: int = 80) -> None:
        self._size = lines, columns
        self._rows = [""]
        self._line = self._column = self._top = 0
        self.cursor = True
        for numbers, letter, char, escape in TOKEN.findall(text):
            if letter:
                self._obey(numbers, letter)
            else:
                assert not escape, "an escape sequence that is none of Ansible's or the board's"
                self._put(char)

    def _obey(self, numbers: str, letter: str) -> None:
        row = self._rows[self._line]
        if letter == "A":
            self._line = max(self._top, self._line - int(numbers or 1))
        elif letter == "K":
            self._rows[self._line] = "" if numbers == "2" else row[: self._column]
        elif letter == "G":
            self._column = 0
        elif numbers == "?25":
            self.cursor = letter == "h"
        else:
            # Colours, bold and dim, and the end of them; nothing that hides or moves.
            allowed = re.fullmatch(r"(0|1|2|22|3\d|9\d|38;5;\d+|38;2;\d+;\d+;\d+|;)*", numbers)
            assert letter == "m", (numbers, letter)
            assert allowed, numbers

    def _put(self, char: str) -> None:
        if char == "\r":
            self._column = 0
        elif char == "\n":
            self._down()
        else:
            assert char.isprintable() or char in "\t\x03", ascii(char)
            if self._column == self._size[1]:
                self._down()
            row = self._rows[self._line].ljust(self._column)
            self._rows[self._line] = row[: self._column] + char + row[self._column + 1 :]
            self._column += 1

    def _down(self) -> None:
        self._line, self._column = self._line + 1, 0
        if self._line == len(self._rows):
            self._rows.append("")
        self._top = max(self._top, self._line + 1 - self._size[0])

    @property
    def everything(self) -> str:
        """What scrolled off, then the screen."""
        return "\n".join(map(str.rstrip, self._rows))

    @property
    def screen(self) -> list[str]:
        """The lines on the screen."""
        return [row.rstrip() for row in self._rows[self._top :]]

    @property
    def board(self) -> list[str]:
        """The lines of the board, which is drawn at the end, down to the cursor.

        Below it is nothing, but lines that were erased: an earlier board may have been higher.
        """
        head = max(i for i, row in enumerate(self.screen) if re.match(r"\d+:\d\d  \d+ host", row))
        assert not "".join(self._rows[self._line + 1 :]).strip()
        return self.screen[head : self._line - self._top + 1]


def at_terminal(
    room: Room,
    *words: str,
    lines: int = 24,
    columns: int = 80,
    environment: t.Mapping[str, str] = {},
) -> Terminal:
    """Run playbooks of a room at a terminal, whose name they find in ``BOARD_TTY``."""
    ours = {
        "ANSIBLE_SSH_RETRIES": "0",
        "TERM": "xterm-256color",
        "UPCALL_LAB_RUN_FILE": str(room.file),
    }
    size = f"stty rows {lines} cols {columns}"
    script = f'cd "$0" && {size} && export BOARD_TTY="$(tty)" && exec "$@"'
    command = ["sh", "-c", script, str(room.folder), *room.command(*words)]
    return Terminal(command, env={**os.environ, **ours, **environment}, patience=60)


def shown(terminal: Terminal, lines: int = 24, columns: int = 80) -> Shown:
    """Return what a terminal shows by now."""
    return Shown(terminal.text, lines, columns)


def drawn(terminal: Terminal, lines: int = 24, columns: int = 80) -> Shown:
    """Return what a terminal shows once the whole board is drawn with all that was expected."""
    again = "\r\x1b[2K"
    terminal.expect(again)
    return Shown(terminal.text.rpartition(again)[0], lines, columns)


def cells(board: t.Iterable[str], host: str) -> list[str]:
    """Return a host's row of the board, in words."""
    row = next(row for row in board if row.split()[:1] == [host])
    return re.split(r"  +", row)[1:]
