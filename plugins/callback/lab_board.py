"""The board: what each host of a room is at, redrawn in place while a run is under way."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import sys
import threading
import time
import typing as t
from collections import Counter, deque
from dataclasses import dataclass

from ansible import constants, context
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible.plugins.loader import callback_loader
from ansible.utils.color import ANSIBLE_COLOR, parsecolor

try:
    from rich.console import Console, Group
    from rich.control import Control
    from rich.live import Live
    from rich.segment import ControlType, Segment, SegmentLines
    from rich.table import Table
    from rich.text import Text
except ImportError as error:
    MISSING = str(error)
else:
    MISSING = ""

DOCUMENTATION = r"""
name: lab_board
type: stdout
short_description: One line a host, whose steps fill in as they happen
description:
  - At a terminal, shows a board of the room in place of a line for each task and host. A step is a
    playbook file, as in the report of the callback C(lab_report) at the end, which tells why a
    host failed.
  - Hosts that do not fit one below the other share lines, with a mark for each step. Where the
    terminal is too small for that as well, those in trouble and at work are shown, and the others
    are counted.
  - Each host's time is the time of its own tasks, without waiting for the other hosts.
  - Warnings, deprecations, differences, results of C(debug) and C(assert), and whatever else asks
    to be shown are printed above the board. So are the labelled items of an C(assert).
  - While a task may ask something (C(pause), C(vars_prompt), a C(debugger)) there is no board.
  - What hosts say is shown with control characters escaped.
  - Prints what P(ansible.builtin.default#callback) prints where the output is no terminal or one
    that cannot move its cursor (E(TERM) is V(dumb)), with C(-v) or C(--step), where a log is kept
    (C(log_path)), where the debugger is on for all tasks, and where the Python library rich is
    missing, which it tells.
  - E(ANSIBLE_STDOUT_CALLBACK=default) brings those lines back everywhere.
requirements:
  - rich
  - the callback plugin C(lab_report) beside it
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

# Seconds between two looks at whether there is anything new to draw.
PERIOD = 0.125

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

# The colours that Ansible gives its lines, as the user has set them, and their end. Any other
# sequence comes from somewhere else and is shown, not obeyed.
COLORS = {
    parsecolor(getattr(constants, name))
    for name in dir(constants)
    if name.startswith("COLOR_") and name != "COLOR_CODES"
}
COLORED = re.compile(rf"(\x1b\[(?:0|{'|'.join(sorted(COLORS))})m)")


def sibling() -> t.Any:
    """The module of lab_report, which knows what a step is and whose failure counts."""
    return sys.modules[callback_loader.get("lab_report", class_only=True).__module__]


def harmless(text: str) -> str:
    """A text whose control characters are escaped, but for line ends and tabs."""
    shown = (c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)
    return "".join(shown)


def asks(task: t.Any) -> bool:
    """Whether a task may read from the terminal."""
    return action(task) == "pause" or task.debugger not in (None, "never")


def action(task: t.Any) -> str:
    """The name of a task's action, without its namespace."""
    return str(task.action).rpartition(".")[2]


def clock(seconds: float) -> str:
    """A duration as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def drawn(text: str) -> Text:
    """What Ansible prints, in the colours that it chose and harmless otherwise."""
    parts = COLORED.split(text) if ANSIBLE_COLOR else [text]
    # Every second part is a colour.
    parts[::2] = map(harmless, parts[::2])
    return Text.from_ansi("".join(parts))


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
        """A task begins."""
        self.task, self.since = task, time.monotonic()

    def end(self) -> None:
        """The task has ended."""
        self.worked, self.task = self.time(), ""

    def time(self) -> float:
        """Seconds of work so far."""
        return self.worked + (time.monotonic() - self.since if self.task else 0)


class Board:
    """What is known of the room, and how it looks in a terminal of a given size."""

    def __init__(self, report: t.Any) -> None:
        self.report = report
        self.progress = report.Progress()
        self.seats: dict[str, Seat] = {}
        self.started = time.monotonic()
        # Whatever shows on the board is changed and read under this lock.
        self.lock = threading.RLock()
        self.news = True

    def seat(self, host: str) -> Seat:
        """The seat of a host, which is about to change."""
        self.news = True
        return self.seats.setdefault(host, Seat())

    def longest(self) -> str:
        """Whose tasks took the longest."""
        with self.lock:
            seats = sorted(self.seats.items(), key=lambda item: -item[1].time())
            times = [f"{self.report.plain(name)} {clock(seat.time())}" for name, seat in seats[:3]]
        return f"Longest at work: {', '.join(times)}"

    def _steps(self) -> list[str]:
        planned = [self.report.step_of(play) for play in self.progress.planned]
        return list(dict.fromkeys([*planned, *self.progress.members]))

    def _state(self, host: str, step: str) -> str:
        progress = self.progress
        lost = host in progress.lost
        if step not in progress.members:
            return "not run" if lost else "ahead"
        cell: str = progress.cell(host, step)
        if cell != "not run" or lost:
            return cell
        here = progress.play is not None and self.report.step_of(progress.play) == step
        if not here or host not in progress.batch:
            return "ahead"
        return "at work" if self.seats.get(host, Seat()).task else "waits"

    def _whole(self, states: list[str]) -> str:
        """One state for a host, from those of its steps."""
        found = next((state for state in FIRST if state in states), "through")
        return "waits" if found == "ahead" and OVER.intersection(states) - {"-"} else found

    def frame(self, width: int, height: int) -> Group:
        """The board, no higher than it may be; its last line is empty, for the cursor."""
        with self.lock:
            steps = self._steps()
            names = sorted(set(self.seats).union(*self.progress.members.values()), key=self._order)
            rows = {name: [self._state(name, step) for step in steps] for name in names}
            wholes = {name: self._whole(states) for name, states in rows.items()}
            head = self._head(wholes)
            # The head, the steps, and the empty line.
            if len(rows) + 3 <= height and width >= 60:
                parts: list[t.Any] = [self._table(steps, rows)]
            else:
                parts = self._shared(steps, rows, wholes, width, height - 2)
        return Group(head, *parts, Text())

    def _order(self, name: str) -> t.Any:
        return self.report.natural(name)

    def _head(self, wholes: dict[str, str]) -> Text:
        counts = Counter(wholes.values())
        going = sum(counts[state] for state in ("at work", "waits", "ahead"))
        words = [f"{len(wholes)} host{'s' * (len(wholes) != 1)}"]
        words += [f"{counts['through']} through"] * bool(counts["through"])
        for state in FIRST[:3]:
            words += [f"{counts[state]} {state}"] * bool(counts[state])
        words += [f"{going} under way"] * bool(going)
        words += ["check mode: nothing is changed"] * bool(context.CLIARGS.get("check"))
        head = f"{clock(time.monotonic() - self.started)}  {', '.join(words)}"
        return one_line(head, "bold")

    def _table(self, steps: list[str], rows: dict[str, list[str]]) -> Table:
        """A line for each host: its steps in words, its time, and what it is at or why not."""
        table = Table.grid(padding=(0, 2))
        for _ in steps:
            table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        table.add_column()
        table.add_row("", *(Text(step, "bold") for step in steps), "time")
        for name, states in rows.items():
            cells = [Text("" if s == "ahead" else s, MARKS[s][1]) for s in states]
            seat = self.seats.get(name, Seat())
            stopped = self.progress.trouble.get(name)
            note = one_line(stopped.reason, "red") if stopped else one_line(seat.task, "dim")
            table.add_row(Text(self.report.plain(name)), *cells, clock(seat.time()), note)
        return table

    def _shared(
        self,
        steps: list[str],
        rows: dict[str, list[str]],
        wholes: dict[str, str],
        width: int,
        height: int,
    ) -> list[t.Any]:
        """Several hosts a line, a mark for each step; what went wrong in the lines to spare."""
        parts: list[t.Any] = [self._sums(steps, rows)]
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
            shown.sort(key=self._order)
        used = -(-len(shown) // columns)
        grid = Table.grid(padding=(0, 3))
        for i in range(used):
            grid.add_row(*(entries[name] for name in shown[i::used]))
        parts.append(grid)
        if left := Counter(wholes[name] for name in entries.keys() - set(shown)):
            words = ", ".join(f"{left[state]} {state}" for state in FIRST if left[state])
            parts.append(one_line(f"not shown: {words}"))
        parts += [self._legend(rows), self._now()]
        return parts + self._reasons(height - sum(1 for _ in parts) - used + 1)

    def _sums(self, steps: list[str], rows: dict[str, list[str]]) -> Text:
        """How many hosts have each step behind them."""
        words = []
        for i, step in enumerate(steps):
            members = len(self.progress.members.get(step, ()))
            over = sum(states[i] in ("ok", "changed") for states in rows.values())
            words.append(f"{step} {over}/{members}" if members else step)
        return one_line("  ".join(words), "bold")

    def _reasons(self, lines: int) -> list[Text]:
        """Why hosts failed, the latest ones as far as there are lines for them."""
        troubles = list(self.progress.trouble.items())
        kept = troubles if len(troubles) <= lines else troubles[len(troubles) - max(0, lines - 1) :]
        parts = [
            one_line(f"{self.report.plain(name)}: {why.step}: {why.reason}", "red")
            for name, why in kept
        ]
        if (more := len(troubles) - len(kept)) and lines > 0:
            others = f"and {more} more" if kept else f"{more} hosts"
            parts.append(one_line(f"{others} failed, the reasons come at the end", "red"))
        return parts

    def _entry(self, name: str, states: list[str]) -> Text:
        entry = Text(f"{self.report.plain(name)} ", no_wrap=True, overflow="ellipsis")
        for state in states:
            entry.append(*MARKS[state])
        return entry.append(f" {clock(self.seats.get(name, Seat()).time()):>5}")

    def _legend(self, rows: dict[str, list[str]]) -> Text:
        legend = one_line("")
        used = {state for states in rows.values() for state in states}
        for state in (state for state in MARKS if state in used and state != "-"):
            legend.append(*MARKS[state])
            legend.append(f" {state} ", "dim")
        return legend

    def _now(self) -> Text:
        tasks = Counter(seat.task for seat in self.seats.values() if seat.task)
        if not tasks:
            return one_line("")
        task, count = tasks.most_common(1)[0]
        return one_line(f"Now, on {count}: {task}")


def one_line(text: str, style: str = "") -> Text:
    """A text that stays on one line, whatever its length."""
    return Text(text, style, no_wrap=True, overflow="ellipsis")


class Above:
    """Stands for a stream of the terminal: what is written to it goes above the board."""

    def __init__(self, stream: t.TextIO, said: deque[str]) -> None:
        self._stream = stream
        self._said = said

    def write(self, text: str) -> int:
        """Keep a text until the board is drawn next."""
        self._said.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing: the board is drawn in its own time."""

    def __getattr__(self, name: str) -> t.Any:
        """Anything else is the stream's own."""
        return getattr(self._stream, name)


class Screen:
    """The board on the terminal, from `show` to `hide`, which may follow each other again."""

    def __init__(self, board: Board, failed: t.Callable[[Exception], None]) -> None:
        self._board = board
        self._failed = failed
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
        # Ansible colours only where it may (NO_COLOR and its own settings).
        self._console = Console(
            file=sys.stdout, no_color=not ANSIBLE_COLOR, force_terminal=True, highlight=False
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
        sys.stdout = t.cast("t.TextIO", Above(sys.stdout, self._said))
        if sys.stderr.isatty():
            sys.stderr = t.cast("t.TextIO", Above(sys.stderr, self._said))
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
        """Draw until the end, in a thread of its own: the clock goes on while a task runs."""
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
        """The board as lines that are sure to fit, with a line of the terminal to spare."""
        options = self._console.options.update(width=width - 1)
        group = self._board.frame(width - 1, height - 1)
        rendered = self._console.render_lines(group, options, pad=False)
        kept = [*rendered[: max(0, height - 3)], []] if len(rendered) >= height else rendered
        self._drawn = [Segment.get_line_length(line) for line in kept]
        return SegmentLines(kept, new_lines=True)

    def _say(self) -> None:
        text = "".join(self._said.popleft() for _ in range(len(self._said)))
        if text:
            self._console.print(drawn(text.removesuffix("\n")), soft_wrap=True)


class CallbackModule(DefaultCallback):
    """Shows the board at a terminal, and what the default callback shows anywhere else."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "lab_board"

    def __init__(self) -> None:
        super().__init__()
        self._board: Board | None = None
        self._screen: Screen | None = None
        self._registered = False
        self._told_at_end = "lab_report" in constants.CALLBACKS_ENABLED

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """A playbook of the command line begins; there may be several."""
        if not self._board and self._wanted():
            if MISSING:
                self._display.warning(
                    f"Plain lines in place of the board: {MISSING}. Run the ansible-playbook of"
                    " this project's .venv, or install rich beside the one that you run."
                )
            else:
                self._board = Board(sibling())
                self._screen = Screen(self._board, self._give_up)
                # Else each task is announced, whether or not there is anything to tell of it.
                self.set_option("display_skipped_hosts", False)
        if self._board:
            self._board.progress.planned += playbook.get_plays()
        super().v2_playbook_on_start(playbook)

    def v2_playbook_on_vars_prompt(self, *_args: t.Any, **_more: t.Any) -> None:
        """A play is about to ask for a variable."""
        self._hide()

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """A play begins, or one of its batches."""
        if not self._board or not self._screen:
            super().v2_playbook_on_play_start(play)
            return
        self._play = play
        with self._board.lock:
            self._board.progress.start_play(play)
        # After that of lab_report, so before it: its table comes below what was told here.
        if not self._registered:
            atexit.register(self._at_exit, os.getpid())
        self._registered = True
        self._screen.show()

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        """All hosts of the play have failed, as the board shows."""
        if not self._screen:
            super().v2_playbook_on_no_hosts_remaining()

    def _task_start(self, task: t.Any, prefix: str | None = None) -> None:
        """A task begins. One that may ask something has the terminal for itself."""
        super()._task_start(task, prefix=prefix)
        if not self._screen:
            return
        if asks(task):
            self._hide()
        else:
            self._screen.show()

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        """A task begins on a host."""
        if not self._board or not self._screen:
            super().v2_runner_on_start(host, task)
            return
        if asks(task):  # somebody's thinking is nobody's work
            return
        name = self._board.report.plain(task.get_name().strip().rpartition(" : ")[2])
        with self._board.lock:
            self._board.seat(host.get_name()).begin(name)

    def v2_runner_retry(self, result: t.Any) -> None:
        """A task is tried once more."""
        if not self._board or not self._screen:
            super().v2_runner_retry(result)
            return
        left = result.result["retries"] - result.result["attempts"]
        name = self._board.report.plain(str(result.task_name).rpartition(" : ")[2])
        with self._board.lock:
            self._board.seat(result.host.get_name()).task = f"{name} ({left} tries left)"

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """A host's task came to its end."""
        if not self._board or not self._screen:
            super().v2_runner_on_ok(result)
            return
        self._note(result, lambda progress: progress.see(result))
        items = result.task.loop and "results" in result.result
        if items or not self._run_is_verbose(result):
            return
        said = result.result.get("msg")
        if isinstance(said, str) and action(result.task) in ("debug", "assert"):
            self._tell(result, said)
        else:
            super().v2_runner_on_ok(result)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        """An item of a loop came to its end."""
        if not self._screen or self._run_is_verbose(result):
            super().v2_runner_item_on_ok(result)
            return
        self._handle_warnings(result.result)
        control = result.task.loop_control
        # What a check goes through under labels of its own is there to be read.
        if action(result.task) == "assert" and control and control.label:
            self._tell(result, str(self._get_item_label(result.result)))

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """A host's task had nothing to do."""
        if self._screen:
            self._note(result, lambda progress: progress.see(result))
        else:
            super().v2_runner_on_skipped(result)

    def v2_runner_item_on_skipped(self, result: t.Any) -> None:
        """An item had nothing to do."""
        if not self._screen:
            super().v2_runner_item_on_skipped(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """A host's task failed; whether that counts is for Ansible to say."""
        if not self._board or not self._screen:
            super().v2_runner_on_failed(result, ignore_errors)
            return
        self._note(result, lambda progress: progress.fail(result, ignored=ignore_errors))
        if ignore_errors:
            self._tell(result, f"{self._board.report.why_failed(result.result)} (ignored)")
        elif not self._told_at_end:
            super().v2_runner_on_failed(result, ignore_errors)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        """An item failed."""
        if not self._screen or not self._told_at_end:
            super().v2_runner_item_on_failed(result)
        else:
            self._handle_warnings(result.result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """A host could not be reached."""
        if not self._board or not self._screen:
            super().v2_runner_on_unreachable(result)
            return
        self._note(result, lambda progress: progress.miss(result))
        if result.task.ignore_unreachable:
            self._tell(result, f"{self._board.report.why_unreachable(result.result)} (ignored)")
        elif not self._told_at_end:
            super().v2_runner_on_unreachable(result)

    def v2_playbook_on_include(self, included_file: t.Any) -> None:
        """Tasks are included, which the board does not show."""
        if not self._screen:
            super().v2_playbook_on_include(included_file)

    def v2_runner_on_async_poll(self, result: t.Any) -> None:
        """A task in the background is looked at, which the board does not show."""
        if not self._screen:
            super().v2_runner_on_async_poll(result)

    def v2_runner_on_async_ok(self, result: t.Any) -> None:
        """A task in the background came to its end, as its result tells."""
        if not self._screen:
            super().v2_runner_on_async_ok(result)

    def v2_runner_on_async_failed(self, result: t.Any) -> None:
        """A task in the background failed, as its result tells."""
        if not self._screen:
            super().v2_runner_on_async_failed(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """A playbook ended, with Ansible's counts of all so far."""
        if self._board:
            with self._board.lock:
                self._board.progress.end_play()
        self._hide()
        if self._screen and self._board and len(self._board.seats) > 1:
            self._display.display(self._board.longest())
        custom = stats.custom and self.get_option("show_custom_stats")
        if not self._screen or not self._told_at_end or custom:
            super().v2_playbook_on_stats(stats)

    def _wanted(self) -> bool:
        """Whether this run has a terminal, and nothing that a board would hide or spoil."""
        return (
            sys.stdout.isatty()
            and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
            and self._display.verbosity == 0
            and not context.CLIARGS.get("step")
            and not constants.ENABLE_TASK_DEBUGGER
            and not constants.DEFAULT_LOG_PATH
        )

    def _note(self, result: t.Any, told: t.Callable[[t.Any], None]) -> None:
        """Take a host's result onto the board."""
        board = t.cast("Board", self._board)
        with board.lock:
            told(board.progress)
            board.seat(result.host.get_name()).end()
        self._handle_warnings(result.result)

    def _tell(self, result: t.Any, text: str) -> None:
        """Print what a host has to say above the board."""
        self._display.display(f"{self.host_label(result)}: {text.strip()}".replace("\n", "\n  "))

    def _hide(self) -> None:
        if self._screen:
            self._screen.hide()

    def _give_up(self, error: Exception) -> None:
        """Go on as the default callback does."""
        self._screen = None
        self._display.warning(f"Plain lines from here on: the board could not be drawn ({error}).")

    def _at_exit(self, process: int) -> None:
        if os.getpid() == process:
            self._hide()
