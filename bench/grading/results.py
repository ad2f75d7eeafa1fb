"""bench/GRADING.md: what was measured, on what, and how it stands to the goals."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import statistics
import subprocess
import typing as t
from collections.abc import Mapping
from pathlib import Path

from bench.goals import Rounds
from bench.grading.contestants import PEERS_PYTHON
from bench.grading.goals import GOALS
from bench.results import contestant_row, goal_row, measured, table

INTRODUCTION = """\
Whole processes, from start to end, start-up included. In each round every contestant runs once, and
each round begins with another one; the figures are medians. One round before them is not measured.
The captures are made anew from a seed; all differ, and all are complete and graded with full
points. The peers' check is the same, without evidence: handshake, two messages, their upcalls,
close, no reset. CPU is that of all processes of a contestant.
"""
_VERSIONS = (
    "import importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in"
    " ('dpkt', 'scapy')))"
)


def facts() -> dict[str, str]:
    """The machine and the versions. No name, address or path of it."""
    return {
        "Date": datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d, %H:%M UTC"),
        "Processor": _first("/proc/cpuinfo", "model name"),
        "Cores": str(len(os.sched_getaffinity(0))),
        "Memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "Kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "The grader's dpkt": importlib.metadata.version("dpkt"),
        "Peers": _say([str(PEERS_PYTHON), "-c", _VERSIONS]),
        "tshark": _say(["tshark", "--version"]).partition("\n")[0],
    }


def reasons(rounds: Rounds) -> str:
    """A line for each goal that is missed: why."""
    return "".join(
        f"- {goal.title}: {goal.why(rounds)}\n"
        for goal in GOALS
        if measured(goal, rounds) and not goal.met(goal.figure(rounds))
    )


def markdown(
    rounds: Rounds,
    contestants: Mapping[str, str],
    told: Mapping[str, str],
    background: t.Sequence[float],
    load: tuple[float, float],
) -> str:
    """The whole file. ``contestants`` tells of each name what it is."""
    ran = [(name, what) for name, what in contestants.items() if rounds.get(name)]
    count = max((len(rounds[name]) for name, _ in ran), default=0)
    parts = [
        "# Benchmark of grading\n",
        "Made by `bench/grading/run`; the goals' figures are ratios within this one run.\n",
        table(
            ["What", "Formula", "Figure", "Goal", "Verdict"],
            [goal_row(goal, rounds) for goal in GOALS],
        ),
        reasons(rounds),
        f"## Contestants\n\n{INTRODUCTION}",
        table(
            ["Contestant", "What", f"Median of {count}, s", "Range, s", "CPU, s"],
            [contestant_row(name, rounds, what) for name, what in ran],
        ),
        f"Before each process {statistics.median(background or [0]):.0%} of the CPU time was in use"
        f" (median; largest {max(background, default=0):.0%}).\n"
        f"The load average was {load[0]:.2f} at the start and {load[1]:.2f} at the end.\n",
        "## Machine and versions\n",
        table(["", ""], [[name, value] for name, value in told.items()]),
    ]
    return "\n".join(part for part in parts if part)


def _first(path: str, key: str) -> str:
    match = re.search(rf"^{key}\s*:\s*(.*)$", Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else "unknown"


def _say(command: list[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout.strip() or "not there"
