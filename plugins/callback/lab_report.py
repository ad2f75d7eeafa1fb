"""The report at the end of a run: how far each host got, why no further, and how to repeat it."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
import time
import typing as t
import uuid
from datetime import datetime
from pathlib import Path

from ansible import constants, context
from ansible.errors import AnsibleError
from ansible.plugins.callback import CallbackBase

# AWX and ansible-pull install nothing of this project: its packages lie beside plugins/.
sys.path.append(str(Path(__file__).resolve().parents[2] / "src"))

from upcall_board.events import Events, hosts_of
from upcall_board.progress import natural, step_of
from upcall_text.plain import escape_unprintable, instant

DOCUMENTATION = r"""
name: lab_report
type: aggregate
short_description: Shows at the end of a run how far each host got
description:
  - Prints a table of hosts and steps, the reason for each host that failed, the counts, and a
    command line that repeats the run for the hosts that did not get through. Writes the same to a
    file.
  - A step is a playbook file. Rescued and ignored failures do not count.
  - V(not run) means that the host did not reach the end of that step, without a failure in it.
  - The command line is the user's own, with the values of C(-e). It goes only to the terminal.
requirements:
  - enabled with C(callbacks_enabled) in ansible.cfg
options:
  run_file:
    description: The report in JSON. The default is C(captures/run.json) beside ansible.cfg.
    type: path
    env:
      - name: UPCALL_LAB_RUN_FILE
    ini:
      - section: callback_lab_report
        key: run_file
  run:
    description:
      - The name of the run, if several processes share a room. If the file belongs to the same run,
        their hosts stay in it and in the table.
      - Without it each process is a separate run and replaces the file.
    type: str
    env:
      - name: UPCALL_LAB_RUN
