"""Wireshark's engine reads the corpus and all mutants, and has to see what the grader sees.

tshark needs long to start, so all mutants of a kind stand in one file, each with a client port of
its own.
"""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.unit.corpus import mutants as m
from tests.unit.corpus.judging import COMPLETE, CORPUS
from tests.unit.grader import building as b
from upcall_grader.capture.connections import Connection, Follower
from upcall_grader.capture.packets import Decoder, Segment
from upcall_grader.capture.reading import Capture

FIELDS = ["frame.number", "tcp.stream", "tcp.srcport", "tcp.flags", "tcp.seq_raw", "tcp.ack_raw"]
FIELDS += ["tcp.len", "tcp.payload"]
ORIGINAL = m.Original(m.read(COMPLETE.read_bytes()))
MOST_STREAMS = 8
NO_CAPTURES = {"packed.pcap", "printed.pcap", "nothing.pcap"}
ODD_OPENINGS = {"half-open.pcap", "two-syn-acks.pcap", "syn-ack-of-nothing.pcap"}
"""Segments and bytes agree there; which SYN+ACK counts tshark's numbers alone do not tell."""
HALF, WHOLE = 1 << 31, 1 << 32


@dataclass(frozen=True)
class Line:
    """One segment as tshark tells it."""

    frame: int
    stream: int
    from_client: bool
    flags: int
    seq: int
    ack: int
    length: int
    payload: bytes


@dataclass
class Facts:
    """What has to agree about one connection."""

    syn: int | None = None
    syn_ack: int | None = None
    resets: list[int] = field(default_factory=list)
    fins: dict[bool, int] = field(default_factory=dict)
    fins_acked: dict[bool, int] = field(default_factory=dict)
    """By whether the client sent the FIN."""


def told(path: Path, streams: int) -> tuple[list[Line], dict[int, tuple[bytes, bytes]]]:
    """Return what one tshark says: all segments, and what "Follow TCP Stream" shows of each stream.

    The second value is the client's bytes and the server's; ``streams`` is how many are asked for.
    """
    command = ["tshark", "-n", "-r", str(path), "-Y", "tcp.port == 4141", "-T", "fields"]
    command += [word for name in FIELDS for word in ("-e", name)]
    command += [word for number in range(streams) for word in ("-z", f"follow,tcp,raw,{number}")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows, *parts = done.stdout.split("\nFollow: tcp,raw\n")
    lines = [line.split("\t") for line in rows.splitlines() if "\t" in line]
    return list(map(_line, lines)), dict(map(_followed, parts))


def _line(row: list[str]) -> Line:
    number, stream, port, flags, seq, ack, length, payload = row
    return Line(
        int(number),
        int(stream),
        port != "4141",
        int(flags, 16),
        int(seq),
        int(ack),
        int(length),
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
    server_first = match[2].endswith(":4141")
    return int(match[1]), (sent[server_first], sent[not server_first])


def facts_of(lines: list[Line]) -> Facts:
    """Return handshake and close, from tshark's numbers alone (RFC 9293 sections 3.5 and 3.6)."""
    facts = Facts()
    ends: dict[bool, int] = {}
    acks: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    for line in lines:
        kind = line.flags & (b.SYN | b.ACK | b.RST)
        if kind == b.SYN and facts.syn is None:
            facts.syn = line.frame
        if kind == b.SYN | b.ACK and facts.syn_ack is None:
            facts.syn_ack = line.frame
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


def facts_seen(connection: Connection) -> Facts:
    sides = ((True, connection.client), (False, connection.server))
    return Facts(
        connection.handshake.syn,
        connection.handshake.syn_ack,
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
    decoder, follower, lines = Decoder(), Follower(4141), []
    for frame in Capture(io.BytesIO(path.read_bytes())):
        packet = decoder.decode(frame)
        if isinstance(packet, Segment) and packet.on_port(4141):
            step = follower.add(packet)
            lines.append(
                Line(
                    packet.frame,
                    step.connection.number,
                    step.from_client,
                    packet.flags,
                    packet.seq,
                    packet.ack,
                    packet.length,
                    packet.payload,
                )
            )
    return lines, {one.number: one for one in follower.finish()}


def agree(path: Path, streams: int = MOST_STREAMS) -> int:
    """Compare everything; returns how many connections were compared."""
    (theirs, shown), (ours, connections) = told(path, streams), follow(path)
    # Streams count all of TCP there, and those on the lab's port alone here.
    numbers = dict(zip(dict.fromkeys(line.stream for line in theirs), connections, strict=True))
    assert [(line.frame, numbers[line.stream]) for line in theirs] == [
        (line.frame, line.stream) for line in ours
    ]
    for their, our in zip(theirs, ours, strict=True):
        assert (their.from_client, their.flags, their.seq) == (our.from_client, our.flags, our.seq)
        assert (their.ack, their.length, their.payload) == (our.ack, our.length, our.payload)
    for stream, number in numbers.items():
        lines = [line for line in theirs if line.stream == stream]
        if path.name not in ODD_OPENINGS:
            assert facts_seen(connections[number]) == facts_of(lines), f"stream {stream}"
        if all(len(line.payload) == line.length for line in lines):
            assert sent(connections[number]) == shown[stream], f"stream {stream}"
    return len(numbers)


CAPTURES = sorted({path.name for path in CORPUS.glob("*.pcap*")} - NO_CAPTURES)


@pytest.mark.parametrize("name", CAPTURES)
def test_the_corpus(name: str) -> None:
    others = ("other-traffic.pcap", "ping.pcap", "cut-before-the-lab.pcap")
    nothing = name in ("header-only.pcap", *others)
    assert (agree(CORPUS / name) == 0) is nothing


def one_file(mutants: list[m.Mutant]) -> bytes:
    """Put all of them into one capture, an hour apart, each with its own client port."""
    return m.write(
        packet.later(number * 3600 * b.SECOND)
        for number, mutant in enumerate(mutants)
        for packet in m.with_client_port(mutant.packets, m.PORT_BASE + number)
    )


@pytest.mark.parametrize("family", [m.harmful, m.harmless])
def test_the_mutants(family: Callable[[m.Original], Iterator[m.Mutant]], tmp_path: Path) -> None:
    mutants = [mutant for mutant in family(ORIGINAL) if mutant.connections == 1]
    assert len(mutants) >= 50
    path = tmp_path / "mutants.pcap"
    path.write_bytes(one_file(mutants))
    assert agree(path, len(mutants)) == len(mutants)


@pytest.mark.parametrize("kind", m.resaved(ORIGINAL))
def test_every_form(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "form.pcap"
    path.write_bytes(m.resaved(ORIGINAL)[kind])
    assert agree(path) == 1
