"""What is known of a room during a run, and how it looks in a terminal of a given size."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from upcall_board.progress import Progress, natural, step_of
from upcall_board.reasons import one_line
from upcall_text.plain import escape_unprintable

# By state: its mark where hosts share lines, and its style.
MARKS = {
    "ok": ("✓", "green"),
    "changed": ("●", "yellow"),
    "at work": ("▸", "bold cyan"),
    "waits": ("▹", "cyan"),
    "failed": ("✗", "bold red"),
    "unreachable": ("!", "bold red"),
    "not run": ("○", "red"),
    "ahead": ("·", "dim"),
    "-": ("-", "dim"),
}
# Who is shown first where not everybody can be.
FIRST = ("failed", "unreachable", "not run", "at work", "waits", "ahead", "through")
OVER = {"ok", "changed", "-"}


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@dataclass
class Seat:
    """What a host is at.

    Attributes:
        task: the task that runs there; nothing between two of them.
        since: when it began, on the monotonic clock.
        worked: seconds that tasks took before this one.
    """

    task: str = ""
    since: float = 0.0
    worked: float = 0.0

    def begin(self, task: str) -> None:
        """Note that a task begins."""
        self.task, self.since = task, time.monotonic()

    def end(self) -> None:
        """Note that the task has ended."""
        self.worked, self.task = self.time(), ""

    def time(self) -> float:
        """Return the seconds of work so far."""
        return self.worked + (time.monotonic() - self.since if self.task else 0)


class Board:
    """What is known of the room, and how it looks in a terminal of a given size.

    ``note`` stands in the first line, where there is one.
    """

    def __init__(self, progress: Progress, note: str = "") -> None:
        self._note = note
        self.progress = progress
        self.seats: dict[str, Seat] = {}
        self.started = time.monotonic()
        # Whatever shows on the board is changed and read under this lock.
        self.lock = threading.RLock()
        self.news = True

    def seat(self, host: str) -> Seat:
        """Return the seat of a host, which is about to change."""
        self.news = True
        return self.seats.setdefault(host, Seat())

    def longest(self) -> str:
        """Return the hosts whose tasks took longest."""
        with self.lock:
            seats = sorted(self.seats.items(), key=lambda item: -item[1].time())
            times = [f"{one_line(name)} {clock(seat.time())}" for name, seat in seats[:3]]
        return f"Longest at work: {', '.join(times)}"

    def _steps(self) -> list[str]:
        planned = map(step_of, self.progress.planned)
        return list(dict.fromkeys([*planned, *self.progress.members]))

    def _state(self, host: str, step: str) -> str:
        progress = self.progress
        lost = host in progress.lost
        if step not in progress.members:
            return "not run" if lost else "ahead"
        cell = progress.cell(host, step)
        if cell != "not run" or lost:
            return cell
        if progress.step != step or host not in progress.batch:
            return "ahead"
        return "at work" if self.seats.get(host, Seat()).task else "waits"

    def _whole(self, states: list[str]) -> str:
        """Return one state for a host, from those of its steps."""
        state = next((each for each in FIRST if each in states), "through")
        return "waits" if state == "ahead" and OVER.intersection(states) - {"-"} else state

    def frame(self, width: int, height: int) -> Group:
        """Return the board, no higher than it may be; its last line is empty, for the cursor."""
        with self.lock:
            steps = self._steps()
            names = sorted(set(self.seats).union(*self.progress.members.values()), key=natural)
            rows = {name: [self._state(name, step) for step in steps] for name in names}
            wholes = {name: self._whole(states) for name, states in rows.items()}
            head = self._head(wholes)
            # The head, the steps, and the empty line.
            if len(rows) + 3 <= height and width >= 60:
                parts: list[Any] = [self._table(steps, rows)]
            else:
                parts = self._shared(steps, rows, wholes, width, height - 2)
        return Group(head, *parts, Text())

    def _head(self, wholes: dict[str, str]) -> Text:
        counts = Counter(wholes.values())
        going = sum(counts[state] for state in ("at work", "waits", "ahead"))
        words = [f"{len(wholes)} host{'s' * (len(wholes) != 1)}"]
        words += [f"{counts['through']} through"] * bool(counts["through"])
        for state in FIRST[:3]:
            words += [f"{counts[state]} {state}"] * bool(counts[state])
        words += [f"{going} under way"] * bool(going)
        words += [self._note] * bool(self._note)
        head = f"{clock(time.monotonic() - self.started)}  {', '.join(words)}"
        return single_line(head, "bold")

    def _table(self, steps: list[str], rows: dict[str, list[str]]) -> Table:
        """Return a line for each host: its steps in words, its time, its task or its failure."""
        table = Table.grid(padding=(0, 2))
        for _ in steps:
            table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        table.add_column()
        table.add_row("", *(single_line(step, "bold") for step in steps), "time")
        for name, states in rows.items():
            cells = [Text("" if s == "ahead" else s, MARKS[s][1]) for s in states]
            seat = self.seats.get(name, Seat())
            stopped = self.progress.trouble.get(name)
            note = single_line(stopped.reason, "red") if stopped else single_line(seat.task, "dim")
            table.add_row(Text(one_line(name)), *cells, clock(seat.time()), note)
        return table

    def _shared(
        self,
        steps: list[str],
        rows: dict[str, list[str]],
        wholes: dict[str, str],
        width: int,
        height: int,
    ) -> list[Any]:
        """Return several hosts a line, a mark for each step; failures in the lines to spare."""
        parts: list[Any] = [self._sums(steps, rows)]
        entries = {name: self._entry(name, states) for name, states in rows.items()}
        wide = max((entry.cell_len for entry in entries.values()), default=1)
        columns = max(1, (width + 3) // (wide + 3))
        # The sums, the marks' meaning, and the task; where anything went wrong, a line for that.
        lines = max(1, height - 3 - bool(self.progress.trouble))
        shown = list(entries)
        if len(shown) > lines * columns:
            # One line tells who is left out.
            lines = max(1, lines - 1)
            shown = sorted(shown, key=lambda name: FIRST.index(wholes[name]))[: lines * columns]
            shown.sort(key=natural)
        used = -(-len(shown) // columns)
        grid = Table.grid(padding=(0, 3))
        for i in range(used):
            grid.add_row(*(entries[name] for name in shown[i::used]))
        parts.append(grid)
        if left := Counter(wholes[name] for name in entries.keys() - set(shown)):
            words = ", ".join(f"{left[state]} {state}" for state in FIRST if left[state])
            parts.append(single_line(f"not shown: {words}"))
        parts += [self._legend(rows), self._now()]
        return parts + self._reasons(height - sum(1 for _ in parts) - used + 1)

    def _sums(self, steps: list[str], rows: dict[str, list[str]]) -> Text:
        """Return how many hosts have finished each step."""
        words = []
        for i, step in enumerate(steps):
            members = len(self.progress.members.get(step, ()))
            over = sum(states[i] in ("ok", "changed") for states in rows.values())
            words.append(f"{step} {over}/{members}" if members else step)
        return single_line("  ".join(words), "bold")

    def _reasons(self, lines: int) -> list[Text]:
        """Return why hosts failed, the latest ones as far as there are lines for them."""
        troubles = list(self.progress.trouble.items())
        kept = troubles if len(troubles) <= lines else troubles[len(troubles) - max(0, lines - 1) :]
        parts = [
            single_line(f"{one_line(name)}: {why.step}: {why.reason}", "red") for name, why in kept
        ]
        if (more := len(troubles) - len(kept)) and lines > 0:
            others = f"and {more} more" if kept else f"{more} hosts"
            parts.append(single_line(f"{others} failed, the reasons come at the end", "red"))
        return parts

    def _entry(self, name: str, states: list[str]) -> Text:
        entry = Text(f"{one_line(name)} ", no_wrap=True, overflow="ellipsis")
        for state in states:
            entry.append(*MARKS[state])
        return entry.append(f" {clock(self.seats.get(name, Seat()).time()):>5}")

    def _legend(self, rows: dict[str, list[str]]) -> Text:
        legend = single_line("")
        used = {state for states in rows.values() for state in states}
        for state in (state for state in MARKS if state in used and state != "-"):
            legend.append(*MARKS[state])
            legend.append(f" {state} ", "dim")
        return legend

    def _now(self) -> Text:
        tasks = Counter(seat.task for seat in self.seats.values() if seat.task)
        if not tasks:
            return single_line("")
        task, count = tasks.most_common(1)[0]
        return single_line(f"Now, on {count}: {task}")


def single_line(text: str, style: str = "") -> Text:
    """Return a text that stays on one line, whatever its length."""
    return Text(escape_unprintable(text), style, no_wrap=True, overflow="ellipsis")
