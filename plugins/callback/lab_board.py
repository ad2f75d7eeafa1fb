"""The board: the current task of each host of a room, redrawn in place during a run."""

from __future__ import annotations

import atexit
import os
import sys
import typing as t
from functools import partial
from pathlib import Path

from ansible import constants, context
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible.utils.color import ANSIBLE_COLOR, parsecolor

# AWX and ansible-pull install nothing of this project: its packages lie beside plugins/.
sys.path.append(str(Path(__file__).resolve().parents[2] / "src"))

from upcall_board.events import Events
from upcall_board.plain import harmless
from upcall_board.reasons import one_line, why_failed, why_unreachable

# These need rich.
try:
    from upcall_board.board import Board
    from upcall_board.screen import Screen
except ImportError as error:
    MISSING = str(error)
else:
    MISSING = ""

DOCUMENTATION = r"""
name: lab_board
type: stdout
short_description: One line for each host, whose steps fill in as they happen
description:
  - At a terminal, shows a board of the room in place of a line for each task and host. A step is a
    playbook file, as in the final report of the callback C(lab_report), which shows why a host
    failed.
  - If the hosts do not fit one below the other, they share lines, with a mark for each step. If the
    terminal is too small for that as well, only hosts in trouble and at work are shown, and the
    others are counted.
  - Each host's time is the time of its own tasks, without waiting for the other hosts.
  - Warnings, deprecations, differences, results of C(debug) and C(assert), and other results that
    ask to be shown are printed above the board. So are the labelled items of an C(assert).
  - While a task may ask something (C(pause), C(vars_prompt), a C(debugger)) there is no board.
  - Control characters in hosts' messages are escaped, on the board and in these lines.
  - Prints the lines of P(ansible.builtin.default#callback) instead if the output is not a terminal,
    or is one that cannot move its cursor (E(TERM) is V(dumb)), with C(-v) or C(--step), if a log is
    kept (C(log_path)), if the debugger is on for all tasks, and if a required Python package is
    missing, of which it warns.
  - E(ANSIBLE_STDOUT_CALLBACK=default) brings those lines back everywhere.
requirements:
  - rich, as in this project's .venv
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

# The colours of Ansible's lines, as the user has set them; none if it may not use colours
# (NO_COLOR, its own settings).
COLORS = {
    parsecolor(getattr(constants, name))
    for name in dir(constants)
    if ANSIBLE_COLOR and name.startswith("COLOR_") and name != "COLOR_CODES"
}


def escape_what_is_printed(display: t.Any) -> None:
    """Have Ansible's display, by which everything of a run is printed, escape it first."""
    plain = display.display

    def show(msg: str, *args: t.Any, **more: t.Any) -> None:
        text = msg.replace("\r\n", "\n")
        # Ansible's own questions end so, and there it moves nothing.
        end = "\r" if text.endswith("\r") else ""
        plain(harmless(text.removesuffix("\r"), COLORS) + end, *args, **more)

    display.display = show


def asks(task: t.Any) -> bool:
    """Return whether a task may read from the terminal."""
    return action(task) == "pause" or task.debugger not in (None, "never")


def action(task: t.Any) -> str:
    """Return the name of a task's action, without its namespace."""
    return str(task.action).rpartition(".")[2]


