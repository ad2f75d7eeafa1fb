"""Each criterion: met, not met, not observable, with its reason and its frames."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.unit.grader import building as b
from tests.unit.grader.building import ACK, FIN, PREFIX, PSH, RST, SYN
from tests.unit.judge.talks import (
    DROPPED,
    HIDDEN,
    MET,
    NOT,
    WHOLE,
    Ended,
    Records,
    assert_all_but,
    by_id,
    codes,
    judged,
    later,
    opened,
    packets,
    talk,
    told,
)
from upcall_grader.judge.criteria import display_filter

REFUSED = b.frames(talk().c(SYN).s(RST | ACK).packets)
UNCLOSED = opened().say(b"1", b"2").packets
SYN_AGAIN = [
    b.Record(frame, b.START + number * b.SECOND)
    for number, frame in enumerate(b.frames(talk().c(SYN).packets) * 3)
]

# What differs from "all met": criterion -> status, code of the reason, frames.
CASES: dict[str, tuple[Records, str, dict[str, Ended]]] = {
    "whole": (WHOLE, "graded", {}),
    "begun between a message and its upcall": (
        WHOLE[4:],
        "recapture",
        {
            "handshake": (HIDDEN, "handshake-before", (1,)),
            "messages": (HIDDEN, "messages-unseen", (3,)),
            "upcalls": (HIDDEN, "upcalls-unseen", (1,)),
        },
    ),
    "only the close": (
        WHOLE[9:],
        "recapture",
        {
            "handshake": (HIDDEN, "handshake-before", (1,)),
            "messages": (HIDDEN, "messages-unseen", ()),
            "upcalls": (HIDDEN, "upcalls-none-seen", ()),
        },
    ),
    "refused": (
        REFUSED,
        "graded",
        {
            "handshake": (NOT, "handshake-refused", (1, 2)),
            "messages": (NOT, "messages-refused", ()),
            "upcalls": (NOT, "upcalls-refused", ()),
            "close": (NOT, "close-refused", (2,)),
            "no-reset": (NOT, "no-reset-refused", (2,)),
        },
    ),
    "the server stopped while the client talked": (
        packets(lambda t: t.open().say(b"1", b"2").s(FIN | ACK).c(PSH | ACK, b"3").s(RST)),
        "graded",
        {
            "upcalls": (NOT, "upcalls-server-gone", (11,)),
            "close": (NOT, "close-server-gone", (12,)),
            "no-reset": (NOT, "no-reset-server-gone", (12,)),
        },
    ),
    "SYN and again": (
        SYN_AGAIN,
        "recapture",
        {
            "handshake": (NOT, "handshake-unanswered", (1,)),
            "messages": (NOT, "messages-few", ()),
            "upcalls": (NOT, "upcalls-none", ()),
            "close": (HIDDEN, "close-unseen", (3,)),
        },
    ),
    "capture stopped behind the SYN": (
        WHOLE[:1],
        "recapture",
        {
            "handshake": (HIDDEN, "handshake-lost", (1,)),
            "messages": (HIDDEN, "messages-unseen", ()),
            "upcalls": (HIDDEN, "upcalls-none-seen", ()),
            "close": (HIDDEN, "close-unseen", (1,)),
        },
    ),
    "capture on any interface stopped behind the SYN": (
        WHOLE[:1] * 2,
        "recapture",
        {
            "handshake": (HIDDEN, "handshake-lost", (1,)),
            "messages": (HIDDEN, "messages-unseen", ()),
            "upcalls": (HIDDEN, "upcalls-none-seen", ()),
            "close": (HIDDEN, "close-unseen", (2,)),
        },
    ),
    "SYN, and a second without an answer": (
        later(talk().c(SYN).packets, 1),
        "recapture",
        {
            "handshake": (NOT, "handshake-unanswered", (1,)),
            "messages": (NOT, "messages-few", ()),
            "upcalls": (NOT, "upcalls-none", ()),
            "close": (HIDDEN, "close-unseen", (1,)),
        },
    ),
    "one message and the end of the file": (
        b.frames(opened().say(b"1").packets),
        "recapture",
        {
            "messages": (HIDDEN, "messages-unseen", (4,)),
            "close": (HIDDEN, "close-unseen", (6,)),
        },
    ),
    "no message": (
        b.frames(opened().close().packets),
        "graded",
        {"messages": (NOT, "messages-few", ()), "upcalls": (NOT, "upcalls-none", ())},
    ),
    "wrong upcall, begun mid-stream": (
        packets(lambda t: t.say(b"1").c(PSH | ACK, b"2").s(PSH | ACK, PREFIX + b"3").close()),
        "recapture",
        {
            "handshake": (HIDDEN, "handshake-before", (1,)),
            "upcalls": (NOT, "upcalls-wrong", (4, 5)),
        },
    ),
    "capture ends before the last upcall": (
        packets(lambda t: t.open().say(b"1").c(PSH | ACK, b"2")),
        "recapture",
        {
            "upcalls": (HIDDEN, "upcalls-unseen", (7,)),
            "close": (HIDDEN, "close-unseen", (7,)),
        },
    ),
    "reset before the close": (
        packets(lambda t: t.open().say(b"1", b"2").c(RST | ACK)),
        "graded",
        {"close": (NOT, "close-reset", (10,)), "no-reset": (NOT, "no-reset-sent", (10,))},
    ),
    "server closes first": (
        packets(lambda t: t.open().say(b"1", b"2").s(FIN | ACK).c(FIN | ACK).s(ACK)),
        "graded",
        {},
    ),
    "snapped": (
        [b.Record(frame[:54], original=len(frame)) for frame in WHOLE],
        "recapture",
        {
            "messages": (HIDDEN, "messages-unseen", ()),
            "upcalls": (HIDDEN, "upcalls-none-seen", ()),
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_status_reason_and_frames(name: str, tmp_path: Path) -> None:
    records, verdict, expected = CASES[name]
    assert_all_but(judged(tmp_path, records), verdict, expected)


def test_frames_of_what_is_met(tmp_path: Path) -> None:
    noise = b.ethernet(b.ip("10.0.0.9", "10.0.0.8", 17, bytes(8)))
    outcomes = told(judged(tmp_path, [noise, *WHOLE[:6], noise, *WHOLE[6:]]))
    assert {name: frames for name, (_, _, frames) in outcomes.items()} == {
        "traffic": (2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14),
        "handshake": (2, 3, 4),
        "messages": (5, 9),
        "upcalls": (5, 6, 9, 10),
        "close": (12, 13, 14),
        "no-reset": (),
    }


@pytest.mark.parametrize(
    ("records", "spoiled"),
    [
        (SYN_AGAIN, {"handshake", "messages", "upcalls", "close"}),
        (b.frames(opened().say(b"1").close().packets), {"messages"}),
        (packets(lambda t: t.open().say(b"1").c(PSH | ACK, b"2").close()), {"upcalls"}),
        (later(UNCLOSED, 40), {"close"}),
        (b.frames(opened().close().packets), {"messages", "upcalls"}),
        (WHOLE, set()),
    ],
)
def test_packets_that_tcpdump_lost_cost_no_points(
    records: Records, spoiled: set[str], tmp_path: Path
) -> None:
    submission = judged(tmp_path, records, manifest=DROPPED)
    assert {name for name, (status, _, _) in told(submission).items() if status != MET} == spoiled
    assert NOT not in {status for status, _, _ in told(submission).values()}
    assert submission.verdict == ("recapture" if spoiled else "graded")
    assert codes(submission) == ["dropped"]
    assert submission.remarks[0].values == {"count": 7}
    assert submission.needs_person


def test_a_file_cut_off_costs_no_points(tmp_path: Path) -> None:
    whole = b.pcap(WHOLE)
    submission = judged(tmp_path, whole[:-75])
    assert {status for status, _, _ in told(submission).values()} == {MET, HIDDEN}
    assert (submission.verdict, codes(submission)) == ("recapture", ["damage"])


def test_the_best_connection_is_judged(tmp_path: Path) -> None:
    tries = [
        talk(1).c(SYN).s(RST | ACK),
        talk(2).open().say(b"1").c(RST),
        talk(3).open().say(b"1", b"2").close(),
        talk(4).open().close(),
        talk(5).open().say(b"1", b"2").close(),
    ]
    submission = judged(tmp_path, b.frames(packet for one in tries for packet in one.packets))
    assert {status for status, _, _ in told(submission).values()} == {MET}
    assert submission.conversation is not None
    assert (submission.conversation.number, submission.conversation.client[1]) == (3, 50_003)
    assert codes(submission) == ["other-connections"]
    assert submission.remarks[0].values == {"count": 5, "number": 3}
    assert not submission.needs_person


def test_what_the_rubric_asks_decides_which_connection_is_judged(tmp_path: Path) -> None:
    same = talk(1).open().say(b"1", b"1", b"1").close().packets
    differing = talk(2).open().say(b"1", b"2").close().packets
    submission = judged(
        tmp_path,
        b.frames([*same, *differing]),
        "{id: distinct, points: 1}",
        "{id: close, points: 1}",
    )
    assert told(submission) == {
        "distinct": (MET, "distinct-met", (19, 22)),
        "close": (MET, "close-met", (25, 26, 27)),
    }


# -- filters


def test_filters_show_exactly_the_frames_in_wireshark(tmp_path: Path) -> None:
    records = packets(lambda t: t.open().say(b"1", b"2").c(PSH | ACK, b"3").close())
    submission, path = judged(tmp_path, records), tmp_path / "upcall.pcap"
    filters = {
        one.filter: one.frames
        for one in submission.judgements
        if one.criterion.id in ("handshake", "upcalls", "messages")
    }
    assert sorted(map(len, filters.values())) == [1, 3, 3]
    for shown, frames in filters.items():
        done = subprocess.run(
            ["tshark", "-n", "-r", path, "-Y", shown, "-T", "fields", "-e", "frame.number"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert tuple(map(int, done.stdout.split())) == frames


@pytest.mark.parametrize(
    ("frames", "shown"),
    [
        ((), ""),
        ((7,), "frame.number == 7"),
        ((7, 7), "frame.number == 7"),
        ((9, 7), "frame.number in {7, 9}"),
        ((3, 1, 2), "frame.number in {1..3}"),
        ((1, 2, 4, 6, 7), "frame.number in {1..2, 4, 6..7}"),
    ],
)
def test_filter(frames: tuple[int, ...], shown: str) -> None:
    assert display_filter(frames) == shown


def test_evidence_of_a_long_capture_is_bounded(tmp_path: Path) -> None:
    submission = judged(tmp_path, b.frames(opened().say(*[b"x"] * 500).close().packets))
    assert {status for status, _, _ in told(submission).values()} == {MET}
    assert all(len(one.frames) <= 100 for one in submission.judgements)
    assert by_id(submission)["messages"].remark.values == {"count": 500}
    assert len(submission.exchanges) == 500
