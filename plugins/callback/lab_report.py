"""The report at the end of a run: how far each host came, why not further, how to repeat that."""

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
import typing as t
import uuid
from datetime import UTC, datetime
from pathlib import Path

from ansible import constants, context
from ansible.errors import AnsibleError
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: lab_report
type: aggregate
short_description: Tells at the end of a run how far each host came
description:
  - Prints a table of host and step, the reason for each host that failed, the counts, and a command
    line that repeats the run for the hosts that did not come through. Writes the same to a file.
  - A step is a playbook file. Rescued and ignored failures do not count.
  - V(not run) says that the host did not come to the end of that step, without a failure in it.
  - The command line is the user's own, values of C(-e) included. It goes to the terminal alone.
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
      - The name of the run, where several processes share a room between them. If the file is of
        this same run, their hosts stay in it and in the table.
      - Without it each process is a run of its own and replaces the file.
    type: str
    env:
      - name: UPCALL_LAB_RUN
"""

SCHEMA = 1
LONGEST = 300
END = 140


class Remedy(t.NamedTuple):
    """What ssh says in its last line, what to do about it, and its paragraph's anchor."""

    cause: str
    words: str
    trouble: str


UNKNOWN_KEY = "compare and record its host key with playbooks/enroll.yml"
NO_LOGIN = "check ansible_user, and install your key with playbooks/enroll.yml"
NO_SERVER = "no SSH server answers there: start it, or check ansible_port"
NO_NAME = "correct its name, or set ansible_host in the inventory"
NO_FOLDER = "is its disk full, or the home folder of ansible_user not writable?"

REMEDIES = (
    Remedy("Host key verification failed", UNKNOWN_KEY, trouble="host-key-unknown"),
    Remedy("Permission denied", NO_LOGIN, trouble="login-refused"),
    Remedy("Connection refused", NO_SERVER, trouble="host-off"),
    # What Ansible says of the same where ssh ended before it was told anything.
    Remedy("Data could not be sent", NO_SERVER, trouble="host-off"),
    Remedy("Could not resolve hostname", NO_NAME, trouble="host-name"),
    Remedy("No route to host", "is it switched on and on this network?", trouble="host-off"),
    Remedy(
        "Network is unreachable", "is this machine on the network of the room?", trouble="host-off"
    ),
    Remedy(
        "timed out", "is it switched on, and does its firewall let SSH through?", trouble="host-off"
    ),
    Remedy("temporary directory", NO_FOLDER, trouble="disk-full"),
    Remedy("onnection", "the connection broke: repeat the run for it", trouble="connection-broke"),
)


class Trouble(t.NamedTuple):
    """Why a host stopped, and where."""

    step: str
    task: str
    reason: str
    unreachable: bool


def plain(text: object) -> str:
    """One line of bounded length without control characters, whatever a host said.

    Of a longer one the middle is left out: its remedy stands at the end.
    """
    said = str(text)
    if len(said) > 10 * LONGEST:
        said = f"{said[: 5 * LONGEST]} {said[-5 * LONGEST :]}"
    folded = " ".join(said.split())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in folded)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 5 - END]} ... {shown[-END:]}"


def last_line(text: object) -> str:
    """The last line with anything in it."""
    return (str(text or "").strip().splitlines() or [""])[-1].strip()


