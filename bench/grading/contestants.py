"""What is measured: each a whole process, and what it has to say for its time to count."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.grading import goals, inputs
from bench.results import START_UP
from bench.runner import FOLDER, Contestant

TOP = Path(__file__).resolve().parents[2]
PEERS = Path(__file__).resolve().parent / "peers"
PEERS_PYTHON = TOP / ".cache" / "bench-venv" / "bin" / "python"
_GRADE = str(Path(sys.executable).with_name("upcall-grade"))
_TSHARK = 'for capture; do tshark -r "$capture" >/dev/null 2>&1 || exit; done'


def make_inputs(folder: Path, captures: int, connections: int, students: int) -> None:
    """Make all captures, below ``folder``."""
    for name, count in (("one", 1), ("small", captures), ("students", students)):
        (folder / name).mkdir()
        inputs.small(folder / name, count)
    (folder / "large").mkdir()
    inputs.large(folder / "large" / "large.pcap", connections)


def contestants(folder: Path, captures: int, connections: int, students: int) -> list[Contestant]:
    """Return everyone; their captures are those of ``make_inputs``."""
    small, large, class_ = (folder / name for name in ("small", "large", "students"))
    each = sorted(map(str, class_.iterdir()))
    graded = "{0} submissions: {0} graded"
    everyone = [
        Contestant(
            START_UP,
            "`upcall-grade` with one capture",
            [_GRADE, str(folder / "one"), "--quiet"],
            graded.format(1),
        ),
        Contestant(
            goals.SMALL,
            f"`upcall-grade --quiet`, {captures} captures",
            [_GRADE, str(small), "--quiet"],
            graded.format(captures),
        ),
        Contestant(
            goals.SCAPY,
            "scapy with the same check of the same files, in one process",
            [str(PEERS_PYTHON), str(PEERS / "scapy_check.py"), str(small)],
            str(captures),
        ),
        Contestant(
            goals.LARGE,
            f"`upcall-grade --quiet`, one capture of {connections} connections of 13 packets",
            [_GRADE, str(large), "--quiet"],
            graded.format(1),
        ),
        Contestant(
            goals.DPKT,
            "plain dpkt with the same check of the same file",
            [str(PEERS_PYTHON), str(PEERS / "dpkt_check.py"), str(large / "large.pcap")],
            str(connections),
        ),
        Contestant(
            goals.PAGES,
            f"`upcall-grade --quiet --out`, {students} captures",
            [_GRADE, str(class_), "--quiet", "--out", f"{FOLDER}/out"],
            graded.format(students),
        ),
        Contestant(
            goals.TSHARK,
            "`tshark -r`, once for each of the same captures",
            ["sh", "-c", _TSHARK, "sh", *each],
        ),
    ]
    # What tshark reads is nothing beside the time that it takes.
    return [one._replace(warmed=one.name != goals.TSHARK) for one in everyone]
