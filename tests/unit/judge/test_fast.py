"""The fast summary: many connections at once, what it lets go, and where it gives up."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.grader import building as b
from tests.unit.judge.talks import talk
from upcall_grader.capture import connections, streams
from upcall_grader.capture.dialogue import Answer
from upcall_grader.capture.formats import PCAP_LAYOUTS
from upcall_grader.capture.reading import Capture
from upcall_grader.judge.capture_summary import (
    MAX_EXCHANGES,
    CaptureSummary,
    summarize_capture,
)
from upcall_grader.judge.check import Case
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.fast import reader
from upcall_grader.judge.fast.reader import summarize_file
from upcall_grader.judge.ranking import ranked_by
from upcall_grader.lab import UPCALL, Lab

SERVER = b"\x0a\0\0\2"
RANK = ranked_by(DEFAULT, partial(Case, port=UPCALL.port))
HANDFUL = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# What happens to connections: all of it, or a part, with something unusual in it; and whether its
# ends, or those and its numbers, were in use before.
TALK = st.tuples(
    st.sampled_from(
        ("whole", "server closes", "reset", "open", "again", "late", "both", "mid", "turned")
    ),
    st.integers(0, 3),
    st.integers(0, 2),
)


def both(
    data: bytes, path: Path, lab: Lab = UPCALL
) -> tuple[CaptureSummary | None, CaptureSummary]:
    path.write_bytes(data)
    with path.open("rb", buffering=0) as stream:
        fast = summarize_file(stream.fileno(), lab, RANK)
    with path.open("rb") as stream:
        return fast, summarize_capture(Capture(stream), lab, RANK)


def packets(kind: str, place: int, numbers: int) -> list[bytes]:
    """Return the packets of one connection, as ``TALK`` draws them."""
    connection = talk(place)
    connection.client_seq += numbers * 100_000
    connection.server_seq += numbers * 100_000
    connection.open().say(b"1", b"2")
    if kind == "server closes":
        return connection.s(b.FIN | b.ACK).c(b.ACK).c(b.FIN | b.ACK).s(b.ACK).packets
    if kind == "reset":
        return connection.c(b.RST | b.ACK).packets
    if kind == "open":
        return connection.packets
    if kind == "both":
        # Both FINs before either's acknowledgement.
        connection.c(b.FIN | b.ACK)
        connection.client_seq -= 1
        return connection.s(b.FIN | b.ACK).packets
    whole = connection.close().packets
    if kind == "again":
        return [*whole[:5], *whole[3:]]
    if kind == "late":
        return [*whole, whole[-1], whole[-2]]
    if kind == "mid":
        return whole[3:]
    if kind == "turned":
        # A SYN from the server's side, between the same ends.
        return [*whole, b.tcp(connection.server, connection.client, b.SYN, 77)]
    return whole


@HANDFUL
@given(
    talks=st.lists(TALK, max_size=14),
    order=st.lists(st.integers(0, 3), max_size=150),
    lingering=st.integers(0, 3),
    chunk=st.integers(40, 400),
)
def test_many_connections_at_once(
    talks: list[tuple[str, int, int]],
    order: list[int],
    lingering: int,
    chunk: int,
    tmp_path: Path,
) -> None:
    waiting = [packets(*one) for one in talks]
    wire: list[bytes] = []
    for choice in order:
        if waiting:
            one = waiting[choice % min(3, len(waiting))]
            wire.append(one.pop(0))
            if not one:
                waiting.remove(one)
    wire += [packet for one in waiting for packet in one]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "LINGERING", lingering)
        patch.setattr(reader, "_CHUNK", max(chunk, 24))
        fast, slow = both(b.pcap(b.frames(wire)), tmp_path / "upcall.pcap")
    assert fast is None or fast == slow


@pytest.mark.parametrize("kind", ["whole", "server closes", "reset", "open", "again", "late"])
def test_it_gives_up_on_none_of_these(kind: str, tmp_path: Path) -> None:
    wire = [packet for place in range(4) for packet in packets(kind, place, 0)]
    fast, slow = both(b.pcap(b.frames(wire)), tmp_path / "upcall.pcap")
    assert fast == slow
    assert slow.connections == 4


@pytest.mark.parametrize(("name", "bound"), [("MAX_OPEN", 3), ("MAX_KEPT", 40 * connections.COST)])
def test_it_gives_up_where_connections_would_be_forgotten(
    name: str, bound: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = [packet for place in range(10) for packet in packets("open", place, 0)]
    data, path = b.pcap(b.frames(wire)), tmp_path / "upcall.pcap"
    assert both(data, path)[0] is not None
    monkeypatch.setattr(connections, name, bound)
    assert both(data, path)[0] is None


def test_it_gives_up_where_a_connection_ended_unnoticed(tmp_path: Path) -> None:
    connection = talk().open().say(b"1", b"2").c(b.FIN | b.ACK)
    # The acknowledgement of the server's FIN stands before it.
    connection.server_seq += 1
    connection.c(b.ACK)
    connection.server_seq -= 1
    connection.s(b.FIN | b.ACK)
    fast, slow = both(b.pcap(b.frames(connection.packets)), tmp_path / "upcall.pcap")
    assert slow.best is not None
    assert slow.best.closed
    assert fast is None


def test_the_best_of_many_whatever_their_order(tmp_path: Path) -> None:
    wire: list[bytes] = []
    for place in range(700):
        messages = [b"1", b"2"] if place != 680 else [b"1", b"2", b"3"]
        wire += talk(place).open().say(*messages).close().packets
    fast, slow = both(b.pcap(b.frames(wire)), tmp_path / "upcall.pcap")
    assert fast == slow
    assert slow.best is not None
    assert slow.best.number == 681


def test_of_many_as_good_the_one_that_began_first(tmp_path: Path) -> None:
    wire: list[bytes] = []
    for place in range(680):
        wire += talk(place).open().say(b"1", b"2").close().packets
    began_first, ended_first = talk(680).open(), talk(681).open().say(b"1", b"2", b"3").close()
    wire += began_first.packets
    wire += ended_first.packets
    for place in range(682, 684 + connections.LINGERING):
        wire += talk(place).open().say(b"1", b"2").close().packets
    wire += began_first.say(b"1", b"2", b"3").close().packets[3:]
    fast, slow = both(b.pcap(b.frames(wire)), tmp_path / "upcall.pcap")
    assert fast == slow
    assert slow.best is not None
    assert slow.best.number == 681


def test_one_without_a_message_is_worse_than_one_without_a_close(tmp_path: Path) -> None:
    wire = [*talk(1).open().close().packets, *talk(2).open().say(b"1", b"2").packets]
    fast, slow = both(b.pcap(b.frames(wire)), tmp_path / "upcall.pcap")
    assert fast == slow
    assert slow.best is not None
    assert slow.best.number == 2


def test_the_servers_address(tmp_path: Path) -> None:
    elsewhere = b.Talk(server=("10.0.0.9", UPCALL.port)).open().say(b"1").close().packets
    data = b.pcap(b.frames([*elsewhere, *packets("whole", 1, 0)]))
    fast, slow = both(data, tmp_path / "upcall.pcap", Lab(address=SERVER))
    assert fast == slow
    assert (slow.connections, slow.segments) == (1, len(packets("whole", 1, 0)))


def test_another_labs_port_and_phrase(tmp_path: Path) -> None:
    echo = Lab(port=2222, answer=b"Echo: ")
    connection = b.Talk(server=("10.0.0.2", 2222)).open()
    connection.c(b.PSH | b.ACK, b"1").s(b.PSH | b.ACK, b"Echo: 1").c(b.ACK)
    data = b.pcap(b.frames([*packets("whole", 1, 0), *connection.close().packets]))
    fast, slow = both(data, tmp_path / "upcall.pcap", echo)
    assert fast == slow
    assert [(one.message, one.upcall, one.answer) for one in slow.exchanges] == [
        (b"1", b"Echo: 1", Answer.YES)
    ]


def test_its_layouts_are_those_that_dpkt_knows() -> None:
    for magic, tick in reader.TICKS.items():
        known = PCAP_LAYOUTS[magic]
        assert known.nanoseconds_per_tick == tick
        # dpkt has the time zone, which nobody uses, as a number without a sign.
        assert known.file_header.format.replace("i", "I") == reader.FILE_HEADER.format
        assert known.record_header.format == reader.RECORD_HEADER.format


def test_a_connection_that_stays_open_keeps_nothing_waiting(tmp_path: Path) -> None:
    wire = [*packets("open", 0, 0)]
    for place in range(1, 600):
        wire += packets("whole", place, 0)
    fast, slow = both(b.pcap(b.frames(wire)), tmp_path / "upcall.pcap")
    assert fast == slow
    assert (slow.exchange_count, len(slow.exchanges)) == (1200, MAX_EXCHANGES)
    # In the order in which their connections began: the open one's come first.
    assert slow.exchanges[0].message_frames == (4,)
    frames = [exchange.message_frames for exchange in slow.exchanges]
    assert frames == sorted(frames)


def test_what_is_kept_of_one_connection_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b.pcap(b.frames(talk().open().say(b"x" * 400, b"y" * 400).close().packets))
    path = tmp_path / "upcall.pcap"
    best = both(data, path)[1].best
    assert best is not None
    assert best.whole
    monkeypatch.setattr(streams, "MAX_BYTES", 600)
    cut = both(data, path)[1].best
    assert cut is not None
    assert not cut.whole
    assert [exchange.message for exchange in cut.exchanges] == [b"x" * 400]


def test_large_exchanges_count_for_several(tmp_path: Path) -> None:
    wire = [
        packet
        for place in range(30)
        for packet in talk(place).open().say(*[b"z" * 60_000] * 4).close().packets
    ]
    slow = both(b.pcap(b.frames(wire)), tmp_path / "upcall.pcap")[1]
    assert slow.exchange_count == 120
    # 60,000 bytes and the prefix count for 15 exchanges.
    assert len(slow.exchanges) == MAX_EXCHANGES // 15 + 1
