"""Wireshark's engine as the second opinion: numbers, flags, relative numbers and payload."""

import io
import subprocess
from pathlib import Path

import pytest

from tests.unit.grader import building as b
from tests.unit.grader.conftest import Real
from upcall_grader.capture.connections import Follower
from upcall_grader.capture.packets import Decoder, Segment
from upcall_grader.capture.reading import Capture

FIELDS = ("frame.number", "tcp.flags", "tcp.seq", "tcp.ack", "tcp.len", "tcp.payload")
ARP = b"\xff" * 6 + bytes(6) + b"\x08\x06" + bytes(28)


JOURNAL = b"MESSAGE=hi\n__REALTIME_TIMESTAMP=1700000000000000\n"


def wireshark(path: Path, port: int) -> list[tuple[str, ...]]:
    command = ["tshark", "-n", "-r", str(path), "-Y", f"tcp.port == {port}", "-T", "fields"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


def ours(data: bytes, port: int) -> list[tuple[str, ...]]:
    decoder, follower, rows = Decoder(), Follower(port), []
    for frame in Capture(io.BytesIO(data)):
        packet = decoder.decode(frame)
        if isinstance(packet, Segment) and packet.on_port(port):
            step = follower.add(packet)
            row = (
                packet.frame,
                f"0x{packet.flags:04x}",
                step.relative_seq,
                step.relative_ack or 0,
                packet.length,
                packet.payload.hex(),
            )
            rows.append(tuple(str(value) for value in row))
    return rows


def built() -> dict[str, bytes]:
    lab = b.lab(b"1", b"two words")
    frames = b.frames(lab)
    v6 = b.Talk(b.CLIENT6, b.SERVER6).open().say(b"hello").close().packets
    again = b.ethernet(b.tcp(b.CLIENT, b.SERVER, b.PSH | b.ACK, 1001, 9001, b"1", ident=99))
    wrapped = b.Talk(client_seq=2**32 - 2, server_seq=2**32 - 9).open().say(b"abc", b"d").close()
    reused = b.Talk(client_seq=500_000, server_seq=70_000).open().say(b"2").close().packets
    pieces = b.fragments(lab[4], 16)
    pieces6 = b.fragments6(v6[4], 24)
    ng = b.section(">") + b.interface(1, order=">") + b.simple(frames[0], ">")
    ng += b.block(4, bytes(4), ">") + b.enhanced(frames[1], 10**15, order=">")
    ng += b.section() + b.interface(101, options=b.option(9, b"\x09")) + b.enhanced(lab[2], 10**18)
    mixed = b.section() + b.interface() + b.block(9, JOURNAL) + b.enhanced(frames[0], 1)
    mixed += b.block(0xBAD, b"\x39\x30\0\0data") + b.enhanced(frames[1], 2)
    mixed += b.block(0x204, bytes(40)) + b.block(5, bytes(12)) + b.enhanced(frames[2], 3)
    return {
        "pcapng with other records": mixed,
        "plain": b.pcap([ARP, *frames[:5], ARP, *frames[5:]]),
        "big-endian nanoseconds": b.pcap(frames, order=">", nano=True),
        "vlan": b.pcap([b.ethernet(packet, [0x8100]) for packet in lab]),
        "cooked v1": b.pcap([b"\0\0\0\1\0\6" + bytes(8) + b"\x08\0" + p for p in lab], link=113),
        "cooked v2": b.pcap([b"\x86\xdd" + bytes(6) + b"\0\1\0\6" + bytes(8) + p for p in v6], 276),
        "loopback": b.pcap([b"\0\0\0\2" + packet for packet in lab], link=0),
        "raw": b.pcap(v6, link=101),
        "mid-stream": b.pcap(frames[4:]),
        "retransmission": b.pcap([*frames[:5], again, *frames[5:]]),
        "wrapped": b.pcap(wrapped.packets, link=101),
        "port reused": b.pcap([*lab, *reused], link=101),
        "fragments": b.pcap([*lab[:4], *pieces, *lab[5:]], link=101),
        "fragments v6": b.pcap([*v6[:4], *pieces6, *v6[5:]], link=101),
        "cut off": b.pcap(frames)[:-7],
        "snap length": b.pcap([b.Record(f[:60], original=len(f)) for f in frames]),
        "pcapng": ng,
    }


BUILT = built()


@pytest.mark.parametrize("name", BUILT)
def test_built_captures_agree(name: str, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(BUILT[name])
    expected = wireshark(path, 4141)
    assert len(expected) >= 3
    assert ours(BUILT[name], 4141) == expected


def test_real_captures_agree(real: Real, real_any: Real, tmp_path: Path) -> None:
    for capture in (real, real_any):
        path = tmp_path / "capture"
        path.write_bytes(capture.data)
        expected = wireshark(path, capture.port)
        assert len(expected) >= 3 + 2 * len(capture.messages) + 3
        assert ours(capture.data, capture.port) == expected
