"""bench/RESULTS.md: what was measured, on what, and how it stands to the goals."""

from __future__ import annotations

import statistics
import typing as t
from collections.abc import Mapping

from bench.goals import GOALS, Goal, Rounds, cpu, seconds

INTRODUCTION = """\
Whole processes, from start to end, start-up included. In each round every contestant runs once, and
each round begins with another one; the figures are medians. One round before them is not measured.
Each starts without an open SSH connection, as a lecturer's run does. The lab hosts are containers
on this machine, so they and the controller share its cores. All are prepared: nothing is missing.

CPU is what the controller's processes used, ssh and its ControlMaster processes included, lab hosts
not. The peers' ssh has the options of ansible.cfg, those for multiplexing excepted.
"""


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


def reasons(rounds: Rounds) -> str:
    """A line for each goal that is missed: why."""
    missed = (
        f"- {goal.title}: {goal.why(rounds)}\n"
        for goal in GOALS
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


def noise(background: t.Sequence[float], load: tuple[float, float]) -> str:
    """What else the machine did."""
    share = statistics.median(background) if background else 0.0
    return (
        f"Before each process {share:.0%} of the CPU time was in use (median; largest"
        f" {max(background, default=0.0):.0%}): the lab's own health checks, and whatever else"
        " ran.\n"
        f"The load average was {load[0]:.2f} at the start and {load[1]:.2f} at the end.\n"
    )


def markdown(
    rounds: Rounds,
    contestants: Mapping[str, str],
    facts: Mapping[str, str],
    surroundings: str,
) -> str:
    """The whole file. ``contestants`` tells of each name what it is."""
    goal_rows = [goal_row(goal, rounds) for goal in GOALS]
    ran = [(name, what) for name, what in contestants.items() if rounds.get(name)]
    count = max((len(runs) for runs in rounds.values()), default=0)
    parts = [
        "# Benchmark\n",
        "Made by `make bench`; the goals' figures are ratios within this one run.\n",
        table(["What", "Formula", "Figure", "Goal", "Verdict"], goal_rows),
        reasons(rounds),
        f"## Contestants\n\n{INTRODUCTION}",
        table(
            ["Contestant", "What", f"Median of {count}, s", "Range, s", "CPU, s"],
            [contestant_row(name, rounds, what) for name, what in ran],
        ),
        surroundings,
        "## Machine and versions\n",
        table(["", ""], [[name, value] for name, value in facts.items()]),
    ]
    return "\n".join(part for part in parts if part)
