"""The one way to measure: contestants in turn, each on a machine as quiet as it gets."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import tempfile
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.machine import settle
from bench.process import Measured, adopt, measure
from bench.results import Goal, Heading, Noise, markdown
from upcall_grader.command_line import Parser

FOLDER = "@FOLDER@"  # in a command, a variable: the folder of this one run
FEWEST_ROUNDS = 5
TIMEOUT = 1800.0  # seconds; a contestant that hangs does not hang the benchmark


class Contestant(t.NamedTuple):
    """A command that a user could type, and what a run has to show to count.

    Attributes:
        says: stands in the output.
        unwanted: matches no line of the output: a lab host was not prepared after all.
        captures: how many captures the run leaves in its folder.
        warmed: runs once unmeasured before each run.
    """

    name: str
    what: str
    command: list[str]
    says: str = ""
    unwanted: str = ""
    captures: int = 0
    warmed: bool = False

    def trouble(self, status: int, said: str, folder: Path) -> str:
        """Return why a run of it does not count; empty if it does."""
        last = "\n".join(said.strip().splitlines()[-15:])
        if status != 0:
            return f"it ended with status {status}:\n{last}"
        if self.says not in said:
            return f"it did not say {self.says!r}:\n{last}"
        if self.unwanted and re.search(self.unwanted, said, re.MULTILINE):
            return f"it changed something, and there should be nothing to change:\n{said.strip()}"
        if len(list(folder.glob("captures/*/upcall.pcap"))) != self.captures:
            return f"it did not bring {self.captures} captures:\n{last}"
        return ""


class Benchmark(t.NamedTuple):
    """What is measured, how it stands to its goals, and the file of a whole run's results."""

    heading: Heading
    goals: Sequence[Goal]
    contestants: Sequence[Contestant]
    environment: Mapping[str, str]
    facts: Mapping[str, str]
    results: Path


def options(program: str, names: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for. From here on a signal ends all that is measured."""
    parser = Parser(prog=f"python -m {program}")
    parser.add_argument("--rounds", type=int, default=FEWEST_ROUNDS, help="measured rounds")
    parser.add_argument(
        "--only", action="append", choices=names, help="this contestant (again for more)"
    )
    parser.add_argument(
        "--output", type=Path, help="where the results go; a whole run's go to their file in bench"
    )
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    adopt()
    return parser.parse_args()


def _stop(number: int, _: object) -> t.NoReturn:
    raise SystemExit(128 + number)


def say(text: str) -> None:
    """Print progress, which is for people and does not mix with the results."""
    print(text, file=sys.stderr, flush=True)


def run(benchmark: Benchmark, asked: argparse.Namespace) -> None:
    """Measure what was asked for, and write what came out."""
    chosen = [one for one in benchmark.contestants if not asked.only or one.name in asked.only]
    rounds: dict[str, list[Measured]] = {one.name: [] for one in chosen}
    shares, load = [], os.getloadavg()[0]
    for number in range(asked.rounds + 1):
        for contestant in order(chosen, number):
            if contestant.warmed:
                _run_once(contestant, benchmark.environment)
            share = settle()
            result = _run_once(contestant, benchmark.environment)
            say(
                f"round {number or 'unmeasured'}: {contestant.name:12} {result.seconds:7.3f} s, CPU"
                f" {result.cpu:7.3f} s ({share:.0%} busy before, load {os.getloadavg()[0]:.1f})"
            )
            if number:
                rounds[contestant.name].append(result)
                shares.append(share)
    what = {one.name: one.what for one in chosen}
    noise = Noise(shares, (load, os.getloadavg()[0]))
    text = markdown(benchmark.heading, benchmark.goals, rounds, what, benchmark.facts, noise)
    whole = not asked.only and asked.rounds >= FEWEST_ROUNDS
    output = asked.output or (benchmark.results if whole else None)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")
        say(f"bench: written to {os.path.relpath(output)}")


def order(contestants: Sequence[Contestant], number: int) -> list[Contestant]:
    """Return the contestants of a round: each round begins with another one."""
    start = number % len(contestants)
    return [*contestants[start:], *contestants[:start]]


def _run_once(contestant: Contestant, environment: Mapping[str, str]) -> Measured:
    # ssh's sockets need a short path.
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        command = [word.replace(FOLDER, name) for word in contestant.command]
        variables = {key: word.replace(FOLDER, name) for key, word in environment.items()}
        measured = measure(command, variables, TIMEOUT)
        trouble = contestant.trouble(measured.status, measured.said, Path(name))
    if trouble:
        sys.exit(f"bench: {contestant.name} does not count: {trouble}")
    return measured
