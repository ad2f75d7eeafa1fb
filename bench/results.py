"""Goals, and the file that says how the measurements stand to them: plain numbers in, text out."""

from __future__ import annotations

import statistics
import typing as t
from collections.abc import Callable, Mapping, Sequence

from bench.process import Measured

Rounds = Mapping[str, Sequence[Measured]]
Why = Callable[[Rounds], str]

START_UP = "start-up"
INTRODUCTION = """\
Whole processes, from start to end, start-up included. In each round every contestant runs once, and
each round begins with another one; the figures are medians. One round before them is not measured.
"""


class Goal(t.NamedTuple):
    """One goal: what is compared with ``bound``, and ``why`` where that misses it."""

    title: str
    formula: str
    unit: str
    bound: float
    at_most: bool
    needs: tuple[str, ...]
    figure: Callable[[Rounds], float]
    why: Why

    def met(self, figure: float) -> bool:
        """Tell whether a figure meets the goal."""
        return figure <= self.bound if self.at_most else figure >= self.bound

    def verdict(self, figure: float) -> str:
        """Return ``met``, or by how much it was missed."""
        if self.met(figure):
            return "met"
        short = figure / self.bound if self.at_most else self.bound / figure
        return f"**missed** by a factor of {short:.2f}"

    def measured(self, rounds: Rounds) -> bool:
        """Tell whether all that it needs was measured."""
        return all(rounds.get(name) for name in self.needs)


class Heading(t.NamedTuple):
    """What stands above the figures: title, command that makes the file, how it was measured."""

    title: str
    command: str
    how: str


class Noise(t.NamedTuple):
    """What else the machine did: shares of CPU time before each process, load before and after."""

    shares: list[float]
    load: tuple[float, float]


def seconds(rounds: Rounds, name: str) -> float:
    """Return the median of a contestant's wall-clock time."""
    return statistics.median(each.seconds for each in rounds[name])


def cpu(rounds: Rounds, name: str) -> float:
    """Return the median of a contestant's CPU time on the controller."""
    return statistics.median(each.cpu for each in rounds[name])


def ratio(title: str, over: str, under: str, bound: float, why: Why, *, at_most: bool) -> Goal:
    """Return the goal of how many times the second's median time the first's is."""
    return Goal(
        title,
        f"{over} / {under}",
        "times",
        bound,
        at_most,
        (over, under, START_UP),
        lambda rounds: seconds(rounds, over) / seconds(rounds, under),
        why,
    )


def table(heads: Sequence[str], rows: t.Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def goal_row(goal: Goal, rounds: Rounds) -> list[str]:
    """Return one goal: its figure, its bound, and whether it was met."""
    figure, verdict = "not measured", ""
    if goal.measured(rounds):
        number = goal.figure(rounds)
        figure, verdict = f"{number:.2f} {goal.unit}", goal.verdict(number)
    bound = f"{'at most' if goal.at_most else 'at least'} {goal.bound:g} {goal.unit}"
    return [goal.title, f"`{goal.formula}`", figure, bound, verdict]


def reasons(goals: t.Iterable[Goal], rounds: Rounds) -> str:
    """Return a line for each goal that is missed: why."""
    missed = (
        f"- {goal.title}: {goal.why(rounds)}\n"
        for goal in goals
        if goal.measured(rounds) and not goal.met(goal.figure(rounds))
    )
    return "".join(missed)


def contestant_row(name: str, rounds: Rounds, what: str) -> list[str]:
    """Return one contestant: median, smallest and largest time, and CPU."""
    times = [each.seconds for each in rounds[name]]
    return [
        f"`{name}`",
        what,
        f"{seconds(rounds, name):.2f}",
        f"{min(times):.2f} to {max(times):.2f}",
        f"{cpu(rounds, name):.2f}",
    ]


def surroundings(noise: Noise) -> str:
    """Return what else the machine did."""
    share, largest = statistics.median(noise.shares or [0.0]), max(noise.shares, default=0.0)
    before, after = noise.load
    return (
        f"Before each process {share:.0%} of the CPU time was in use (median; largest"
        f" {largest:.0%}).\n"
        f"The load average was {before:.2f} at the start and {after:.2f} at the end.\n"
    )


def markdown(
    heading: Heading,
    goals: Sequence[Goal],
    rounds: Rounds,
    contestants: Mapping[str, str],
    facts: Mapping[str, str],
    noise: Noise,
) -> str:
    """Return the whole file. ``contestants`` tells of each name what it is."""
    ran = [(name, what) for name, what in contestants.items() if rounds.get(name)]
    count = max((len(rounds[name]) for name, _ in ran), default=0)
    parts = [
        f"# {heading.title}\n",
        f"Made by `{heading.command}`; the goals' figures are ratios within this one run.\n",
        table(
            ["What", "Formula", "Figure", "Goal", "Verdict"],
            [goal_row(goal, rounds) for goal in goals],
        ),
        reasons(goals, rounds),
        f"## Contestants\n\n{INTRODUCTION}{heading.how}",
        table(
            ["Contestant", "What", f"Median of {count}, s", "Range, s", "CPU, s"],
            [contestant_row(name, rounds, what) for name, what in ran],
        ),
        surroundings(noise),
        "## Machine and versions\n",
        table(["", ""], [[name, value] for name, value in facts.items()]),
    ]
    return "\n".join(part for part in parts if part)
