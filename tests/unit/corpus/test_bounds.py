"""No capture makes the grader fail, hang, or take memory beyond a bound, whatever is in it."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.unit.corpus import mutants as m
from tests.unit.corpus.counting import most_steps, steps
from tests.unit.corpus.judging import (
    COMPLETE,
    CORPUS,
    IDS,
    Judge,
    failed,
    gist,
    judge_path,
    statuses,
)
from tests.unit.grader import building as b
from upcall_grader.judge.results import Submission, Verdict

MEMORY = 64 * 1024 * 1024
"""Bytes that Python may hold at once while it judges one file."""
CAPTURES = sorted(CORPUS.glob("*.pcap*"))
ORIGINAL = m.Original(m.read(COMPLETE.read_bytes()))
DATA = b.PSH | b.ACK
MANY = 6000
UNHURRIED = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def bounded(judge: Judge, data: bytes) -> None:
    judged: list[Submission] = []
    taken = steps(lambda: judged.append(judge(data)))
    assert tuple(statuses(judged[0])) == IDS
    assert taken <= most_steps(len(data)), f"{len(data)} bytes took {taken} steps"


# -- anything at all


@UNHURRIED
@given(path=st.sampled_from(CAPTURES), changes=st.data())
def test_changed_bytes_anywhere(path: Path, changes: st.DataObject, judge: Judge) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(changes.draw(st.integers(1, 6))):
        place = changes.draw(st.integers(0, len(data)))
        new = changes.draw(st.binary(max_size=8))
        data[place : place + changes.draw(st.integers(0, 8))] = new
    bounded(judge, bytes(data))


@UNHURRIED
@given(
    links=st.sampled_from([0, 1, 101, 113, 276, 147]),
    packets=st.lists(st.binary(max_size=120), max_size=8),
)
def test_records_of_any_bytes(links: int, packets: list[bytes], judge: Judge) -> None:
    bounded(judge, b.pcap(packets, links))


SEGMENT = st.builds(
    lambda by_client, flags, seq, ack, payload: b.tcp(
        *((b.CLIENT, b.SERVER) if by_client else (b.SERVER, b.CLIENT)),
        flags,
        seq + (1000 if by_client else 9000),
        ack + (9000 if by_client else 1000),
        payload,
    ),
    st.booleans(),
    st.integers(0, 63),
    st.integers(-3, 60) | st.sampled_from([2**31, 2**32 - 9000]),
    st.integers(-3, 60),
    st.sampled_from([b"", b"1", b"two", b.PREFIX, b.PREFIX + b"1", b.PREFIX * 3]),
)


@UNHURRIED
@given(segments=st.lists(SEGMENT, max_size=30))
@example(segments=[])
def test_segments_in_any_order_with_any_numbers(segments: list[bytes], judge: Judge) -> None:
    bounded(judge, b.pcap(segments, 101))


@UNHURRIED
@given(order=st.permutations(range(len(ORIGINAL.packets))))
def test_packets_in_any_order(order: list[int], judge: Judge) -> None:
    times = [packet.time_ns for packet in ORIGINAL.packets]
    packets = [
        m.Packet(time_ns, ORIGINAL.packets[place].data)
        for time_ns, place in zip(times, order, strict=True)
    ]
    submission = judge(m.write(packets))
    # All is there, so nothing may be taken for lost.
    assert submission.packets == len(packets)
    assert statuses(submission)["traffic"] == statuses(submission)["no-reset"] == "met"


@UNHURRIED
@given(lost=st.sets(st.integers(0, len(ORIGINAL.packets) - 1)))
def test_what_is_lost_never_costs_points_in_silence(lost: set[int], judge: Judge) -> None:
    submission = judge(m.write(ORIGINAL.lost(*lost)))
    ended = statuses(submission)
    if ended["traffic"] == "met":
        assert "not-met" not in ended.values(), lost
        assert submission.verdict is (Verdict.RECAPTURE if failed(submission) else Verdict.GRADED)


@UNHURRIED
@given(
    messages=st.lists(
        st.binary(min_size=1, max_size=60) | st.sampled_from([b.PREFIX, b"a" + b.PREFIX, b"1"]),
        min_size=2,
        max_size=6,
    )
)
def test_every_message_that_was_answered_is_found(messages: list[bytes], judge: Judge) -> None:
    submission = judge(b.pcap(b.frames(b.lab(*messages))))
    assert (submission.points, submission.verdict) == (100, Verdict.GRADED)
    assert [one.message for one in submission.exchanges] == messages
    assert [one.upcall for one in submission.exchanges] == [b.PREFIX + one for one in messages]


# -- what takes longest


def _segments(*, step: int, size: int = 1, count: int = MANY) -> list[bytes]:
    """Return data of the client, each segment ``step`` bytes behind the one before."""
    opening = b.Talk().open().packets
    data = [
        b.tcp(b.CLIENT, b.SERVER, DATA, 1001 + number * step, 9001, b"x" * size, number)
        for number in range(count)
    ]
    return opening + data


def _backwards() -> bytes:
    packets = _segments(step=1)
    return b.pcap(packets[:3] + packets[:2:-1], 101)


def _shuffled() -> bytes:
    packets = _segments(step=1)
    rest = packets[3:]
    random.Random(1).shuffle(rest)  # noqa: S311 (the same order each time)
    return b.pcap(packets[:3] + rest, 101)


def _answers(text: bytes, count: int) -> bytes:
    """Return a capture of one message and a server that goes on and on."""
    talk = b.Talk().open().c(DATA, b"1")
    for _ in range(count):
        talk.s(DATA, text)
    return b.pcap(talk.close().packets, 101)


def _with_gaps() -> bytes:
    talk = b.Talk().open()
    for number in range(MANY // 4):
        talk.say(b"%d" % number)
    kept = [packet for number, packet in enumerate(talk.packets) if number < 3 or number % 5]
    return b.pcap(kept, 101)


def _attempts() -> bytes:
    """Many clients, each with a SYN that nobody answers."""
    clients = [(f"10.1.{number >> 8 & 255}.{number & 255}", 1024) for number in range(MANY)]
    return b.pcap([b.tcp(client, b.SERVER, b.SYN, 1) for client in clients], 101)


def _fragments() -> bytes:
    whole = b.tcp(b.CLIENT, b.SERVER, DATA, 1001, 9001, bytes(60_000))
    pieces = b.fragments(whole, 8)
    pieces.pop()
    return b.pcap(pieces * 2, 101)


def _long_talk() -> bytes:
    return b.pcap(b.Talk().open().say(*[b"%d" % n for n in range(MANY // 3)]).close().packets, 101)


def _interfaces() -> bytes:
    options = b.option(9, b"\xff") * 200
    return b.section() + b.interface(options=options) * 500 + b.enhanced(b"", 2**63, 499)


SLOW: dict[str, Callable[[], bytes]] = {
    "a long talk": _long_talk,
    "segments one byte apart": lambda: b.pcap(_segments(step=1), 101),
    "segments with gaps": lambda: b.pcap(_segments(step=2), 101),
    "overlapping segments": lambda: b.pcap(_segments(step=1, size=200, count=5000), 101),
    "the same segment": lambda: b.pcap(_segments(step=0), 101),
    "segments backwards": _backwards,
    "segments shuffled": _shuffled,
    "upcalls that answer nothing": lambda: _answers(b.PREFIX, 3000),
    "upcalls of many phrases": lambda: _answers(b.PREFIX * 40, 300),
    "a server that sends something else": lambda: _answers(b"Upcall event: Processing", 3000),
    "exchanges with gaps": _with_gaps,
    "attempts to connect": _attempts,
    "fragments of one packet": _fragments,
    "pcapng interfaces": _interfaces,
    "empty records": lambda: b.pcap([b""] * MANY),
}


@pytest.mark.parametrize("name", SLOW)
def test_steps_and_memory_are_bounded(name: str, judge: Judge) -> None:
    data = SLOW[name]()
    bounded(judge, data)
    tracemalloc.start()
    try:
        judge(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MEMORY, f"{len(data)} bytes made it hold {most} bytes"


def _judged_in_little_memory(path: Path) -> subprocess.CompletedProcess[str]:
    """In a process that the system gives no more than 256 MiB of address space."""
    limit = 256 * 1024 * 1024
    program = (
        "import sys, pathlib\n"
        "from tests.unit.corpus.judging import judge_path, gist\n"
        "print(gist(judge_path(pathlib.Path(sys.argv[1]))).verdict)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, path],
        capture_output=True,
        text=True,
        check=False,
        cwd=CORPUS.parents[1],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )


@pytest.mark.parametrize("claim", [2**31 - 1, 2**32 - 1, 262_144])
def test_a_length_that_is_only_claimed_takes_no_memory(claim: int, tmp_path: Path) -> None:
    path = tmp_path / "upcall.pcap"
    head = COMPLETE.read_bytes()
    path.write_bytes(head + bytes(8) + claim.to_bytes(4, "little") * 2 + b"x")
    done = _judged_in_little_memory(path)
    assert (done.stdout, done.stderr) == ("graded\n", "")


def test_what_a_mistake_in_a_reader_costs(monkeypatch: pytest.MonkeyPatch, judge: Judge) -> None:
    """The tests above see a failure, since it is told: here is one."""
    monkeypatch.setattr("upcall_grader.judge.criteria.judge_all", lambda *_: 1 // 0)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        judge(COMPLETE.read_bytes())


def test_the_same_file_twice_is_judged_the_same() -> None:
    for path in CAPTURES:
        assert judge_path(path) == judge_path(path)
        assert gist(judge_path(path)) == gist(judge_path(path))
