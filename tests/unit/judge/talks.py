"""Captures judged as a user would have them judged, and what tests compare of the result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.unit.grader import building as b
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.results import Judgement, Owner, Submission
from upcall_grader.judge.rubric_file import parse_rubric
from upcall_grader.judge.submission import judge_file

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
SECRET = b"a secret of the class"
COMMAND = [sys.executable, "-m", "upcall_grader.grade.command"]

ALL = ("traffic", "handshake", "messages", "upcalls", "close", "no-reset")
"""The criteria of the default rubric."""
MET, NOT, HIDDEN = "met", "not-met", "not-observable"
DROPPED = {"tcpdump": {"dropped": 7}}
"""The manifest of a capture that lacks packets."""

Ended = tuple[str, str, tuple[int, ...]]
"""How a criterion ended: its status, its remark's code, its frames."""
Records = Iterable[b.Record | bytes]


def talk(number: int = 0) -> b.Talk:
    """Return a connection of its own: other numbers on each side, and another port."""
    port = 50_000 + number
    return b.Talk(("10.0.0.3", port), b.SERVER, 1000 + 7919 * number, 9000 + 104_729 * number)


def exchange(*messages: bytes, number: int = 0) -> bytes:
    """Return a complete exchange as a file."""
    return b.pcap(b.frames(talk(number).open().say(*(messages or (b"1", b"2"))).close().packets))


def later(packets: Iterable[bytes], seconds: int) -> list[b.Record]:
    """Packets at the capture's start, and one of something else so much later."""
    noise = b.ethernet(b.ip("10.0.0.9", "10.0.0.8", 17, b"\0\x35\0\x35\0\x08\0\0"))
    records = [b.Record(frame, b.START) for frame in b.frames(packets)]
    return [*records, b.Record(noise, b.START + seconds * b.SECOND)]


def judged(
    folder: Path,
    content: bytes | Records,
    *criteria: str,
    lab: str = "",
    student: str = "2110001",
    **beside: object,
) -> Submission:
    """Return a capture judged by a rubric of ``criteria`` (YAML flow mappings), or by the default.

    ``beside``: manifest=..., server_log=..., client_log=... lie beside it.
    """
    path = folder / "upcall.pcap"
    path.write_bytes(content if isinstance(content, bytes) else b.pcap(content))
    if "manifest" in beside:
        manifest = beside["manifest"]
        data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        (folder / "manifest.json").write_bytes(data)
    for name in ("server", "client"):
        log = beside.get(f"{name}_log")
        if isinstance(log, bytes):
            (folder / f"{name}.log").write_bytes(log)
    rubric = DEFAULT
    if criteria or lab:
        told = "".join(
            f"\n- {criterion}" for criterion in criteria or ("{id: traffic, points: 1}",)
        )
        rubric = parse_rubric(f"lab: {{{lab}}}\ncriteria:{told}\n", "rubric.yml")
    return judge_file(path, rubric, Owner(student), "upcall.pcap", SECRET)


def by_id(submission: Submission) -> Mapping[str, Judgement]:
    return {one.criterion.id: one for one in submission.judgements}


def told(submission: Submission) -> dict[str, Ended]:
    """Return each criterion's status, code of its remark and frames."""
    return {
        one.criterion.id: (str(one.status), one.remark.code, one.frames)
        for one in submission.judgements
    }


def packets(*steps: Callable[[b.Talk], object]) -> list[bytes]:
    """Return the frames of a connection that takes these steps."""
    made = talk()
    for step in steps:
        step(made)
    return b.frames(made.packets)


def opened() -> b.Talk:
    """Return a connection behind its handshake."""
    return talk().open()


WHOLE = b.frames(opened().say(b"1", b"2").close().packets)
"""A complete exchange of two messages."""


def assert_all_but(submission: Submission, verdict: str, expected: Mapping[str, Ended]) -> None:
    """Assert that all criteria of the default rubric are met, but for those that are expected."""
    ended = told(submission)
    assert {key: value for key, value in ended.items() if value[0] != MET} == expected
    assert submission.verdict == verdict
    assert tuple(ended) == ALL
    points = {one.criterion.id: one.criterion.points for one in submission.judgements}
    assert submission.points == sum(points[one] for one in ALL if one not in expected)


def codes(submission: Submission) -> list[str]:
    return [remark.code for remark in submission.remarks]


def grade(
    *words: str | Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """``upcall-grade`` as a process."""
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, **(environment or {})},
    )
