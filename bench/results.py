"""A file of results: what was measured, on what, and how it stands to the goals."""

from __future__ import annotations

import statistics
import typing as t
from collections.abc import Mapping

from bench.goals import Goal, Rounds, cpu, seconds
from bench.rounds import Noise

INTRODUCTION = """\
Whole processes, from start to end, start-up included. In each round every contestant runs once, and
each round begins with another one; the figures are medians. One round before them is not measured.
"""


class Heading(t.NamedTuple):
    """What stands above the figures: title, command that makes the file, how it was measured."""

    title: str
    command: str
    how: str


def table(heads: t.Sequence[str], rows: t.Iterable[t.Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def measured(goal: Goal, rounds: Rounds) -> bool:
    """Whether all that a goal needs was measured."""
    return all(rounds.get(name) for name in goal.needs)


def goal_row(goal: Goal, rounds: Rounds) -> list[str]:
    """One goal: its figure, its bound, and whether it was met."""
    bound = f"{'at most' if goal.at_most else 'at least'} {goal.bound:g} {goal.unit}"
    if not measured(goal, rounds):
        return [goal.title, f"`{goal.formula}`", "not measured", bound, ""]
    figure = goal.figure(rounds)
    return [
        goal.title,
        f"`{goal.formula}`",
        f"{figure:.2f} {goal.unit}",
        bound,
        goal.verdict(figure),
    ]


def reasons(goals: t.Iterable[Goal], rounds: Rounds) -> str:
    """A line for each goal that is missed: why."""
    missed = (
        f"- {goal.title}: {goal.why(rounds)}\n"
        for goal in goals
        if measured(goal, rounds) and not goal.met(goal.figure(rounds))
    )
    return "".join(missed)


def contestant_row(name: str, rounds: Rounds, what: str) -> list[str]:
    """One contestant: median, smallest and largest time, and CPU."""
    times = [each.seconds for each in rounds[name]]
    return [
        f"`{name}`",
        what,
        f"{seconds(rounds, name):.2f}",
        f"{min(times):.2f} to {max(times):.2f}",
        f"{cpu(rounds, name):.2f}",
    ]


def surroundings(noise: Noise) -> str:
    """What else the machine did."""
    share, largest = statistics.median(noise.shares or [0.0]), max(noise.shares, default=0.0)
    before, after = noise.load
    return (
        f"Before each process {share:.0%} of the CPU time was in use (median; largest"
        f" {largest:.0%}).\n"
        f"The load average was {before:.2f} at the start and {after:.2f} at the end.\n"
    )


def markdown(
    heading: Heading,
    goals: t.Sequence[Goal],
    rounds: Rounds,
    contestants: Mapping[str, str],
    facts: Mapping[str, str],
    noise: Noise,
) -> str:
    """The whole file. ``contestants`` tells of each name what it is."""
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
