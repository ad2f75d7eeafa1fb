"""Measures grading against its goals, on captures made for it: writes bench/GRADING.md.

The peers' environment is the one that ``bench/grading/run`` makes.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
import tempfile
from pathlib import Path

from bench.grading import goals
from bench.grading.contestants import PEERS_PYTHON, TOP, contestants, make_inputs
from bench.machine import machine, said
from bench.results import Heading
from bench.runner import Benchmark, options, run, say

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

The goals leave room for simple code: one process judges one capture after the other, and each
connection by all criteria. A pool of processes, remembered judgements, imports put off and a
garbage collector switched off made 5,000 captures take a third of the time, and saved a class of 60
students 0.02 s: they are gone. `src/upcall_grader/judge/fast` stays: without it a capture of 77,000
connections takes twice as long as plain dpkt.
""",
)
_PEERS = (
    "import importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in"
    " ('dpkt', 'scapy')))"
)


def facts() -> dict[str, str]:
    """Return the machine and the versions. No name, address or path of it."""
    return {
        **machine(),
        "The grader's dpkt": importlib.metadata.version("dpkt"),
        "Peers": said([str(PEERS_PYTHON), "-c", _PEERS]),
        "tshark": said(["tshark", "--version"]).partition("\n")[0],
    }


def main() -> None:
    """Measure, and write what came out."""
    asked = options("bench.grading", goals.CONTESTANTS)
    if not PEERS_PYTHON.exists():
        sys.exit("bench: the peers are not there; make them with: bench/grading/run")
    environment = {**{name: os.environ[name] for name in ("PATH", "HOME")}, "LC_ALL": "C.UTF-8"}
    sizes = (goals.CAPTURES, goals.CONNECTIONS, goals.STUDENTS)
    with tempfile.TemporaryDirectory(prefix="bench-grading-") as name:
        say("bench: making the captures")
        make_inputs(Path(name), *sizes)
        everyone = contestants(Path(name), *sizes)
        results = TOP / "bench" / "GRADING.md"
        run(Benchmark(HEADING, goals.GOALS, everyone, environment, facts(), results), asked)


if __name__ == "__main__":
    main()
