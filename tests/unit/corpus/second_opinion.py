"""Wireshark's engine reads a capture, and has to see what the grader's own reader sees.

Compared are, of each segment: frame, stream, direction, flags, numbers as they are and relative
ones, length, payload; of each connection: the frames of its handshake, its FINs, what acknowledges
them, its resets, and both sides' bytes in order. Those are put in order twice: here, by tshark's
numbers, and by "Follow TCP Stream". The grader differs from tshark, and rightly so, in this:

* Bytes before a side's first number are old, unless they are the first that come at all: where a
  capture begins in the middle of a connection, nothing tells them from a retransmission.
* "Follow TCP Stream" gives up bytes that come after they were acknowledged, and what lies behind a
  gap at the end. The grader does not: the bytes are in the file.
* Of bytes that come twice, and in two ways, the first count. Behind a gap those count that begin
  first.
* The octet of a keep-alive is no data, also where it comes first.
* A packet that was met twice, as on ``-i any``, is one packet.
"""

from __future__ import annotations

import io
import re
import subprocess
from dataclasses import astuple, dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from tests.unit.grader import building as b
from upcall_grader.capture.connections import Connection, Follower
from upcall_grader.capture.packets import Decoder, Segment
from upcall_grader.capture.reading import Capture

PORT = 4141
FIELDS = ["frame.number", "frame.time_epoch", "ip.id", "tcp.stream", "tcp.srcport", "tcp.flags"]
FIELDS += ["tcp.seq_raw", "tcp.ack_raw", "tcp.seq", "tcp.ack", "tcp.len", "tcp.payload"]
MOST_STREAMS = 8
ODD_OPENINGS = {"half-open.pcap", "two-syn-acks.pcap", "syn-ack-of-nothing.pcap"}
"""Which SYN+ACK counts is what the client's next ACK tells; tshark counts from the last one."""
HALF, WHOLE = 1 << 31, 1 << 32
TWICE_NS = 100_000_000


@dataclass(frozen=True)
class Line:
    """One segment as tshark tells it."""

    frame: int
    time_ns: int
    ident: int | None
    """Of IPv4."""
    stream: int
    from_client: bool
    flags: int
    seq: int
    ack: int
    relative_seq: int
    relative_ack: int
    length: int
    payload: bytes


@dataclass(frozen=True)
class Agreed:
    """How much was compared: segments, connections, and of these those with their bytes."""

    segments: int = 0
    connections: int = 0
    reassembled: int = 0
    followed: int = 0

    def __add__(self, other: Agreed) -> Agreed:
        return Agreed(*(sum(pair) for pair in zip(astuple(self), astuple(other), strict=True)))


@dataclass
class Sent:
    """The bytes of one side, as tshark's numbers put them in order.

    ``sure``: nothing lies before its first number, no segment was cut, and no byte behind a gap
    came in two ways; ``in_order``: each came before those that follow it and before it was
    acknowledged, and none is missing.
    """

    data: bytes
    sure: bool
    in_order: bool


@dataclass
class Facts:
    """What has to agree about one connection."""

    syn: int | None = None
    syn_ack: int | None = None
    ack: int | None = None
    resets: list[int] = field(default_factory=list)
    fins: dict[bool, int] = field(default_factory=dict)
    fins_acked: dict[bool, int] = field(default_factory=dict)
    """By whether the client sent the FIN."""


