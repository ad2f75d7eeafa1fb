"""The captures that are graded: made from a seed, all different, as the lab's own look.

Each connection has 13 packets, in one of the forms that real ones take: handshake, two messages and
their upcalls, close. Sequence numbers, ports, timestamps, messages and times are drawn at random.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

SEED = 4141
PACKETS = 13
"""Packets of each connection."""

_FIN, _SYN, _PSH, _ACK = 1, 2, 8, 16
_PREFIX = b"Upcall event: Processing "
_FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
_START = 1_760_000_000  # seconds since 1970
_WORDS = ("halo", "selamat pagi", "1", "2", "apa kabar", "upcall", "terima kasih", "one more")
# Who sends what: m, n the messages, u, v their upcalls, f a FIN, a an acknowledgement; the client's
# in small letters, the server's in capital ones. All begin with the handshake.
_FORMS = ("mAUanVafAFa", "mUanVafAFa", "mAUanVafFa", "mAUanAVafFa", "mAUanVfAFa")
_LONG = [form for form in _FORMS if len(form) == PACKETS - 3]


class _Talk:
    """One connection: gives its packets one after the other."""

    def __init__(self, draw: random.Random, number: int) -> None:
        self._draw = draw
        network = 16 + number % 8
        self._ends = (bytes((172, network, 0, 3)), bytes((172, network, 0, 2)))
        # Not drawn: two connections of one capture must not have the same ends.
        self._ports = (32_768 + number % 28_000, 4141)
        self._next = [draw.getrandbits(32), draw.getrandbits(32)]
        self._stamps = [draw.getrandbits(31), draw.getrandbits(31)]
        self._ids = [draw.getrandbits(16), draw.getrandbits(16)]
        self._messages = [f"{draw.choice(_WORDS)} {draw.randrange(10_000)}".encode() for _ in "12"]

    def packets(self) -> Iterator[bytes]:
        """Ethernet frames, from the first SYN to the last ACK."""
        yield self._packet(0, _SYN)
        yield self._packet(1, _SYN | _ACK)
        yield self._packet(0, _ACK)
        first, second = self._messages
        for letter in self._draw.choice(_LONG):
            kind = letter.lower()
            by = int(letter.isupper())
            if kind in "mn":
                yield self._packet(by, _PSH | _ACK, first if kind == "m" else second)
            elif kind in "uv":
                yield self._packet(by, _PSH | _ACK, _PREFIX + (first if kind == "u" else second))
            else:
                yield self._packet(by, _FIN | _ACK if kind == "f" else _ACK)

    def _packet(self, by: int, flags: int, data: bytes = b"") -> bytes:
        other = 1 - by
        self._stamps[by] = (self._stamps[by] + self._draw.randrange(3)) % 2**32
        self._ids[by] = (self._ids[by] + 1) % 2**16
        stamps = struct.pack(
            ">BBII", 8, 10, self._stamps[by], self._stamps[other] if flags & _ACK else 0
        )
        options = b"\x01\x01" + stamps
        if flags & _SYN:
            options = b"\x02\x04\x05\xb4\x04\x02" + stamps + b"\x01\x03\x03\x07"
        tcp = struct.pack(
            ">HHIIBBHHH",
            self._ports[by],
            self._ports[other],
            self._next[by],
            self._next[other] if flags & _ACK else 0,
            (20 + len(options)) << 2,
            flags,
            502,
            0,
            0,
        )
        length = 20 + len(tcp) + len(options) + len(data)
        ip = struct.pack(">BBHHHBBH", 0x45, 0, length, self._ids[by], 0x4000, 64, 6, 0)
        self._next[by] = (self._next[by] + len(data) + bool(flags & (_SYN | _FIN))) % 2**32
        macs = (b"\x02\x42\xac\x1b\0\3", b"\x02\x42\xac\x1b\0\2")
        ethernet = macs[other] + macs[by] + b"\x08\0"
        return ethernet + ip + self._ends[by] + self._ends[other] + tcp + options + data


def small(folder: Path, count: int) -> None:
    """Make ``count`` captures of one connection each."""
    draw = random.Random(SEED)  # noqa: S311 (test data)
    for number in range(count):
        records = _records(draw, _Talk(draw, number).packets(), draw.randrange(10**6))
        (folder / f"student-{number:05}.pcap").write_bytes(_FILE_HEADER + b"".join(records))


def large(path: Path, connections: int) -> None:
    """Make one capture of many connections, a few of them open at a time."""
    draw = random.Random(SEED)  # noqa: S311 (test data)
    with path.open("wb") as stream:
        stream.write(_FILE_HEADER)
        stream.writelines(_records(draw, _interleaved(draw, connections), 0))


def _interleaved(draw: random.Random, connections: int) -> Iterator[bytes]:
    open_ = []
    for number in range(connections):
        open_.append(_Talk(draw, number).packets())
        while len(open_) == 4 or (open_ and number == connections - 1):
            talk = draw.choice(open_)
            packet = next(talk, None)
            if packet is None:
                open_.remove(talk)
            else:
                yield packet


def _records(draw: random.Random, packets: Iterator[bytes], started: int) -> Iterator[bytes]:
    microseconds = started
    for packet in packets:
        microseconds += draw.randrange(20, 900)
        seconds, rest = divmod(microseconds, 1_000_000)
        yield struct.pack("<IIII", _START + seconds, rest, len(packet), len(packet)) + packet
