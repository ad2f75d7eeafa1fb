"""Link types, VLAN tags, IP versions and fragments: the same segment comes out of each."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.grader import building as b
from upcall_grader.capture.packets import Decoder, Other, Packet, Segment, endpoint_text, flags_text
from upcall_grader.capture.reading import Frame

V4 = b.tcp(b.CLIENT, b.SERVER, b.PSH | b.ACK, 7, 9, b"hello", 3)
V6 = b.tcp(b.CLIENT6, b.SERVER6, b.PSH | b.ACK, 7, 9, b"hello")
SNAP = b"\xaa\xaa\x03\0\0\0\x08\x00"


def decode(link: int, data: bytes, original: int | None = None) -> Packet:
    return Decoder().decode(Frame(1, 0, link, data, original or len(data)))


@pytest.mark.parametrize(
    ("link", "data"),
    [
        (1, b.ethernet(V4)),
        (1, b.ethernet(V6)),
        (1, b.ethernet(V4, [0x8100])),
        (1, b.ethernet(V6, [0x88A8, 0x8100])),
        (1, b.ethernet(V4) + bytes(9)),
        (1, bytes(12) + struct.pack(">H", len(V4) + 8) + SNAP + V4),
        (113, bytes(14) + b"\x08\x00" + V4),
        (113, bytes(14) + b"\x81\x00\x00\x05\x86\xdd" + V6),
        (276, b"\x08\x00" + bytes(18) + V4),
        (276, b"\x86\xdd" + bytes(18) + V6),
        (276, b"\x88\xa8" + bytes(18) + b"\x02\xbc\x86\xdd" + V6),
        (101, V4),
        (101, V6),
        (12, V4),
        (228, V4),
        (229, V6),
        (0, b"\x02\0\0\0" + V4),
        (0, b"\0\0\0\x1e" + V6),
        (108, b"\0\0\0\x18" + V6),
        (
            1,
            b.ethernet(V6[:6] + b"\x00" + V6[7:40] + b"\x06" + bytes(7) + V6[40:]).replace(
                struct.pack(">H", len(V6) - 40) + b"\0", struct.pack(">H", len(V6) - 32) + b"\0", 1
            ),
        ),
    ],
)
def test_every_link_type_gives_the_same_segment(link: int, data: bytes) -> None:
    segment = decode(link, data)
    assert isinstance(segment, Segment)
    assert (segment.seq, segment.ack, segment.payload, segment.length) == (7, 9, b"hello", 5)
    assert flags_text(segment.flags) == "[PSH, ACK]"
    assert endpoint_text(segment.source, segment.source_port) in (
        "10.0.0.3:53426",
        "[fd00::3]:53426",
    )
    assert segment.destination_port == 4141


def test_payload_cut_by_the_snap_length_keeps_its_length() -> None:
    segment = decode(1, b.ethernet(V4)[:-3], 60)
    assert isinstance(segment, Segment)
    assert (segment.payload, segment.length) == (b"he", 5)


@pytest.mark.parametrize(
    "pieces",
    [b.fragments(V4, 8), b.fragments(V4, 16), b.fragments6(V6, 8), b.fragments(V4, 8)[::-1]],
)
def test_the_last_fragment_carries_the_segment(pieces: list[bytes]) -> None:
    decoder = Decoder()
    decoded = [
        decoder.decode(Frame(n, 0, 101, piece, len(piece))) for n, piece in enumerate(pieces, 1)
    ]
    *first, last = decoded
    assert len(pieces) > 1
    assert all(isinstance(other, Other) and "fragment" in other.protocol for other in first)
    assert isinstance(last, Segment)
    assert last.payload == b"hello"
    assert last.frame == len(pieces)


def test_a_missing_fragment_gives_no_segment_and_keeps_little() -> None:
    decoder = Decoder()
    piece = b.fragments(V4, 8)[0]
    for ident in range(1000):
        data = piece[:4] + struct.pack(">H", ident) + piece[6:]
        assert isinstance(decoder.decode(Frame(1, 0, 101, data, len(data))), Other)
    assert len(decoder._fragments._waiting) <= 64


@pytest.mark.parametrize(
    ("link", "data", "name"),
    [
        (1, bytes(12) + b"\x08\x06", "ARP"),
        (1, bytes(12) + b"\x88\xcc", "LLDP"),
        (1, bytes(12) + b"\x00\x26\x42\x42\x03", "STP"),
        (101, b.ip("10.0.0.1", "10.0.0.2", 1, bytes(8)), "ICMP"),
        (101, b.ip("fd00::1", "ff02::2", 58, bytes(8)), "ICMPv6"),
        (101, b.ip("10.0.0.1", "10.0.0.2", 17, struct.pack(">HH", 9, 53) + bytes(4)), "DNS"),
        (101, b.ip("10.0.0.1", "10.0.0.2", 6, bytes(19)), "TCP"),
        (101, b.ip("10.0.0.1", "10.0.0.2", 6, bytes(20)), "TCP"),
        (101, b"\x45", "IPv4"),
        (101, b"", "raw data"),
        (1, b"\0", "cut-off link header"),
        (147, b"abc", "link type 147"),
        (0, b"\x09\0\0\0", "address family 9"),
    ],
)
def test_what_else_there_is_has_a_name(link: int, data: bytes, name: str) -> None:
    other = decode(link, data)
    assert isinstance(other, Other)
    assert other.protocol == name


@given(
    st.sampled_from([0, 1, 12, 101, 108, 113, 228, 276, 999]),
    st.sampled_from([b.ethernet(V4), b.ethernet(V6), V4, V6, b"\x86\xdd" + bytes(18) + V6, b""]),
    st.integers(0, 120),
    st.binary(max_size=80),
)
def test_no_bytes_make_it_fail(link: int, start: bytes, cut: int, rest: bytes) -> None:
    data = start[:cut] + rest
    packet = decode(link, data)
    if isinstance(packet, Segment):
        assert packet.length >= len(packet.payload)