"""

SCHEMA = 1


def outcome(host: t.Mapping[str, t.Any]) -> str:
    """Return how a host of the report ended: ok, failed, unreachable or unfinished."""
    if host["failed"]:
        return "unreachable" if host["unreachable"] else "failed"
    return "ok" if host["finished"] and "not run" not in host["steps"].values() else "unfinished"


def joined(earlier: dict[str, t.Any], run: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a process's report with the hosts of other processes of the same run."""
    same = earlier.get("schema") == SCHEMA and earlier.get("run") == run["run"]
    others = earlier if same else run
    hosts = others["hosts"] | run["hosts"]
    started, ended = min(others["started"], run["started"]), max(others["ended"], run["ended"])
    seconds = (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()
    return {
        "schema": SCHEMA,
        "run": run["run"],
        "started": started,
        "ended": ended,
        "seconds": seconds,
        "playbooks": list(dict.fromkeys(others["playbooks"] + run["playbooks"])),
        "finished": all(host["finished"] for host in hosts.values()),
        "steps": list(dict.fromkeys(others["steps"] + run["steps"])),
        "hosts": {name: hosts[name] for name in sorted(hosts, key=natural)},
        "limit": [name for name in sorted(hosts, key=natural) if outcome(hosts[name]) != "ok"],
    }


def write(file: Path, run: dict[str, t.Any]) -> dict[str, t.Any]:
    """Write the report whole or not at all, readable only for its owner; return the written report.

    Raises:
        OSError: it cannot be written; an earlier file is unchanged.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
    with os.fdopen(os.open(f"{file}.lock", flags, 0o600), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            run = joined(json.loads(file.read_text()), run)
        except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError):
            run = joined({}, run)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "w") as stream:
                stream.write(json.dumps(run, indent=2) + "\n")
            Path(temporary).replace(file)
        except BaseException:
            Path(temporary).unlink()
            raise
    return run


def repeating(words: list[str], hosts: list[str]) -> str:
    """Return the command line for these hosts alone; for another program only the option."""
    limit = ["--limit", ",".join(hosts)]
    if Path(words[0]).name != "ansible-playbook":
        return shlex.join(limit)
    on_path = shutil.which("ansible-playbook") == words[0]
    kept = ["ansible-playbook" if on_path else words[0]]
    rest = iter(words[1:])
    for word in rest:
        # -l may be the last of several short options, and argparse takes --lim for --limit.
        short = re.fullmatch(r"-([bCDJkKv]*)l(.*)", word, re.DOTALL)
        long = re.fullmatch(r"--lim(?:i|it)?(=.*)?", word, re.DOTALL)
        if short and short[1]:
            kept.append(f"-{short[1]}")
        if not short and not long:
            kept.append(word)
        elif not (short and short[2]) and not (long and long[1]):
            next(rest, None)
    return shlex.join(kept + limit)


class CallbackModule(CallbackBase):
    """Follows each host and reports on it at the end of the run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "lab_report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._started = ""
        self._playbooks: list[str] = []
        self._events = Events(constants.LOCALHOST)
        self._progress = self._events.progress
        self._plays: list[t.Any] = []
        self._stats: t.Any = None
        self._reported = False

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Note that a playbook of the command line begins; there may be several."""
        if not self._playbooks:
            self._started = instant(time.time(), milliseconds=True)
            self._run = self.get_option("run") or uuid.uuid4().hex
            folder = Path(constants.CONFIG_FILE).parent if constants.CONFIG_FILE else Path.cwd()
            self._file = Path(self.get_option("run_file") or folder / "captures" / "run.json")
            # After Ctrl-C or an error in the playbook Ansible calls nothing else.
            atexit.register(self._at_exit, os.getpid())
        self._stats = None
        self._playbooks.append(Path(playbook._file_name).name)
        self._events.plan(playbook)
        self._plays += playbook.get_plays()

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Note that a play begins, or one of its batches."""
        self._events.start_play(play)
        # Whatever ends this process, the file does not show an earlier run as if it were this one.
        self._write(finished=False)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Note that a host's task ended."""
        self._events.end_task(result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """Note that a host's task had nothing to do."""
        self._events.end_task(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Note that a host's task failed."""
        self._events.fail(result, ignored=ignore_errors)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Note that a host could not be reached."""
        self._events.miss(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """Note that a playbook ended, with Ansible's counts of all so far."""
        self._events.end_play()
        self._stats = stats
        # After a failure Ansible leaves out the playbooks that follow: then the exit reports it.
        if len(self._playbooks) >= len(context.CLIARGS.get("args", ())):
            self._report()

    def _at_exit(self, process: int) -> None:
        if os.getpid() == process and not self._reported:
            self._report()

    def _host(self, host: str, finished: bool) -> dict[str, t.Any]:
        trouble = self._progress.trouble.get(host)
        failed = trouble and {k: getattr(trouble, k) for k in ("step", "task", "reason")}
        return {
            "steps": {step: self._progress.cell(host, step) for step in self._progress.members},
            "failed": failed,
            "unreachable": bool(trouble and trouble.unreachable),
            "finished": finished,
        }

    def _write(self, *, finished: bool) -> dict[str, t.Any]:
        hosts = sorted(set().union(*self._progress.members.values()))
        run = {
            "run": self._run,
            "started": self._started,
            "ended": instant(time.time(), milliseconds=True),
            "playbooks": self._playbooks,
            "steps": list(self._progress.members),
            "hosts": {host: self._host(host, finished) for host in hosts},
        }
        if not hosts:
            return joined({}, run)
        try:
            return write(self._file, run)
        except OSError as error:
            self._display.warning(
                f"The report of this run was not written to {self._file}: {error.strerror}."
                " Name a file that you may write in UPCALL_LAB_RUN_FILE."
                " (docs/troubles.md#cannot-be-written)"
            )
            return joined({}, run)

    def _report(self) -> None:
        self._reported = True
        self._plan_rest()
        if self._stats is not None:
            counted = self._stats.failures.keys() | self._stats.dark.keys()
            trouble = self._progress.trouble
            self._progress.trouble = {host: why for host, why in trouble.items() if host in counted}
        run = self._write(finished=self._stats is not None)
        if run["hosts"]:
            self._print(run)

    def _plan_rest(self) -> None:
        """Count plays that have not begun as not run: no further play begins."""
        for play in self._plays:
            if not self._progress.has_begun(play.get_path()):
                self._progress.plan(step_of(play.get_path()), self._hosts_not_begun(play))

    def _hosts_not_begun(self, play: t.Any) -> t.Iterable[str]:
        try:
            return hosts_of(play, "ansible_play_hosts_all")
        except AnsibleError:  # this play's own variables may have stopped the run
            return set().union(*self._progress.members.values())

    def _print(self, run: dict[str, t.Any]) -> None:
        colors = {"ok": constants.COLOR_OK, "unfinished": constants.COLOR_SKIP}
        say = self._display.display
        self._display.banner("REPORT")
        rows = [["", *map(escape_unprintable, run["steps"])]]
        for name, host in run["hosts"].items():
            # The file has only the begun steps of a slice that is still under way.
            missing = "-" if host["finished"] else "not run"
            cells = (host["steps"].get(step, missing) for step in run["steps"])
            rows.append([escape_unprintable(name), *cells])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        say(f"  {lines[0]}")
        for line, row, host in zip(lines[1:], rows[1:], run["hosts"].values(), strict=True):
            changed = "changed" in row[1:] and outcome(host) == "ok"
            color = colors.get(outcome(host), constants.COLOR_ERROR)
            say(f"  {line}", color=constants.COLOR_CHANGED if changed else color)
        say("")
        for name, host in run["hosts"].items():
            if why := host["failed"]:
                text = f'{name}: {why["step"]}, task "{why["task"]}": {why["reason"]}'
                say(f"  {escape_unprintable(text)}", color=constants.COLOR_ERROR)
        say(self._counts(run))
        if run["limit"]:
            say("Repeat it for the rest with:")
            # It contains what the user typed: for the screen, not for Ansible's log file.
            say(f"  {repeating(sys.argv, run['limit'])}", screen_only=True)

    def _counts(self, run: dict[str, t.Any]) -> str:
        outcomes = [outcome(host) for host in run["hosts"].values()]
        kinds = ("ok", "failed", "unreachable", "unfinished")
        words = [f"{outcomes.count(kind)} {kind}" for kind in kinds if kind in outcomes]
        interrupted = ["interrupted"] if self._stats is None else []
        number = f"{len(outcomes)} host{'s' * (len(outcomes) != 1)}"
        return f"{number}: {', '.join([*words, *interrupted])}, {run['seconds']:.1f} s"
