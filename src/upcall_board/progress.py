"""How far each host of a run came, step by step, as plain data."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple


class Play(NamedTuple):
    """A play, or one of its batches.

    ``path`` is the place of the play, as ``playbooks/capture.yml:3``; ``hosts`` are all of its
    hosts, ``batch`` those that begin now. ``limits_failures``: the play itself says how many hosts
    may fail before the others stop.
    """

    path: str
    hosts: Collection[str]
    batch: Collection[str]
    limits_failures: bool = False


class Trouble(NamedTuple):
    """Why a host stopped, and where."""

    step: str
    task: str
    reason: str
    unreachable: bool


def step_of(path: str) -> str:
    """Return the name of the playbook file that a play stands in, without its suffix."""
    return Path(path.rpartition(":")[0]).stem or "playbook"


def natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts seat-2 before seat-10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


class Progress:
    """How far each host came, by step, told as it happens.

    Attributes:
        step: the step that is under way, or nothing between plays.
        batch: the hosts that this play, or this batch of it, began with.
        planned: the place of every play of the playbooks so far.
        members: by step, in the order of their first appearance, its hosts.
        trouble: why a host stopped, by host.
        lost: the number of the play (from 1) in which a host was lost, by its own failure or
            another's.
        stops_others: whether a failure in this play may have ended it for other hosts, too.
    """

    def __init__(self) -> None:
        self.step: str | None = None
        self.batch: Collection[str] = ()
        self.planned: list[str] = []
        self.members: dict[str, set[str]] = {}
        self.trouble: dict[str, Trouble] = {}
        self.lost: dict[str, int] = {}
        self.stops_others = False
        self._limits_failures = False
        self._begun: set[str] = set()
        self._plays = 0
        # Of the members of each step, those not yet at its end.
        self._waiting: dict[str, set[str]] = {}
        self._done: dict[tuple[str, str], str] = {}

    def start_play(self, play: Play) -> None:
        """Begin a play, or one of its batches; the one before it has ended."""
        self.step, self.batch = step_of(play.path), play.batch
        self._plays += 1
        self.stops_others, self._limits_failures = False, play.limits_failures
        if play.path not in self._begun:
            self.plan(self.step, play.hosts)
        self._begun.add(play.path)

    def plan(self, step: str, hosts: Iterable[str]) -> None:
        """Expect these hosts in a step."""
        expected = set(hosts)
        self.members.setdefault(step, set()).update(expected)
        self._waiting.setdefault(step, set()).update(expected)

    def has_begun(self, path: str) -> bool:
        """Return whether a play began."""
        return path in self._begun

    def end_task(self, host: str, *, changed: bool) -> None:
        """Take in that a host's task came to an end, whichever."""
        step = self._current()
        if changed:
            self._done[host, step] = "changed"
        # A host that was lost works in no later play, unless its errors were cleared.
        if self.lost.get(host, self._plays) < self._plays:
            del self.lost[host]
            self.trouble.pop(host, None)
            for name in self._waiting.keys() - {step}:
                self._waiting[name].discard(host)

    def fail(self, *, for_all: bool) -> None:
        """Take in that a task failed; ``for_all``: the task says that it counts for all hosts.

        Even where the failing host is rescued, Ansible drops the others, and does not count it.
        """
        self.stops_others |= for_all or self._limits_failures

    def stop(self, host: str, task: str, reason: str, *, unreachable: bool) -> None:
        """Take in that a host goes no further."""
        # Of several failures that count, the first is the cause: those in `always` come after it.
        self.lost.setdefault(host, self._plays)
        self.trouble.setdefault(host, Trouble(self._current(), task, reason, unreachable))

    def end_play(self, remaining: Collection[str]) -> None:
        """End what was under way; ``remaining`` are the hosts that are still in the play."""
        if self.step is None:
            return
        if self.stops_others:
            for host in set(self.batch).difference(remaining):
                self.lost.setdefault(host, self._plays)
        self._waiting[self.step] -= set(self.batch) - self.lost.keys()
        self.step = None

    def cell(self, host: str, step: str) -> str:
        """Tell how far a host came in a step that has members, in one word or two."""
        trouble = self.trouble.get(host)
        if host not in self.members[step]:
            return "-"
        if trouble and trouble.step == step:
            return "unreachable" if trouble.unreachable else "failed"
        if host in self._waiting[step]:
            return "not run"
        return self._done.get((host, step), "ok")

    def _current(self) -> str:
        if self.step is None:
            raise RuntimeError("no play is under way")
        return self.step