def told(path: Path, streams: int) -> tuple[list[Line], dict[int, tuple[bytes, bytes]]]:
    """Return what one tshark says: all segments, and what "Follow TCP Stream" shows of each stream.

    The second value is the client's bytes and the server's; ``streams`` is how many are asked for.
    """
    command = ["tshark", "-n", "-r", str(path), "-Y", f"tcp.port == {PORT}", "-T", "fields"]
    command += [word for name in FIELDS for word in ("-e", name)]
    command += [word for number in range(streams) for word in ("-z", f"follow,tcp,raw,{number}")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows, *parts = done.stdout.split("\nFollow: tcp,raw\n")
    lines = [line.split("\t") for line in rows.splitlines() if "\t" in line]
    return list(map(_line, lines)), dict(map(_followed, parts))


def _line(row: list[str]) -> Line:
    number, time, ident, stream, port, *numbers, payload = row
    flags, seq, ack, relative_seq, relative_ack, length = (int(text, 0) for text in numbers)
    return Line(
        int(number),
        int(Decimal(time or 0) * b.SECOND),
        int(ident, 16) if ident else None,
        int(stream),
        port != str(PORT),
        flags,
        seq,
        ack,
        relative_seq,
        # tshark also shows the field where it acknowledges nothing.
        relative_ack if flags & b.ACK else 0,
        length,
        bytes.fromhex(payload),
    )


def _followed(part: str) -> tuple[int, tuple[bytes, bytes]]:
    """Return a stream and its bytes, without Wireshark's notes of those that are missing."""
    match = re.match(r"Filter: tcp.stream eq (\d+)\nNode 0: (.*)\nNode 1: .*\n", part)
    assert match is not None, part
    sent = {True: b"", False: b""}
    for line in part[match.end() :].splitlines():
        if re.fullmatch(r"\t?[0-9a-f]+", line):
            data = bytes.fromhex(line.strip())
            by_second = line.startswith("\t")
            sent[by_second] += re.sub(rb"\[\d+ bytes missing[^]]*\]\0?", b"", data)
    server_first = match[2].endswith(f":{PORT}")
    return int(match[1]), (sent[server_first], sent[not server_first])


def facts_of(lines: list[Line]) -> Facts:
    """Return handshake and close, from tshark's numbers alone (RFC 9293 sections 3.5 and 3.6)."""
    facts = Facts()
    ends: dict[bool, int] = {}
    acks: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    first = _first_number(lines, by_client=False)
    for line in lines:
        kind = line.flags & (b.SYN | b.ACK | b.RST)
        if kind == b.SYN and facts.syn is None:
            facts.syn = line.frame
        if kind == b.SYN | b.ACK and facts.syn_ack is None:
            facts.syn_ack, first = line.frame, line.seq + 1
        if facts.ack is None and _ends_handshake(line, facts, first):
            facts.ack = line.frame
        if line.flags & b.RST:
            facts.resets.append(line.frame)
            continue
        if line.flags & b.FIN and line.from_client not in ends:
            ends[line.from_client] = line.seq + line.length
            facts.fins[line.from_client] = line.frame
        if line.flags & b.ACK:
            acks[not line.from_client].append((line.frame, line.ack))
    for by_client, end in ends.items():
        frames = [frame for frame, ack in acks[by_client] if 0 < (ack - end) % WHOLE < HALF]
        if frames:
            facts.fins_acked[by_client] = frames[0]
    return facts


def _ends_handshake(line: Line, facts: Facts, first: int) -> bool:
    """Return whether the client acknowledges a SYN+ACK; ``first`` is the number behind it."""
    plain = line.flags & (b.SYN | b.ACK | b.RST) == b.ACK
    acks = plain and line.from_client and facts.syn_ack is not None and line.relative_seq != 0
    return acks and _distance(first, line.ack) >= 0


def once(lines: list[Line]) -> list[Line]:
    """Return the lines without packets that were met before, on another interface."""
    met: dict[Line, int] = {}
    kept = []
    for line in lines:
        packet = replace(line, frame=0, time_ns=0, relative_seq=0, relative_ack=0)
        if abs(line.time_ns - met.get(packet, -TWICE_NS)) >= TWICE_NS:
            met[packet] = line.time_ns
            kept.append(line)
    return kept


def reassembled(lines: list[Line], by_client: bool) -> Sent:
    """Return a side's bytes; of those that came twice, the first count."""
    first = _first_number(lines, by_client)
    own = [line for line in lines if line.from_client is by_client]
    base = next((line.seq + 1 for line in own if line.flags & b.SYN), first)
    bytes_at: dict[int, int] = {}
    sure, in_order, highest, gap = True, True, 0, 0
    for line in lines:
        if line.from_client is not by_client:
            highest = max(highest, _distance(base, line.ack) if line.flags & b.ACK else 0)
            continue
        number = line.seq + bool(line.flags & b.SYN)
        start = _distance(base, number)
        came = {at: byte for at, byte in enumerate(line.payload, start) if at >= 0}
        fresh = came.keys() - bytes_at.keys()
        keeps_alive = line.payload in (b"", b"\0")
        sure &= keeps_alive or _distance(first, number) >= 0
        sure &= len(line.payload) == line.length
        sure &= all(bytes_at.get(at, byte) == byte for at, byte in came.items() if at >= gap)
        in_order &= not line.length or start >= 0
        in_order &= not fresh or min(fresh) >= highest
        highest = max(highest, start + line.length)
        bytes_at = came | bytes_at
        while gap in bytes_at:
            gap += 1
    in_order &= gap == len(bytes_at)
    return Sent(bytes(bytes_at[at] for at in sorted(bytes_at)), sure, in_order)


def _first_number(lines: list[Line], by_client: bool) -> int:
    """Return the number of a side's first byte, as its first segment or its first ACK tells."""
    for line in lines:
        if line.from_client is by_client:
            return line.seq + bool(line.flags & b.SYN)
        if line.flags & b.ACK:
            return line.ack
    return 0


def _distance(start: int, number: int) -> int:
    """Return how far a sequence number lies behind another one; they wrap at 2**32."""
    return (number - start + HALF) % WHOLE - HALF


def facts_seen(connection: Connection) -> Facts:
    sides = ((True, connection.client), (False, connection.server))
    return Facts(
        connection.handshake.syn,
        connection.handshake.syn_ack,
        connection.handshake.ack,
        [frame for frame, _ in connection.resets],
        {by_client: side.fin for by_client, side in sides if side.fin is not None},
        {by_client: side.fin_acked for by_client, side in sides if side.fin_acked is not None},
    )


def sent(connection: Connection) -> tuple[bytes, bytes]:
    client, server = (
        b"".join(piece.data for piece in side.stream.pieces)
        for side in (connection.client, connection.server)
    )
    return client, server


def follow(path: Path) -> tuple[list[Line], dict[int, Connection]]:
    """Return the same lines by our own reader; connections count from 0, as tshark's streams."""
    decoder, follower, lines = Decoder(), Follower(PORT), []
    for frame in Capture(io.BytesIO(path.read_bytes())):
        packet = decoder.decode(frame)
        if isinstance(packet, Segment) and packet.on_port(PORT):
            step = follower.add(packet)
            lines.append(
                Line(
                    packet.frame,
                    packet.time_ns or 0,
                    packet.ip_id,
                    step.connection.number,
                    step.from_client,
                    packet.flags,
                    packet.seq,
                    packet.ack,
                    step.relative_seq,
                    step.relative_ack or 0,
                    packet.length,
                    packet.payload,
                )
            )
    return lines, {one.number: one for one in follower.finish()}


def agree(path: Path, streams: int = MOST_STREAMS) -> Agreed:
    """Compare everything that both readers tell of a file; return how much that was."""
    (theirs, shown), (ours, connections) = told(path, streams), follow(path)
    # Streams count all of TCP there, and those on the lab's port alone here.
    numbers = dict(zip(dict.fromkeys(line.stream for line in theirs), connections, strict=True))
    odd = path.name in ODD_OPENINGS
    for their, our in zip(theirs, ours, strict=True):
        expected = replace(their, stream=numbers[their.stream])
        if odd:
            expected = replace(
                expected, relative_seq=our.relative_seq, relative_ack=our.relative_ack
            )
        assert expected == our, f"\n{expected}\n{our}"
    agreed = Agreed(segments=len(theirs))
    for stream, number in numbers.items():
        lines = [line for line in theirs if line.stream == stream]
        if not odd:
            assert facts_seen(connections[number]) == facts_of(once(lines)), f"stream {stream}"
        agreed += _bytes_agree(lines, connections[number], shown[stream])
    return agreed


def _bytes_agree(lines: list[Line], connection: Connection, shown: tuple[bytes, bytes]) -> Agreed:
    expected = [reassembled(lines, by_client) for by_client in (True, False)]
    if not all(side.sure for side in expected):
        return Agreed(connections=1)
    bytes_sent = sent(connection)
    where = f"stream {lines[0].stream}"
    assert bytes_sent == tuple(side.data for side in expected), where
    if not all(side.in_order for side in expected):
        return Agreed(connections=1, reassembled=1)
    assert bytes_sent == shown, where
    return Agreed(connections=1, reassembled=1, followed=1)
