"""Measures the contestants on the room named bench, which ``make bench`` makes."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import typing as t
from pathlib import Path

from bench import goals
from bench.contestants import FOLDER, TIMEOUT, Contestant, contestants, environment
from bench.process import Measured, adopt, measure
from bench.results import Heading, markdown
from bench.room import TOP, NoRoomError, Room, aliases, find
from bench.rounds import FEWEST_ROUNDS, hand_out, measure_all
from bench.versions import facts

RESULTS = TOP / "bench" / "RESULTS.md"
HEADING = Heading(
    "Benchmark",
    "make bench",
    """\
Each starts without an open SSH connection, as a lecturer's run does. The lab hosts are containers
on this machine, so they and the controller share its cores. All are prepared: nothing is missing.
Their health checks are part of what the machine did before each process.

CPU is what the controller's processes used, ssh and its ControlMaster processes included, lab hosts
not. The peers' ssh has the options of ansible.cfg, those for multiplexing excepted.
""",
)


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
        by_name = {contestant.name: contestant for contestant in chosen}
        rounds, noise = measure_all(
            list(by_name), options.rounds, lambda name: run(by_name[name], room)
        )
    text = markdown(
        HEADING,
        goals.GOALS,
        rounds,
        {contestant.name: contestant.what for contestant in chosen},
        facts(room),
        noise,
    )
    whole = not options.only and options.rounds >= FEWEST_ROUNDS
    hand_out(text, options.output or (RESULTS if whole else None))


if __name__ == "__main__":
    main()
