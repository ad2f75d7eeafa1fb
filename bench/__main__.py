"""Measures the contestants on the room named bench, which ``make bench`` makes."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from bench import goals
from bench.contestants import FOLDER, TIMEOUT, Contestant, contestants, environment
from bench.machine import facts
from bench.process import Measured, adopt, busy, measure
from bench.results import markdown, noise
from bench.room import TOP, NoRoomError, Room, aliases, find

RESULTS = TOP / "bench" / "RESULTS.md"
FEWEST_ROUNDS = 5
_QUIET, _QUIET_WAIT = 0.5, 20.0  # share of the CPU time in use; seconds


def say(text: str) -> None:
    """Progress is for people, so it does not mix with the results."""
    print(text, file=sys.stderr, flush=True)


def settle() -> float:
    """Wait a while until the machine is quiet; the share of its CPU time that was still in use."""
    deadline = time.monotonic() + _QUIET_WAIT
    while True:
        share = busy(1.0)
        if share < _QUIET or time.monotonic() > deadline:
            return share


def run(contestant: Contestant, room: Room) -> Measured:
    """One run of one contestant. Raises SystemExit if it does not count."""
    # ssh's sockets need a short path.
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        measured = measure(
            [word.replace(FOLDER, name) for word in contestant.command],
            environment(room, folder),
            TIMEOUT,
        )
        trouble = contestant.trouble(measured.status, measured.said, folder / "captures")
    if trouble:
        sys.exit(f"bench: {contestant.name} does not count: {trouble}")
    return measured


def measure_all(
    chosen: list[Contestant], room: Room, rounds: int
) -> tuple[goals.Rounds, list[float]]:
    """All rounds, the unmeasured one included; and how busy the machine was before each process."""
    by_name = {contestant.name: contestant for contestant in chosen}
    measured: dict[str, list[Measured]] = {name: [] for name in by_name}
    background = []
    for number in range(rounds + 1):
        for name in goals.order(list(by_name), number):
            share = settle()
            result = run(by_name[name], room)
            load = os.getloadavg()[0]
            say(
                f"round {number or 'unmeasured'}: {name:12} {result.seconds:7.2f} s,"
                f" CPU {result.cpu:6.2f} s ({share:.0%} busy before, load {load:.1f})"
            )
            if number:
                measured[name].append(result)
                background.append(share)
    return measured, background


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=FEWEST_ROUNDS, help="measured rounds")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="this contestant (again for more)"
    )
    parser.add_argument(
        "--output", type=Path, help="where the results go; bench/RESULTS.md after a whole run"
    )
    return parser.parse_args()


def choose(everyone: list[Contestant], only: list[str] | None) -> list[Contestant]:
    """The contestants that were asked for. Raises SystemExit for a name that is none."""
    names = [contestant.name for contestant in everyone]
    unknown = set(only or []) - set(names)
    if unknown:
        sys.exit(
            f"bench: no contestant is named {', '.join(sorted(unknown))};"
            f" there are {', '.join(names)}"
        )
    return [contestant for contestant in everyone if not only or contestant.name in only]


def stop(number: int, _: object) -> t.NoReturn:
    """A signal ends this through all that must be undone: what is being measured ends, too."""
    raise SystemExit(128 + number)


def main() -> None:
    """Measure, and write what came out."""
    options = arguments()
    os.chdir(TOP)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    adopt()
    try:
        room = find(goals.HOSTS)
    except NoRoomError as error:
        sys.exit(f"bench: {error}")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        many = aliases(room, goals.ALIASES, Path(name))
        chosen = choose(contestants(room, many), options.only)
        load = os.getloadavg()[0]
        rounds, background = measure_all(chosen, room, options.rounds)
    text = markdown(
        rounds,
        {contestant.name: contestant.what for contestant in chosen},
        facts(room),
        noise(background, (load, os.getloadavg()[0])),
    )
    whole = not options.only and options.rounds >= FEWEST_ROUNDS
    output = options.output or (RESULTS if whole else None)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")
        say(f"bench: written to {os.path.relpath(output)}")


if __name__ == "__main__":
    main()