class CallbackModule(DefaultCallback):
    """Shows the board at a terminal, and the default callback's lines elsewhere."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "lab_board"

    def __init__(self) -> None:
        super().__init__()
        escape_what_is_printed(self._display)
        self._events = Events(constants.LOCALHOST)
        self._board: Board | None = None
        self._screen: Screen | None = None
        self._registered = False
        self._reports_at_end = "lab_report" in constants.CALLBACKS_ENABLED

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Note that a playbook of the command line begins; there may be several."""
        if not self._board and self._wanted():
            if MISSING:
                self._display.warning(
                    f"Plain lines instead of the board: {MISSING}. Run the ansible-playbook of"
                    " this project's .venv: make venv, then . .venv/bin/activate"
                    " (docs/troubles.md#not-installed)"
                )
            else:
                note = "check mode: nothing is changed" if context.CLIARGS.get("check") else ""
                self._board = Board(self._events.progress, note)
                self._screen = Screen(self._board, self._give_up, COLORS)
                # Otherwise each task is announced, whether or not it has anything to show.
                self.set_option("display_skipped_hosts", False)
        if self._board:
            self._events.plan(playbook)
        super().v2_playbook_on_start(playbook)

    def v2_playbook_on_vars_prompt(self, *_args: t.Any, **_more: t.Any) -> None:
        """Leave the terminal to a play that asks for a variable."""
        self._hide()

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Note that a play begins, or one of its batches."""
        if not self._board or not self._screen:
            super().v2_playbook_on_play_start(play)
            return
        self._play = play
        with self._board.lock:
            self._events.start_play(play)
        # Registered after that of lab_report, so it runs before: the table comes below these lines.
        if not self._registered:
            atexit.register(self._at_exit, os.getpid())
        self._registered = True
        self._screen.show()

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        """Print nothing if all hosts of the play have failed: the board shows it."""
        if not self._screen:
            super().v2_playbook_on_no_hosts_remaining()

    def _task_start(self, task: t.Any, prefix: str | None = None) -> None:
        """Note that a task begins. A task that may ask something gets the terminal for itself."""
        super()._task_start(task, prefix=prefix)
        if not self._screen:
            return
        if asks(task):
            self._hide()
        else:
            self._screen.show()

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        """Note that a task begins on a host."""
        if not self._board or not self._screen:
            super().v2_runner_on_start(host, task)
            return
        if asks(task):  # a person's thinking is not a host's work
            return
        name = one_line(task.get_name().strip().rpartition(" : ")[2])
        with self._board.lock:
            self._board.seat(host.get_name()).begin(name)

    def v2_runner_retry(self, result: t.Any) -> None:
        """Note that a task is tried once more."""
        if not self._board or not self._screen:
            super().v2_runner_retry(result)
            return
        left = result.result["retries"] - result.result["attempts"]
        name = one_line(str(result.task_name).rpartition(" : ")[2])
        with self._board.lock:
            self._board.seat(result.host.get_name()).task = f"{name} ({left} tries left)"

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Note that a host's task ended."""
        if not self._board or not self._screen:
            super().v2_runner_on_ok(result)
            return
        self._note(result, self._events.end_task)
        items = result.task.loop and "results" in result.result
        if items or not self._run_is_verbose(result):
            return
        message = result.result.get("msg")
        if isinstance(message, str) and action(result.task) in ("debug", "assert"):
            self._print_above(result, message)
        else:
            super().v2_runner_on_ok(result)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        """Note that an item of a loop ended."""
        if not self._screen or self._run_is_verbose(result):
            super().v2_runner_item_on_ok(result)
            return
        self._handle_warnings(result.result)
        control = result.task.loop_control
        # The labels of a check's items are meant to be read.
        if action(result.task) == "assert" and control and control.label:
            self._print_above(result, str(self._get_item_label(result.result)))

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """Note that a host's task had nothing to do."""
        if self._screen:
            self._note(result, self._events.end_task)
        else:
            super().v2_runner_on_skipped(result)

    def v2_runner_item_on_skipped(self, result: t.Any) -> None:
        """Note that an item had nothing to do."""
        if not self._screen:
            super().v2_runner_item_on_skipped(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Note that a host's task failed; Ansible decides whether that counts."""
        if not self._board or not self._screen:
            super().v2_runner_on_failed(result, ignore_errors)
            return
        self._note(result, partial(self._events.fail, ignored=ignore_errors))
        if ignore_errors:
            self._print_above(result, f"{why_failed(result.result)} (ignored)")
        elif not self._reports_at_end:
            super().v2_runner_on_failed(result, ignore_errors)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        """Note that an item failed."""
        if not self._screen or not self._reports_at_end:
            super().v2_runner_item_on_failed(result)
        else:
            self._handle_warnings(result.result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Note that a host could not be reached."""
        if not self._board or not self._screen:
            super().v2_runner_on_unreachable(result)
            return
        self._note(result, self._events.miss)
        if result.task.ignore_unreachable:
            self._print_above(result, f"{why_unreachable(result.result)} (ignored)")
        elif not self._reports_at_end:
            super().v2_runner_on_unreachable(result)

    def v2_playbook_on_include(self, included_file: t.Any) -> None:
        """Print nothing about included tasks while there is a board."""
        if not self._screen:
            super().v2_playbook_on_include(included_file)

    def v2_runner_on_async_poll(self, result: t.Any) -> None:
        """Print nothing about a background task while there is a board."""
        if not self._screen:
            super().v2_runner_on_async_poll(result)

    def v2_runner_on_async_ok(self, result: t.Any) -> None:
        """Print nothing at a background task's end, which its result shows."""
        if not self._screen:
            super().v2_runner_on_async_ok(result)

    def v2_runner_on_async_failed(self, result: t.Any) -> None:
        """Print nothing at a background task's failure, which its result shows."""
        if not self._screen:
            super().v2_runner_on_async_failed(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """Note that a playbook ended, with Ansible's counts of all so far."""
        if self._board:
            with self._board.lock:
                self._events.end_play()
        self._hide()
        if self._screen and self._board and len(self._board.seats) > 1:
            self._display.display(self._board.longest())
        custom = stats.custom and self.get_option("show_custom_stats")
        if not self._screen or not self._reports_at_end or custom:
            super().v2_playbook_on_stats(stats)

    def _wanted(self) -> bool:
        """Return whether the run has a terminal, and nothing that a board would hide or disturb."""
        return (
            sys.stdout.isatty()
            and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
            and self._display.verbosity == 0
            and not context.CLIARGS.get("step")
            and not constants.ENABLE_TASK_DEBUGGER
            and not constants.DEFAULT_LOG_PATH
        )

    def _note(self, result: t.Any, record: t.Callable[[t.Any], None]) -> None:
        """Put a host's result on the board."""
        board = t.cast("Board", self._board)
        with board.lock:
            record(result)
            board.seat(result.host.get_name()).end()
        self._handle_warnings(result.result)

    def _print_above(self, result: t.Any, text: str) -> None:
        """Print a host's message above the board."""
        self._display.display(f"{self.host_label(result)}: {text.strip()}".replace("\n", "\n  "))

    def _hide(self) -> None:
        if self._screen:
            self._screen.hide()

    def _give_up(self, error: Exception) -> None:
        """Continue as the default callback."""
        self._screen = None
        self._display.warning(f"Plain lines from here on: the board could not be drawn ({error}).")

    def _at_exit(self, process: int) -> None:
        if os.getpid() == process:
            self._hide()
