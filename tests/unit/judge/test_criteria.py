"""Each criterion: met, not met, not observable, with its reason and its frames."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.grader import building as b
from tests.unit.grader.building import ACK, FIN, PREFIX, PSH, RST, SYN
from tests.unit.judge.talks import SECRET, Records, by_id, codes, judged, later, talk, told
from upcall_grader.judge.criteria import display_filter
from upcall_grader.judge.results import Submission
from upcall_grader.judge.tokens import token

ALL = ("traffic", "handshake", "messages", "upcalls", "close", "no-reset")
ALL_WORTH_ONE = tuple(f"{{id: {name}, points: 1}}" for name in ALL)
MET, NOT, HIDDEN = "met", "not-met", "not-observable"
DROPPED = {"tcpdump": {"dropped": 7}}


def packets(*steps: Callable[[b.Talk], object]) -> list[bytes]:
    made = talk()
    for step in steps:
        step(made)
    return b.frames(made.packets)


def opened() -> b.Talk:
    return talk().open()


WHOLE = b.frames(opened().say(b"1", b"2").close().packets)
REFUSED = b.frames(talk().c(SYN).s(RST | ACK).packets)
UNCLOSED = opened().say(b"1", b"2").packets
SYN_AGAIN = [
    b.Record(frame, b.START + number * b.SECOND)
    for number, frame in enumerate(b.frames(talk().c(SYN).packets) * 3)
]

# What differs from "all met": criterion -> status, code of the reason, frames.
Expected = dict[str, tuple[str, str, tuple[int, ...]]]
CASES: dict[str, tuple[Records, str, Expected]] = {
    "whole": (WHOLE, "graded", {}),
    "begun mid-stream": (
        WHOLE[3:],
        "recapture",
        {"handshake": (HIDDEN, "handshake-before", (1,))},
    ),
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
            "messages": (NOT, "messages-few", ()),
            "upcalls": (NOT, "upcalls-none", ()),
            "close": (NOT, "close-reset", (2,)),
            "no-reset": (NOT, "no-reset-sent", (2,)),
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
    "SYN+ACK missing": (
        WHOLE[:1] + WHOLE[2:],
        "recapture",
        {"handshake": (HIDDEN, "handshake-lost", (1,))},
    ),
    "one message": (
        b.frames(opened().say(b"1").close().packets),
        "graded",
        {"messages": (NOT, "messages-few", (4,))},
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
    "wrong upcall": (
        packets(
            lambda t: t.open().say(b"1"),
            lambda t: t.c(PSH | ACK, b"2").s(PSH | ACK, PREFIX + b"3").close(),
        ),
        "graded",
        {"upcalls": (NOT, "upcalls-wrong", (7, 8))},
    ),
    "wrong upcall, begun mid-stream": (
        packets(lambda t: t.say(b"1").c(PSH | ACK, b"2").s(PSH | ACK, PREFIX + b"3").close()),
        "recapture",
        {
            "handshake": (HIDDEN, "handshake-before", (1,)),
            "upcalls": (NOT, "upcalls-wrong", (4, 5)),
        },
    ),
    "another phrase": (
        packets(
            lambda t: t.open().c(PSH | ACK, b"1").s(PSH | ACK, b"OK 1"),
            lambda t: t.c(PSH | ACK, b"2").s(PSH | ACK, b"OK 2").close(),
        ),
        "graded",
        {"upcalls": (NOT, "upcalls-stray", (5, 7))},
    ),
    "last message unanswered": (
        packets(lambda t: t.open().say(b"1", b"2").c(PSH | ACK, b"3").close()),
        "graded",
        {"upcalls": (NOT, "upcalls-unanswered", (10,))},
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
    "reset after the close": (
        packets(lambda t: t.open().say(b"1", b"2").close().c(RST)),
        "graded",
        {"no-reset": (NOT, "no-reset-sent", (13,))},
    ),
    "server closes first": (
        packets(lambda t: t.open().say(b"1", b"2").s(FIN | ACK).c(FIN | ACK).s(ACK)),
        "graded",
        {},
    ),
    "FIN of one side": (
        packets(lambda t: t.open().say(b"1", b"2").c(FIN | ACK).s(ACK)),
        "recapture",
        {"close": (HIDDEN, "close-part", (10, 11))},
    ),
    "FIN of one side, 40 s": (
        later(opened().say(b"1", b"2").c(FIN | ACK).s(ACK).packets, 40),
        "graded",
        {"close": (NOT, "close-open", (11,))},
    ),
    "last ACK missing": (WHOLE[:-1], "recapture", {"close": (HIDDEN, "close-part", (10, 11))}),
    "left open 29 s": (
        later(UNCLOSED, 29),
        "recapture",
        {"close": (HIDDEN, "close-unseen", (9,))},
    ),
    "left open 30 s": (later(UNCLOSED, 30), "graded", {"close": (NOT, "close-open", (9,))}),
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
    found = judged(tmp_path, records)
    ended = told(found)
    assert {key: value for key, value in ended.items() if value[0] != MET} == expected
    assert found.verdict == verdict
    assert tuple(ended) == ALL
    points = {one.criterion.id: one.criterion.points for one in found.judgements}
    assert found.points == sum(points[one] for one in ALL if one not in expected)


def test_a_message_in_the_middle_without_upcall_costs_the_upcalls_alone(tmp_path: Path) -> None:
    made = talk().open().say(b"1").c(PSH | ACK, b"no").s(ACK).say(b"2").close()
    found = told(judged(tmp_path, b.frames(made.packets)))
    assert {name for name, (status, _, _) in found.items() if status != MET} == {"upcalls"}
    assert found["upcalls"][0] == NOT
    assert 7 in found["upcalls"][2]


def test_frames_of_what_is_met(tmp_path: Path) -> None:
    noise = b.ethernet(b.ip("10.0.0.9", "10.0.0.8", 17, bytes(8)))
    found = told(judged(tmp_path, [noise, *WHOLE[:6], noise, *WHOLE[6:]]))
    assert {name: frames for name, (_, _, frames) in found.items()} == {
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
    found = judged(tmp_path, records, manifest=DROPPED)
    assert {name for name, (status, _, _) in told(found).items() if status != MET} == spoiled
    assert NOT not in {status for status, _, _ in told(found).values()}
    assert found.verdict == ("recapture" if spoiled else "graded")
    assert codes(found) == ["dropped"]
    assert found.remarks[0].values == {"count": 7}
    assert found.needs_person


def test_a_reset_behind_lost_packets_may_have_followed_a_close(tmp_path: Path) -> None:
    found = judged(
        tmp_path, packets(lambda t: t.open().say(b"1", b"2").c(RST | ACK)), manifest=DROPPED
    )
    assert told(found)["close"][0] == HIDDEN
    assert told(found)["no-reset"] == (NOT, "no-reset-sent", (10,))


def test_a_file_cut_off_costs_no_points(tmp_path: Path) -> None:
    whole = b.pcap(WHOLE)
    found = judged(tmp_path, whole[:-75])
    assert {status for status, _, _ in told(found).values()} == {MET, HIDDEN}
    assert (found.verdict, codes(found)) == ("recapture", ["damage"])


def test_the_best_connection_is_judged(tmp_path: Path) -> None:
    tries = [
        talk(1).c(SYN).s(RST | ACK),
        talk(2).open().say(b"1").c(RST),
        talk(3).open().say(b"1", b"2").close(),
        talk(4).open().close(),
        talk(5).open().say(b"1", b"2").close(),
    ]
    found = judged(tmp_path, b.frames(packet for one in tries for packet in one.packets))
    assert {status for status, _, _ in told(found).values()} == {MET}
    assert found.conversation is not None
    assert (found.conversation.number, found.conversation.client[1]) == (3, 50_003)
    assert codes(found) == ["other-connections"]
    assert found.remarks[0].values == {"count": 5, "number": 3}
    assert not found.needs_person


def test_the_lab_may_be_elsewhere(tmp_path: Path) -> None:
    here = b.Talk(("10.0.0.3", 40_000), ("10.0.0.2", 5000)).open().say(b"1", b"2").close().packets
    there = b.Talk(("10.0.0.3", 40_000), ("10.0.0.4", 5000), 5, 6).open().close().packets
    both = b.frames([*here, *there])
    assert judged(tmp_path, both).verdict == "wrong-lab"
    moved = judged(tmp_path, both, lab="port: 5000, address: 10.0.0.4")
    assert by_id(moved)["traffic"].frames == tuple(range(13, 19))
    assert judged(tmp_path, both, lab="port: 5000, address: 10.0.0.5").verdict == "wrong-lab"
    six = b.Talk(b.CLIENT6, b.SERVER6).open().say(b"1").close().packets
    assert judged(tmp_path, b.frames(six), lab="address: 'fd00:0::2'").verdict == "graded"


# -- the other checks

OTHER = ("handshake", "close")


def one(found: Submission, name: str) -> tuple[str, str, tuple[int, ...]]:
    return told(found)[name]


@pytest.mark.parametrize(
    ("records", "networks", "manifest", "expected"),
    [
        (WHOLE, "[10.0.0.0/24]", None, (MET, "network-met", (1,))),
        (WHOLE, "[192.168.0.0/16, 10.0.0.2/31]", None, (MET, "network-met", (1,))),
        (WHOLE, "[10.0.0.2/32]", None, (NOT, "network-other", (1,))),
        (WHOLE, "['fd00::/64', 10.0.0.0/24]", None, (MET, "network-met", (1,))),
        (WHOLE, "['::/0']", None, (NOT, "network-other", (1,))),
        (WHOLE, "", {"network": {"subnets": ["10.0.0.0/24"]}}, (MET, "network-met", (1,))),
        (WHOLE, "", {"network": {"subnets": ["fd00::/8"]}}, (NOT, "network-other", (1,))),
        (WHOLE, "", {"network": {"subnets": [7, "x", None]}}, (HIDDEN, "network-unknown", ())),
        (WHOLE, "", {"network": []}, (HIDDEN, "network-unknown", ())),
        (WHOLE, "", None, (HIDDEN, "network-unknown", ())),
        (
            WHOLE,
            "[10.9.0.0/24]",
            {"network": {"subnets": ["10.0.0.0/24"]}},
            (NOT, "network-other", (1,)),
        ),
    ],
)
def test_network(
    records: Records, networks: str, manifest: object, expected: Any, tmp_path: Path
) -> None:
    beside: dict[str, Any] = {} if manifest is None else {"manifest": manifest}
    told_here = f", networks: {networks}" if networks else ""
    found = judged(tmp_path, records, f"{{id: network, points: 1{told_here}}}", **beside)
    assert one(found, "network") == expected


def test_what_the_instructor_did_not_tell_is_no_cause_to_capture_again(tmp_path: Path) -> None:
    found = judged(tmp_path, WHOLE, "{id: network, points: 1}")
    assert found.verdict == "graded"
    assert found.needs_person


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        # The capture begins at 2023-11-14 22:13:20 UTC.
        ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z", (MET, "window-met", (1,))),
        ("2023-11-15T05:00:00+07:00", "2023-11-15T06:00:00+07:00", (MET, "window-met", (1,))),
        ("2023-11-14T22:13:21Z", "2023-11-15T00:00:00Z", (NOT, "window-outside", (1,))),
        ("2023-11-14T00:00:00Z", "2023-11-14T22:13:19Z", (NOT, "window-outside", (1,))),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", (MET, "window-met", (1,))),
    ],
)
def test_window(low: str, high: str, expected: Any, tmp_path: Path) -> None:
    found = judged(tmp_path, WHOLE, f"{{id: window, points: 1, from: '{low}', to: '{high}'}}")
    assert one(found, "window") == expected


EVER = "{id: window, points: 1, from: '2000-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z'}"


def test_a_time_that_no_calendar_has_costs_nothing_but_the_window(tmp_path: Path) -> None:
    for options in (b.option(9, b"\0"), b.option(14, (2**62).to_bytes(8, "little"))):
        data = b.section() + b.interface(options=options)
        data += b"".join(b.enhanced(frame, 2**63 + at) for at, frame in enumerate(WHOLE))
        found = judged(tmp_path, data, EVER, "{id: close, points: 1}")
        assert one(found, "window") == (HIDDEN, "window-no-time", (1,))
        assert one(found, "close") == (MET, "close-met", (10, 11, 12))


def test_simple_packet_blocks_have_no_time(tmp_path: Path) -> None:
    data = b.section() + b.interface(snap=65535) + b"".join(map(b.simple, WHOLE))
    assert one(judged(tmp_path, data, EVER), "window") == (HIDDEN, "window-no-time", (1,))


LOOK = "{id: token, points: 1}"
OWN, OTHERS = (token(SECRET, student).encode() for student in ("2110001", "2110002"))


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (packets(lambda t: t.open().say(b"1", OWN).close()), (MET, "token-met", (7,))),
        (packets(lambda t: t.open().say(b"I am " + OWN).close()), (MET, "token-met", (4,))),
        (packets(lambda t: t.open().say(OWN.upper()).close()), (MET, "token-met", (4,))),
        (packets(lambda t: t.open().say(OTHERS).close()), (NOT, "token-absent", (4,))),
        (packets(lambda t: t.open().say(OWN[:-1]).close()), (NOT, "token-absent", (4,))),
        (packets(lambda t: t.open().say(b"1")), (HIDDEN, "token-unseen", (4,))),
        (packets(lambda t: t.say(b"1").close()), (HIDDEN, "token-unseen", (1,))),
    ],
)
def test_token(records: Records, expected: Any, tmp_path: Path) -> None:
    assert one(judged(tmp_path, records, LOOK), "token") == expected
    swapped = judged(tmp_path, records, LOOK, student="2110002")
    assert (one(swapped, "token")[1] == "token-met") == (
        expected[1] == "token-absent" and OTHERS in b.pcap(records)
    )


def test_a_token_counts_in_whichever_connection_it_was_typed(tmp_path: Path) -> None:
    best = talk(1).open().say(b"1", b"2").close().packets
    first_try = talk(2).open().say(OWN).packets
    for order in ([*best, *first_try], [*first_try, *best]):
        found = judged(
            tmp_path, b.frames(order), LOOK, *(f"{{id: {it}, points: 1}}" for it in OTHER)
        )
        assert {name: status for name, (status, _, _) in told(found).items()} == {
            "token": MET,
            "handshake": MET,
            "close": MET,
        }


def test_what_the_rubric_asks_decides_which_connection_is_judged(tmp_path: Path) -> None:
    same = talk(1).open().say(b"1", b"1", b"1").close().packets
    differing = talk(2).open().say(b"1", b"2").close().packets
    found = judged(
        tmp_path,
        b.frames([*same, *differing]),
        "{id: distinct, points: 1}",
        "{id: close, points: 1}",
    )
    assert told(found) == {
        "distinct": (MET, "distinct-met", (19, 22)),
        "close": (MET, "close-met", (25, 26, 27)),
    }


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (packets(lambda t: t.open().say(b"1", b"1").close()), (NOT, "distinct-few", (4, 7))),
        (packets(lambda t: t.open().say(b"1", b"1 ").close()), (MET, "distinct-met", (4, 7))),
        (packets(lambda t: t.open().say(b"1", b"1")), (HIDDEN, "distinct-unseen", (4, 7))),
    ],
)
def test_distinct(records: Records, expected: Any, tmp_path: Path) -> None:
    assert one(judged(tmp_path, records, "{id: distinct, points: 1}"), "distinct") == expected


# -- filters


def test_filters_show_exactly_the_frames_in_wireshark(tmp_path: Path) -> None:
    records, _, _ = CASES["last message unanswered"]
    found, path = judged(tmp_path, records), tmp_path / "upcall.pcap"
    filters = {
        one.filter: one.frames
        for one in found.judgements
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
    found = judged(tmp_path, b.frames(opened().say(*[b"x"] * 500).close().packets))
    assert {status for status, _, _ in told(found).values()} == {MET}
    assert all(len(one.frames) <= 100 for one in found.judgements)
    assert by_id(found)["messages"].remark.values == {"count": 500}
    assert len(found.exchanges) == 500
