"""Measures grading against its goals, on captures made for it: writes bench/GRADING.md.

The peers' environment is the one that ``bench/grading/run`` makes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bench.goals import Rounds
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
from bench.grading.versions import facts
from bench.process import Measured, adopt, measure
from bench.results import Heading, markdown
from bench.rounds import FEWEST_ROUNDS, hand_out, measure_all, say

RESULTS = TOP / "bench" / "GRADING.md"
HEADING = Heading(
    "Benchmark of grading",
    "make bench-grading",
    """\
The captures are made anew from a seed; all differ, and all are complete and graded with full
points. The peers' check is the same, without evidence: handshake, two messages, their upcalls,
close, no reset. CPU is that of all processes of a contestant.

Right before, each contestant but tshark runs once more, unmeasured: the host of a virtual machine
may take back memory that was not used for a minute, and who comes first after a long process would
pay for all that read the same files.
""",
)
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


def warm(contestant: Contestant) -> None:
    """Bring into memory what a contestant reads; beside what tshark takes that is nothing."""
    if contestant.name != goals.TSHARK:
        run(contestant)


def with_memory(chosen: list[Contestant], measured: Rounds) -> Rounds:
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
        by_name = {contestant.name: contestant for contestant in chosen}
        measured, noise = measure_all(
            list(by_name),
            options.rounds,
            lambda name: run(by_name[name]),
            lambda name: warm(by_name[name]),
        )
        rounds = with_memory(chosen, measured)
    what = {contestant.name: contestant.what for contestant in chosen}
    text = markdown(HEADING, goals.GOALS, rounds, what, facts(), noise)
    whole = not options.only and options.rounds >= FEWEST_ROUNDS
    hand_out(text, options.output or (RESULTS if whole else None))


if __name__ == "__main__":
    main()
