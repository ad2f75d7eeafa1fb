"""The goals, and what the measurements say to them: plain numbers in, plain numbers out."""

from __future__ import annotations

import statistics
import typing as t
from collections.abc import Callable, Mapping

from bench.process import Measured

Rounds = Mapping[str, t.Sequence[Measured]]

START_UP, CONNECT = "start-up", "connect"
FLOOR, PYINFRA, WARM, UNTRUSTED = "floor", "pyinfra", "warm", "look-off"
MANY, CAPTURE, CAPTURE_SSH = "warm-48", "capture", "capture-ssh"
HOSTS, ALIASES = 6, 48


class Goal(t.NamedTuple):
    """One goal: what is compared with ``bound``, and ``why`` where that misses it."""

    title: str
    formula: str
    unit: str
    bound: float
    at_most: bool
    needs: tuple[str, ...]
    figure: Callable[[Rounds], float]
    why: Callable[[Rounds], str]

    def met(self, figure: float) -> bool:
        """Whether a figure meets the goal."""
        return figure <= self.bound if self.at_most else figure >= self.bound

    def verdict(self, figure: float) -> str:
        """``met``, or by how much it was missed."""
        if self.met(figure):
            return "met"
        short = figure / self.bound if self.at_most else self.bound / figure
        return f"**missed** by a factor of {short:.2f}"


def seconds(rounds: Rounds, name: str) -> float:
    """The median of a contestant's wall-clock time."""
    return statistics.median(each.seconds for each in rounds[name])


def cpu(rounds: Rounds, name: str) -> float:
    """The median of a contestant's CPU time on the controller."""
    return statistics.median(each.cpu for each in rounds[name])


def ratio(over: str, under: str) -> Callable[[Rounds], float]:
    """How many times the second's median time the first's is."""
    return lambda rounds: seconds(rounds, over) / seconds(rounds, under)


def cpu_of_a_further_host(rounds: Rounds) -> float:
    """CPU seconds that each host beyond the first six costs the controller."""
    return (cpu(rounds, MANY) - cpu(rounds, WARM)) / (ALIASES - HOSTS)


def without_start_up(name: str) -> Callable[[Rounds], str]:
    """How much of a contestant is Ansible's start-up, which no role can make shorter."""

    def why(rounds: Rounds) -> str:
        whole, start = seconds(rounds, name), seconds(rounds, START_UP)
        return (
            f"Of `{name}`'s {whole:.2f} s, Ansible's start-up with no task takes {start:.2f} s;"
            f" the other {whole - start:.2f} s are work for each host and task."
        )

    return why


def without_connection(rounds: Rounds) -> str:
    """How much of a host's CPU time is the SSH connection's, which every tool pays."""
    share = cpu(rounds, CONNECT) / HOSTS
    return (
        f"An SSH connection alone costs {share:.3f} s of CPU, most of it the key exchange; the rest"
        " is a process that Ansible forks for each host and task, and the look's result."
    )


def untrusted_is_short(rounds: Rounds) -> str:
    """What both have in common."""
    return (
        f"`{UNTRUSTED}` takes {seconds(rounds, UNTRUSTED):.2f} s, `{WARM}`"
        f" {seconds(rounds, WARM):.2f} s; start-up, {seconds(rounds, START_UP):.2f} s, and the look"
        " itself are in both."
    )


def many_on_few_cores(rounds: Rounds) -> str:
    """Where the time of 48 goes."""
    return (
        f"`{MANY}` used {cpu(rounds, MANY):.2f} s of CPU on the controller within"
        f" {seconds(rounds, MANY):.2f} s; the hosts, which do 8 times the work of the 6, have the"
        " same cores."
    )


GOALS = (
    Goal(
        "Warm site.yml without the capture, against the parallel-ssh floor",
        f"{WARM} / {FLOOR}",
        "times",
        3.0,
        True,
        (WARM, FLOOR, START_UP),
        ratio(WARM, FLOOR),
        without_start_up(WARM),
    ),
    Goal(
        "The same, against pyinfra with the same checks",
        f"{WARM} / {PYINFRA}",
        "times",
        1.0,
        True,
        (WARM, PYINFRA, START_UP),
        ratio(WARM, PYINFRA),
        without_start_up(WARM),
    ),
    Goal(
        "The same roles with the look switched off, against it",
        f"{UNTRUSTED} / {WARM}",
        "times",
        8.0,
        False,
        (UNTRUSTED, WARM, START_UP),
        ratio(UNTRUSTED, WARM),
        untrusted_is_short,
    ),
    Goal(
        "A capture session on 6 hosts, against one ssh script",
        f"{CAPTURE} / {CAPTURE_SSH}",
        "times",
        6.0,
        True,
        (CAPTURE, CAPTURE_SSH, START_UP),
        ratio(CAPTURE, CAPTURE_SSH),
        without_start_up(CAPTURE),
    ),
    Goal(
        "Controller CPU for each further host",
        f"(CPU of {MANY} - CPU of {WARM}) / {ALIASES - HOSTS}",
        "s",
        0.1,
        True,
        (MANY, WARM, CONNECT),
        cpu_of_a_further_host,
        without_connection,
    ),
    Goal(
        "48 aliases of the 6 hosts, against the 6",
        f"{MANY} / {WARM}",
        "times",
        6.0,
        True,
        (MANY, WARM),
        ratio(MANY, WARM),
        many_on_few_cores,
    ),
)


def order(names: t.Sequence[str], number: int) -> list[str]:
    """The contestants of a round: each round begins with another one."""
    start = number % len(names)
    return [*names[start:], *names[:start]]
