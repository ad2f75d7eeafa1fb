"""When a session may stop: the capture followed on the lab host, fed as tcpdump writes it."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.loading import load
from tests.unit.grader import building as b

following = load("plugins/module_utils/lab_capture_pcap.py")

PORT = 4141


def follow(packets: list[bytes], **form: t.Any) -> t.Any:
    follower = following.PcapFollower(PORT)
    follower.feed(b.pcap(b.frames(packets), **form))
    return follower


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_a_whole_connection_is_complete(order: str, nano: bool) -> None:
    (connection,) = follow(b.lab(), order=order, nano=nano).connections
    assert (connection.opened, connection.closed, connection.complete) == (True, True, True)


@pytest.mark.parametrize("kept", range(len(b.lab())))
def test_it_is_complete_with_its_last_packet_and_not_before(kept: int) -> None:
    assert not any(connection.complete for connection in follow(b.lab()[:kept]).connections)


@pytest.mark.parametrize("first", range(1, 4))
def test_a_connection_begun_before_the_capture_is_never_complete(first: int) -> None:
    (connection,) = follow(b.lab()[first:]).connections
    assert (connection.opened, connection.closed, connection.complete) == (False, True, False)
    assert connection.name == "10.0.0.3:53426 → 10.0.0.2:4141"


def test_another_port_is_not_the_labs() -> None:
    follower = following.PcapFollower(PORT + 1)
    follower.feed(b.pcap(b.frames(b.lab())))
    assert follower.connections == []
    assert follower.records == len(b.lab())


def test_packets_seen_twice_make_one_connection() -> None:
    twice = [packet for packet in b.lab() for _ in range(2)]
    assert [connection.complete for connection in follow(twice).connections] == [True]


def test_two_connections_of_one_port_are_two() -> None:
    again = b.Talk(client_seq=7000).open().say(b"1").close().packets
    assert [c.complete for c in follow(b.lab() + again).connections] == [True, True]
    # With the same initial sequence number it is the same one, sent again (RFC 9293, 3.8.1).
    assert [c.complete for c in follow(b.lab() + b.lab()).connections] == [True]


RESET = b.tcp(b.CLIENT, b.SERVER, following.RST, seq=1)


@pytest.mark.parametrize("place", range(4, len(b.lab())))
def test_a_reset_is_not_an_orderly_close(place: int) -> None:
    packets = b.lab()
    (connection,) = follow([*packets[:place], RESET, *packets[place:]]).connections
    assert (connection.closed, connection.complete) == (False, False)


def test_a_reset_behind_the_close_changes_nothing() -> None:
    (connection,) = follow([*b.lab(), RESET]).connections
    assert (connection.closed, connection.complete) == (True, True)


@given(st.lists(st.integers(1, 200), max_size=200))
def test_pieces_of_any_size_tell_the_same(sizes: list[int]) -> None:
    data = b.pcap(b.frames(b.lab()))
    follower = following.PcapFollower(PORT)
    for size in sizes:
        follower.feed(data[:size])
        data = data[size:]
    follower.feed(data)
    assert [connection.complete for connection in follower.connections] == [True]
    assert follower.records == len(b.lab())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no capture at all, rather long", "it begins with 6e6f2063"),
        (b.pcap([], link=113), "link type 113 is not Ethernet"),
        (b.pcap([])[:24] + b"\0" * 8 + b"\xff" * 8, "record 1 claims 4294967295 bytes"),
    ],
)
def test_what_is_no_capture_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(following.CaptureFormatError, match=said):
        following.PcapFollower(PORT).feed(data)


@given(st.binary(max_size=300))
def test_no_record_ends_the_session(frame: bytes) -> None:
    follower = following.PcapFollower(PORT)
    follower.feed(b.pcap([frame, *b.frames(b.lab())]))
    assert follower.records == len(b.lab()) + 1
