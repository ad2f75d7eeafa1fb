"""Measures grading against its goals, on captures made for it: writes bench/GRADING.md.

The peers' environment is the one that ``bench/grading/run`` makes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bench.__main__ import FEWEST_ROUNDS, say, settle
from bench.goals import Rounds, order
from bench.grading import goals
from bench.grading.contestants import (
    OUT,
    PEERS_PYTHON,
    TOP,
    Contestant,
    contestants,
    make_inputs,
)
from bench.grading.memory import peak
from bench.grading.results import facts, markdown
from bench.process import Measured, adopt, measure

RESULTS = TOP / "bench" / "GRADING.md"
TIMEOUT = 600.0  # seconds
_NAMES = ("PATH", "HOME", "LANG", "LC_ALL")


def run(contestant: Contestant) -> Measured:
    """One run of one contestant. Raises SystemExit if it does not count."""
    environment = {name: os.environ[name] for name in _NAMES if name in os.environ}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        out = str(Path(name) / "out")
        command = [out if word == OUT else word for word in contestant.command]
        measured = measure(command, environment, TIMEOUT)
    trouble = contestant.trouble(measured.status, measured.said)
    if trouble:
        sys.exit(f"bench: {contestant.name} does not count: {trouble}")
    return measured


def measure_all(
    chosen: list[Contestant], rounds: int
) -> tuple[dict[str, list[Measured]], list[float]]:
    """All rounds, the unmeasured one included; and how busy the machine was before each process."""
    by_name = {contestant.name: contestant for contestant in chosen}
    measured: dict[str, list[Measured]] = {name: [] for name in by_name}
    background = []
    for number in range(rounds + 1):
        for name in order(list(by_name), number):
            share = settle()
            result = run(by_name[name])
            say(
                f"round {number or 'unmeasured'}: {name:12} {result.seconds:7.3f} s,"
                f" CPU {result.cpu:7.3f} s ({share:.0%} busy before)"
            )
            if number:
                measured[name].append(result)
                background.append(share)
    return measured, background


def with_memory(chosen: list[Contestant], measured: dict[str, list[Measured]]) -> Rounds:
    """The same, and how much memory the large capture takes: as if megabytes were seconds."""
    large = next((one for one in chosen if one.name == goals.LARGE), None)
    if large is None:
        return measured
    megabytes = peak(large.command)
    say(f"memory: {large.name} {megabytes:.1f} MB")
    return {**measured, goals.MEMORY: [Measured(megabytes, 0.0, 0, "")]}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.grading", description=__doc__)
    parser.add_argument("--rounds", type=int, default=FEWEST_ROUNDS, help="measured rounds")
    parser.add_argument(
        "--only",
        action="append",
        choices=goals.CONTESTANTS,
        help="this contestant (again for more)",
    )
    parser.add_argument(
        "--output", type=Path, help="where the results go; bench/GRADING.md after a whole run"
    )
    return parser.parse_args()


def main() -> None:
    """Measure, and write what came out."""
    options = arguments()
    if not PEERS_PYTHON.exists():
        sys.exit("bench: the peers are not there; make them with: bench/grading/run")
    adopt()
    sizes = (goals.CAPTURES, goals.CONNECTIONS, goals.STUDENTS)
    with tempfile.TemporaryDirectory(prefix="bench-grading-") as name:
        say("bench: making the captures")
        make_inputs(Path(name), *sizes)
        everyone = contestants(Path(name), *sizes)
        chosen = [one for one in everyone if not options.only or one.name in options.only]
        load = os.getloadavg()[0]
        measured, background = measure_all(chosen, options.rounds)
        rounds = with_memory(chosen, measured)
    what = {contestant.name: contestant.what for contestant in chosen}
    text = markdown(rounds, what, facts(), background, (load, os.getloadavg()[0]))
    whole = not options.only and options.rounds >= FEWEST_ROUNDS
    output = options.output or (RESULTS if whole else None)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")
        say(f"bench: written to {os.path.relpath(output)}")


if __name__ == "__main__":
    main()
