"""The board on a terminal: drawn in place, with what is printed meanwhile above it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Any, TextIO, cast

from rich.console import Console
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, Segment, SegmentLines
from rich.text import Text

from upcall_board.board import Board
from upcall_board.plain import harmless

# Seconds between two looks at whether there is anything new to draw.
PERIOD = 0.125


class Above:
    """Stands for a stream of the terminal: what is written to it goes above the board."""

    def __init__(self, stream: TextIO, said: deque[str]) -> None:
        self._stream = stream
        self._said = said

    def write(self, text: str) -> int:
        """Keep a text until the board is drawn next."""
        self._said.append(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: the board is drawn in its own time."""

    def __getattr__(self, name: str) -> Any:
        """Return the stream's own attribute."""
        return getattr(self._stream, name)


class Screen:
    """The board on the terminal, from `show` to `hide`, which may follow each other again.

    ``failed`` is told why the board cannot be drawn any more. ``colors`` are those that what is
    printed may have, as SGR parameters (ECMA-48, 8.3.117); any other sequence is shown, not obeyed.
    None: no colour at all.
    """

    def __init__(
        self, board: Board, failed: Callable[[Exception], None], colors: Collection[str] = ()
    ) -> None:
        self._board = board
        self._failed = failed
        self._colors = colors
        self._said: deque[str] = deque()
        self._live: Live | None = None
        self._ended = threading.Event()
        self._drawing = threading.Lock()
        self._drawn: list[int] = []
        self._size = (0, 0)
        self._second = -1

    def show(self) -> None:
        """Draw the board from now on, and take what is printed above it."""
        if self._live:
            return
        self._streams = sys.stdout, sys.stderr
        self._console = Console(
            file=sys.stdout, no_color=not self._colors, force_terminal=True, highlight=False
        )
        self._drawn, self._size, self._second = [], (0, 0), -1
        self._ended = threading.Event()
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._live.start()
        # It stays below the board: whatever kills this process, the terminal has its cursor.
        self._console.show_cursor(True)
        sys.stdout = cast("TextIO", Above(sys.stdout, self._said))
        if sys.stderr.isatty():
            sys.stderr = cast("TextIO", Above(sys.stderr, self._said))
        threading.Thread(target=self._keep, args=(self._ended,), daemon=True).start()

    def hide(self) -> None:
        """Take the board away; what was printed above it stays."""
        with self._drawing:
            if not self._live:
                return
            live, self._live = self._live, None
            self._ended.set()
            sys.stdout, sys.stderr = self._streams
            with self._console:
                self._say()
                live.update(Text())
                live.stop()
            sys.stdout.flush()

    def _keep(self, ended: threading.Event) -> None:
        """Draw until the end, in a thread of its own: the clock runs on during a task."""
        while not ended.wait(PERIOD):
            try:
                with self._drawing:
                    if self._live and not ended.is_set():
                        self._draw(self._live)
            except Exception as error:  # noqa: BLE001 - a board that cannot be drawn ends no run
                self._live = None
                sys.stdout, sys.stderr = self._streams
                with contextlib.suppress(OSError):  # the terminal itself may be gone
                    sys.stdout.write(harmless("".join(self._said)))
                    self._failed(error)
                return

    def _draw(self, live: Live) -> None:
        columns, lines = os.get_terminal_size(self._streams[0].fileno())
        size = columns or 80, lines or 24
        second = int(time.monotonic() - self._board.started)
        if not (self._said or self._board.news) and (size, second) == (self._size, self._second):
            return
        self._board.news = False
        with self._console:
            self._fit(size)
            self._second = second
            self._say()
            live.update(self._frame(*size), refresh=True)

    def _fit(self, size: tuple[int, int]) -> None:
        """Follow the terminal's size; lines that it folded have left more to erase."""
        self._console.size = size
        if size[0] < self._size[0]:
            more = sum(max(0, wide - 1) // size[0] for wide in self._drawn)
            erase = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2))
            self._console.control(Control(*erase * more))
        self._size = size

    def _frame(self, width: int, height: int) -> SegmentLines:
        """Return the board as lines that are sure to fit, with a line of the terminal to spare."""
        options = self._console.options.update(width=width - 1)
        group = self._board.frame(width - 1, height - 1)
        rendered = self._console.render_lines(group, options, pad=False)
        kept = [*rendered[: max(0, height - 3)], []] if len(rendered) >= height else rendered
        self._drawn = [Segment.get_line_length(line) for line in kept]
        return SegmentLines(kept, new_lines=True)

    def _say(self) -> None:
        text = "".join(self._said.popleft() for _ in range(len(self._said)))
        if text:
            self._console.print(self._drawn_text(text.removesuffix("\n")), soft_wrap=True)

    def _drawn_text(self, text: str) -> Text:
        """Return what was printed, with allowed colours and everything else escaped."""
        return Text.from_ansi(harmless(text, self._colors))
