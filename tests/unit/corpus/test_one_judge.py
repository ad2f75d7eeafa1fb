"""upcall-show, upcall-grade and a session on a lab host give one answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.loading import load_utility
from tests.unit.corpus import mutants as m
from tests.unit.corpus.judging import COMPLETE, CORPUS, RUBRIC, judge_path
from tests.unit.corpus.test_bounds import UNHURRIED
from tests.unit.grader import building as b
from upcall_grader.capture.connections import Endpoint
from upcall_grader.capture.reading import open_capture
from upcall_grader.grade import command as grade
from upcall_grader.judge.criteria import judge
from upcall_grader.judge.results import Status, Submission, Verdict
from upcall_grader.judge.rubric import Criterion
from upcall_grader.judge.submission import judge_watched
from upcall_grader.show import command as show

following = load_utility("lab_capture_pcap")

ORIGINAL = m.Original(m.read(COMPLETE.read_bytes()))
FILES = {path.name: path.read_bytes() for path in sorted(CORPUS.glob("*.pcap*"))}
MUTANTS = {
    mutant.name: mutant.data
    for family in (m.harmful, m.harmless, m.foreign)
    for mutant in family(ORIGINAL)
} | m.resaved(ORIGINAL)
ALL = FILES | MUTANTS
FOREIGN_TO_HOSTS = frozenset(
    (
        *("any.pcap", "any-v1.pcap", "complete.pcapng"),  # -i any, and saved anew
        *("nothing.pcap", "packed.pcap", "printed.pcap"),  # no captures
        *("raw IP", "raw IP, BSD's number", "cooked v1", "cooked v2", "OpenBSD's loopback"),
        *("loopback, little-endian", "loopback, big-endian", "a VLAN tag", "two VLAN tags"),
        *("pcapng <", "pcapng >", "pcapng without times"),
        "pcapng of two sections and link layers",
    )
)
"""What no session captures: on a lab's bridge tcpdump writes pcap of Ethernet without tags."""