def failed_part(result: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """The item that failed, of a loop's result; any other result as it is."""
    items = result.get("results")
    if "censored" in result or not isinstance(items, list):
        return result
    marks = ("failed_when_result", "failed", "unreachable")
    failed = (item for item in items if isinstance(item, dict) and any(map(item.get, marks)))
    return next(failed, result)


def why_failed(result: t.Mapping[str, t.Any]) -> str:
    """A failed task's reason, from its result; of a hidden result only that it is hidden."""
    part = failed_part(result)
    if "censored" in part:
        return plain(part["censored"])
    message = part.get("msg") or part.get("reason") or ""
    message = "; ".join(map(str, message)) if isinstance(message, list) else str(message)
    message = re.sub(r"^(Task failed: |Module failed: )+", "", message)
    said = last_line(part.get("stderr") or part.get("module_stderr"))
    if message == "non-zero return code":
        return plain(f"exit status {part.get('rc')}: {said or 'nothing on stderr'}")
    if said and re.match("MODULE FAILURE|Module result deserialization failed", message):
        return plain(said)
    accepted = "its result is not one that the task accepts (failed_when)"
    return plain(message or said or accepted)


def why_unreachable(result: t.Mapping[str, t.Any]) -> str:
    """What ssh said at last, and the remedy."""
    part = failed_part(result)
    if "censored" in part:
        return plain(part["censored"])
    said = plain(re.sub(r"^.*\bssh: |^Task failed: ", "", last_line(part.get("msg"))))
    for remedy in REMEDIES:
        if remedy.cause in said:
            return f"{said.rstrip('.')}; {remedy.words} (docs/troubles.md#{remedy.trouble})"
    return f"{said} (docs/troubles.md#connection-broke)"


def step_of(play: t.Any) -> str:
    """The name of the playbook file that a play stands in, without its suffix."""
    return Path(play.get_path().rpartition(":")[0]).stem or "playbook"


def hosts_of(play: t.Any, which: str) -> list[str]:
    """One of Ansible's own lists of a play's hosts, such as ``ansible_play_hosts``."""
    return [str(name) for name in play.get_variable_manager().get_vars(play=play)[which]]


def now() -> str:
    """The time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts seat-2 before seat-10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


def outcome(host: t.Mapping[str, t.Any]) -> str:
    """How a host of the report came through: ok, failed, unreachable or unfinished."""
    if host["failed"]:
        return "unreachable" if host["unreachable"] else "failed"
    return "ok" if host["finished"] and "not run" not in host["steps"].values() else "unfinished"


def joined(earlier: dict[str, t.Any], run: dict[str, t.Any]) -> dict[str, t.Any]:
    """A process's report with the hosts that other processes of the same run have reported."""
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
    """Write the report whole or not at all, readable by its owner alone; returns what was written.

    Raises:
        OSError: it cannot be written; an earlier file stands as it was.
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
    """The command line again, for these hosts alone; of another program's only the option."""
    limit = ["--limit", ",".join(hosts)]
    if Path(words[0]).name != "ansible-playbook":
        return shlex.join(limit)
    found = shutil.which("ansible-playbook") == words[0]
    kept = ["ansible-playbook" if found else words[0]]
    rest = iter(words[1:])
    for word in rest:
        # -l may end a row of short options, and argparse takes --lim for --limit.
        short = re.fullmatch(r"-([bCDJkKv]*)l(.*)", word, re.DOTALL)
        long = re.fullmatch(r"--lim(?:i|it)?(=.*)?", word, re.DOTALL)
        if short and short[1]:
            kept.append(f"-{short[1]}")
        if not short and not long:
            kept.append(word)
        elif not (short and short[2]) and not (long and long[1]):
            next(rest, None)
    return shlex.join(kept + limit)


class Progress:
    """How far each host came, by step, as a callback tells it what happens.

    Attributes:
        play: the play that is under way, or nothing between plays.
        batch: the hosts that this play, or this batch of it, began with.
        planned: every play of the playbooks so far.
        members: by step, in the order of their first appearance, its hosts.
        trouble: why a host stopped, by host.
        lost: the number of the play (from 1) in which a host was lost, by its own failure or
            another's.
    """

    def __init__(self) -> None:
        self.play: t.Any = None
        self.batch: list[str] = []
        self.planned: list[t.Any] = []
        self.members: dict[str, set[str]] = {}
        self.trouble: dict[str, Trouble] = {}
        self.lost: dict[str, int] = {}
        self._begun: set[str] = set()
        self._plays = 0
        self._fatal = False
        # Of the members of each step, those not yet at its end.
        self._waiting: dict[str, set[str]] = {}
        self._seen: dict[tuple[str, str], str] = {}

    def start_play(self, play: t.Any) -> None:
        """A play begins, or one of its batches: the one before it has ended."""
        self.end_play()
        self.play, self._plays, self._fatal = play, self._plays + 1, False
        everybody = hosts_of(play, "ansible_play_hosts_all")
        # A localhost that no inventory names is in no batch.
        unnamed = [host for host in everybody if host in constants.LOCALHOST]
        self.batch = [*hosts_of(play, "ansible_play_batch"), *unnamed]
        if play.get_path() not in self._begun:
            self._plan(play, everybody)
        self._begun.add(play.get_path())

    def see(self, result: t.Any, changed: bool = True) -> None:
        """A host's task came to an end, whichever."""
        host, step = result.host.get_name(), step_of(self.play)
        if changed and result.is_changed():
            self._seen[host, step] = "changed"
        # A host that was lost works in no later play, unless its errors were cleared.
        if self.lost.get(host, self._plays) < self._plays:
            del self.lost[host]
            self.trouble.pop(host, None)
            for name in self._waiting.keys() - {step}:
                self._waiting[name].discard(host)

    def fail(self, result: t.Any, *, ignored: bool) -> None:
        """A host's task failed; whether that counts is for Ansible to say."""
        self.see(result, changed=ignored)
        if ignored:
            return
        self._may_stop_others(result.task)
        host = result.host.get_name()
        # A rescued host is still among the play's hosts. An included file that cannot be read fails
        # the host only after this call.
        unreadable = "reason" in result.result and "include" in result.task.action
        if unreadable or host not in hosts_of(self.play, "ansible_play_hosts"):
            self._stop(result, why_failed(result.result), unreachable=False)

    def miss(self, result: t.Any) -> None:
        """A host could not be reached."""
        self.see(result)
        if not result.task.ignore_unreachable:
            self._may_stop_others(result.task)
            self._stop(result, why_unreachable(result.result), unreachable=True)

    def end_play(self) -> None:
        """What was under way has ended."""
        if self.play is None:
            return
        if self._fatal:
            for host in set(self.batch) - set(hosts_of(self.play, "ansible_play_hosts")):
                self.lost.setdefault(host, self._plays)
        self._waiting[step_of(self.play)] -= set(self.batch) - self.lost.keys()
        self.play = None

    def plan_rest(self) -> None:
        """No further play begins: what has not begun was not run."""
        for play in self.planned:
            if play.get_path() not in self._begun:
                self._plan(play, self._hosts_not_begun(play))

    def cell(self, host: str, step: str) -> str:
        """How far a host came in a step that has members, in one word or two."""
        trouble = self.trouble.get(host)
        if host not in self.members[step]:
            return "-"
        if trouble and trouble.step == step:
            return "unreachable" if trouble.unreachable else "failed"
        if host in self._waiting[step]:
            return "not run"
        return self._seen.get((host, step), "ok")

    def _plan(self, play: t.Any, hosts: t.Iterable[str]) -> None:
        self.members.setdefault(step_of(play), set()).update(hosts)
        self._waiting.setdefault(step_of(play), set()).update(hosts)

    def _hosts_not_begun(self, play: t.Any) -> t.Iterable[str]:
        try:
            return hosts_of(play, "ansible_play_hosts_all")
        except AnsibleError:  # what stopped the run may be this play's own variables
            return set().union(*self.members.values())

    def _stop(self, result: t.Any, reason: str, *, unreachable: bool) -> None:
        # Of several failures that count, the first is the cause: those in `always` come after it.
        host, task = result.host.get_name(), plain(result.task_name)
        self.lost.setdefault(host, self._plays)
        trouble = Trouble(step_of(self.play), task, reason, unreachable)
        self.trouble.setdefault(host, trouble)

    def _may_stop_others(self, task: t.Any) -> None:
        # Even where the failing host is rescued, Ansible drops the others, and does not count it.
        whole = task.run_once or task.any_errors_fatal
        self._fatal |= bool(whole) or self.play.max_fail_percentage is not None


class CallbackModule(CallbackBase):
    """Collects what happens to each host and reports it at the end of the run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "lab_report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._started = ""
        self._playbooks: list[str] = []
        self._progress = Progress()
        self._stats: t.Any = None
        self._reported = False

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """A playbook of the command line begins; there may be several."""
        if not self._playbooks:
            self._started = now()
            self._run = self.get_option("run") or uuid.uuid4().hex
            folder = Path(constants.CONFIG_FILE).parent if constants.CONFIG_FILE else Path.cwd()
            self._file = Path(self.get_option("run_file") or folder / "captures" / "run.json")
            # After Ctrl-C or an error in the playbook Ansible calls nothing else.
            atexit.register(self._at_exit, os.getpid())
        self._stats = None
        self._playbooks.append(Path(playbook._file_name).name)
        self._progress.planned += playbook.get_plays()

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """A play begins, or one of its batches."""
        self._progress.start_play(play)
        # Whatever ends this process, the file does not tell of an earlier run as if it were this.
        self._write(finished=False)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """A host's task came to its end."""
        self._progress.see(result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """A host's task had nothing to do."""
        self._progress.see(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """A host's task failed."""
        self._progress.fail(result, ignored=ignore_errors)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """A host could not be reached."""
        self._progress.miss(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """A playbook ended, with Ansible's counts of all so far."""
        self._progress.end_play()
        self._stats = stats
        # After a failure Ansible leaves out the playbooks that follow: then it is told at the exit.
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
            "ended": now(),
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
        self._progress.plan_rest()
        if self._stats is not None:
            told = self._stats.failures.keys() | self._stats.dark.keys()
            trouble = self._progress.trouble
            self._progress.trouble = {host: why for host, why in trouble.items() if host in told}
        run = self._write(finished=self._stats is not None)
        if run["hosts"]:
            self._print(run)

    def _print(self, run: dict[str, t.Any]) -> None:
        colors = {"ok": constants.COLOR_OK, "unfinished": constants.COLOR_SKIP}
        say = self._display.display
        self._display.banner("REPORT")
        rows = [["", *run["steps"]]]
        for name, host in run["hosts"].items():
            # Of a slice that is still under way the file has no more than the steps it has begun.
            missing = "-" if host["finished"] else "not run"
            rows.append([name, *(host["steps"].get(step, missing) for step in run["steps"])])
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
                text = f'  {name}: {why["step"]}, task "{why["task"]}": {why["reason"]}'
                say(text, color=constants.COLOR_ERROR)
        say(self._counts(run))
        if run["limit"]:
            say("Repeat it for the rest with:")
            # It holds what the user typed: for the screen, not for Ansible's log file.
            say(f"  {repeating(sys.argv, run['limit'])}", screen_only=True)

    def _counts(self, run: dict[str, t.Any]) -> str:
        outcomes = [outcome(host) for host in run["hosts"].values()]
        kinds = ("ok", "failed", "unreachable", "unfinished")
        words = [f"{outcomes.count(kind)} {kind}" for kind in kinds if kind in outcomes]
        interrupted = ["interrupted"] if self._stats is None else []
        number = f"{len(outcomes)} host{'s' * (len(outcomes) != 1)}"
        return f"{number}: {', '.join([*words, *interrupted])}, {run['seconds']:.1f} s"
