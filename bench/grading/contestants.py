"""What is measured: each a whole process, and what it has to say for its time to count."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

from bench.grading import goals, inputs

TOP = Path(__file__).resolve().parents[2]
PEERS = Path(__file__).resolve().parent / "peers"
PEERS_PYTHON = TOP / ".cache" / "bench-venv" / "bin" / "python"
OUT = "OUT"
"""Stands in a command for a folder that is not there yet, another one for each run."""
_GRADE = str(Path(sys.executable).with_name("upcall-grade"))
_SILENT = 'exec "$@" >/dev/null'
_TSHARK = 'for capture; do tshark -r "$capture" >/dev/null 2>&1 || exit; done'


class Contestant(t.NamedTuple):
    """A command; ``says`` stands in what it prints, and it ends with status 0."""

    name: str
    what: str
    command: list[str]
    says: str

    def trouble(self, status: int, said: str) -> str:
        """Why a run does not count; "" if it does."""
        if status != 0:
            return f"it ended with status {status}: {said.strip()[-300:]}"
        return "" if self.says in said else f"it said {said.strip()[-300:]!r}, not {self.says!r}"


def make_inputs(folder: Path, captures: int, connections: int, students: int) -> None:
    """All captures, below ``folder``."""
    for name, count in (("one", 1), ("small", captures), ("students", students)):
        (folder / name).mkdir()
        inputs.small(folder / name, count)
    (folder / "large").mkdir()
    inputs.large(folder / "large" / "large.pcap", connections)


def contestants(folder: Path, captures: int, connections: int, students: int) -> list[Contestant]:
    """Everyone; their captures are those of ``make_inputs``."""
    small, large, class_ = (folder / name for name in ("small", "large", "students"))
    files = sorted(map(str, small.iterdir()))
    each = sorted(map(str, class_.iterdir()))
    graded = "{0} submissions: {0} graded"
    return [
        Contestant(
            goals.START_UP,
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
            goals.CAT,
            "`cat` of the same files to `/dev/null`",
            ["sh", "-c", _SILENT, "sh", "cat", *files],
            "",
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
            [_GRADE, str(class_), "--quiet", "--out", OUT],
            graded.format(students),
        ),
        Contestant(
            goals.TSHARK,
            "`tshark -r`, once for each of the same captures",
            ["sh", "-c", _TSHARK, "sh", *each],
            "",
        ),
    ]