HANDSHAKE, CLOSE = Criterion("handshake", "handshake", 1), Criterion("close", "close", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upcall.pcap"


def complete(submission: Submission) -> bool:
    return submission.verdict is Verdict.GRADED and submission.points == RUBRIC.points


@pytest.mark.parametrize("name", ALL)
def test_upcall_show_says_what_upcall_grade_says(
    name: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(ALL[name])
    submission = judge_path(path)
    status = show.main([str(path), "--check"])
    out = re.sub(r"\n {13}", " ", capsys.readouterr().out)
    assert (status == 0) is complete(submission)
    if status == 2:
        assert (submission.packets, out) == (0, "")
        return
    verdict = (
        f" Verdict    {submission.verdict}, {submission.points:g} of {RUBRIC.points:g} points: "
    )
    failed = [one.criterion.id for one in submission.judgements if one.status is not Status.MET]
    how = "not complete" if failed else "complete"
    how += f" ({', '.join(failed)})" if failed and submission.conversation else ""
    assert f"{verdict}{how}\n" in out


ECHO = CORPUS.parent / "second_lab" / "rubric.yml"


def echo() -> bytes:
    """Return a whole exchange of the second lab."""
    talk = b.Talk(server=("10.0.0.2", 2222)).open()
    for message in (b"1", b"2"):
        talk.c(b.PSH | b.ACK, message).s(b.PSH | b.ACK, b"Echo: " + message)
    return b.pcap(b.frames(talk.close().packets))


COMMANDS = {
    "complete": (FILES["complete.pcap"], (), "graded", "100", "complete"),
    "one message": (FILES["one-message.pcap"], (), "graded", "85", "not complete (messages)"),
    "a reset behind the close": (
        *(MUTANTS["a reset of the client behind the close"], ()),
        *("graded", "95", "not complete (no-reset)"),
    ),
    "bye, then a reset": (
        *(FILES["bye-then-reset.pcap"], ()),
        *("graded", "75", "not complete (close, no-reset)"),
    ),
    "another lab by its rubric": (echo(), ("--rubric", str(ECHO)), "graded", "100", "complete"),
    "another lab": (echo(), (), "wrong-lab", "0", "not complete"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_both_commands_say_the_same(
    name: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, options, verdict, points, how = COMMANDS[name]
    path.write_bytes(data)
    assert show.main([str(path), "--check", *options]) == (0 if how == "complete" else 1)
    shown = capsys.readouterr().out
    assert f" Verdict    {verdict}, {points} of 100 points: {how}\n" in shown
    # Whatever the points, a grade needs no person.
    assert grade.main([str(path.parent), *options]) == (0 if verdict == "graded" else 1)
    assert re.search(rf" {verdict} +{points} of 100  upcall\.pcap\n", capsys.readouterr().out)


def judged(path: Path) -> Iterator[tuple[tuple[Endpoint, Endpoint], bool, bool]]:
    """Yield each connection's ends, and whether the judge finds its handshake and its close."""
    stream, capture = open_capture(path)
    with stream:
        watched = judge_watched(capture, path, RUBRIC, lambda _packet, _step: None, False, False)
    for case in watched.cases:
        met = [judge(one, case).status is Status.MET for one in (HANDSHAKE, CLOSE)]
        yield (case.connection.client, case.connection.server), met[0], met[1]


def followed(data: bytes) -> Iterator[tuple[tuple[Endpoint, Endpoint], bool, bool]]:
    """Yield the same, as a session sees it."""
    follower = following.PcapFollower(RUBRIC.lab.port)
    follower.feed(data)
    for one in follower.connections:
        assert one.complete == (one.opened and one.closed)
        yield one.endpoints, one.opened, one.closed


@pytest.mark.parametrize("name", sorted(ALL.keys() - FOREIGN_TO_HOSTS))
def test_a_session_sees_the_handshake_and_the_close_that_the_judge_sees(
    name: str, path: Path
) -> None:
    path.write_bytes(ALL[name])
    assert list(followed(ALL[name])) == list(judged(path))


def test_what_sessions_never_capture_is_all_that_is_left_out() -> None:
    for name in FOREIGN_TO_HOSTS:
        if ALL[name][:4] in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4") and "tag" not in name:
            with pytest.raises(following.CaptureFormatError, match="is not Ethernet"):
                list(followed(ALL[name]))


SEGMENT = st.tuples(
    st.booleans(),
    st.sampled_from([0, 1, 2, 4, 16, 17, 18, 20, 24, 25]),
    st.integers(0, 8),
    st.integers(0, 8),
    st.sampled_from([b"", b"1", b"two"]),
)


@UNHURRIED
@given(drawn=st.lists(SEGMENT, max_size=16), near_the_end=st.booleans())
def test_a_session_sees_the_same_in_any_order_of_segments(
    drawn: list[tuple[bool, int, int, int, bytes]], near_the_end: bool, path: Path
) -> None:
    base = 2**32 - 4 if near_the_end else 1000
    packets = [
        # Each a packet of its own, so that none is taken for one met on two interfaces.
        b.tcp(*ends, flags, base + seq, base + ack, payload, ident)
        for ident, (by_client, flags, seq, ack, payload) in enumerate(drawn)
        for ends in [(b.CLIENT, b.SERVER) if by_client else (b.SERVER, b.CLIENT)]
    ]
    data = b.pcap(b.frames(packets))
    path.write_bytes(data)
    assert list(followed(data)) == list(judged(path))


@UNHURRIED
@given(order=st.permutations(range(len(ORIGINAL.packets))), kept=st.integers(6, 30))
def test_a_session_sees_the_same_in_any_order_of_an_exchange(
    order: list[int], kept: int, path: Path
) -> None:
    data = m.write([ORIGINAL.packets[place] for place in order[:kept]])
    path.write_bytes(data)
    assert list(followed(data)) == list(judged(path))
