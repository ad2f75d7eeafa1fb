"""The summary of an ordinary capture, several times as fast: the same result, or none.

It reads pcap files of Ethernet. A frame with a whole IPv4 TCP segment is read here; any other goes
through ``Decoder``. Connections are told apart and let go as by ``Follower``; one that is ordinary
(``ordinary``) is read at once when it ends, and any other is followed by a ``Follower`` of its own
(``flow``). Where a result could differ from ``summarize_capture``'s, there is none: a damaged file,
lab traffic in another form than plain IPv4, more that is open or kept than ``Follower`` would keep.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from struct import Struct

from upcall_grader.capture import connections
from upcall_grader.capture.connections import Endpoint
from upcall_grader.capture.frames import LINK_ETHERNET, MAX_CAPTURED, NANOSECONDS, Frame
from upcall_grader.capture.limits import NO_LIMITS, Limits
from upcall_grader.capture.packets import ACK, SYN, Decoder, Segment, tcp_name
from upcall_grader.judge.capture_summary import (
    MAX_FRAMES,
    CaptureSummary,
    Rank,
    SummaryBuilder,
    is_lab,
)
from upcall_grader.judge.fast.flow import PLAIN, Flow, UnsureError
from upcall_grader.judge.fast.raw_segment import RawSegment
from upcall_grader.judge.packet_fingerprints import COUNTED
from upcall_grader.lab import Lab

TICKS = {b"\xd4\xc3\xb2\xa1": 1000, b"\x4d\x3c\xb2\xa1": 1}
"""How the pcap files begin that are read here, and nanoseconds of their times' unit: those that
machines write whose numbers begin with the lowest byte (draft-ietf-opsawg-pcap section 4). A test
holds them and both headers to ``formats``, which has them all."""
FILE_HEADER, RECORD_HEADER = Struct("<IHHIIII"), Struct("<IIII")
_FIRST, _CHUNK, _WAITING = 1 << 13, 1 << 17, 1 << 20
"""Bytes that are read at first and later on, and that wait at most for the rest of their record.
Room for much more than there is takes longer to get than a small capture to judge."""
# EtherType with IP's version and header length; IP's total length, fragment, protocol; TCP's
# numbers, header length and flags.
_HEADERS = Struct(">12x3sxH2xHxB14xIIH")
_IPV4, _TCP, _FRAGMENT = b"\x08\x00\x45", 6, 0x3FFF
_PORTS = Struct(">HH")
_ENDS = slice(26, 38)
_TO_IP, _TO_TCP, _TO_DATA = 14, 34, 54
_LARGEST = 1600
"""Bytes; a larger frame is none of a lab on Ethernet. So the number of packets tells how many bytes
they are at most."""


Read = Callable[[int], bytes]
"""Gives a file's next bytes, at most so many; b"" at its end."""


def summarize_file(
    descriptor: int, lab: Lab, rank: Rank, limits: Limits = NO_LIMITS
) -> CaptureSummary | None:
    """Return what ``summarize_capture`` gives of an open file, or None."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    read = partial(os.read, descriptor)
    start = read(_FIRST)
    tick = TICKS.get(start[:4])
    if tick is None or len(start) < FILE_HEADER.size:
        return None
    _, major, _, _, _, _, link_type = FILE_HEADER.unpack_from(start)
    if major != 2 or link_type & 0xFFFF != LINK_ETHERNET:
        return None
    try:
        return _Reader(lab, rank, tick, limits).read(start, FILE_HEADER.size, read)
    except UnsureError:
        return None


class _Reader:
    def __init__(self, lab: Lab, rank: Rank, tick: int, limits: Limits) -> None:
        self._summary = CaptureSummary()
        self._builder = SummaryBuilder(self._summary, lab, rank)
        self._lab = lab
        self._tick = tick
        self._limits = limits
        self._decoder = Decoder()
        # By the ends as they stand in a packet, so each connection is there twice.
        self._open: dict[bytes, Flow] = {}
        self._followed: dict[int, Flow] = {}
        self._ended: dict[int, Flow] = {}
        self._let_go = 0
        self._number = 0

    def read(self, data: bytes, at: int, read: Read) -> CaptureSummary:
        """Read all records, the first of which begins at ``at`` in ``data``."""
        more, size = data, len(data)
        while more:
            at = self._walk(data, at)
            self._check_kept()
            if size > self._limits.size or self._summary.packets > self._limits.packets:
                raise UnsureError
            if len(data) - at > _WAITING:
                raise UnsureError
            # Less than was asked for: only the end is left.
            more = read(_FIRST if len(more) < _FIRST else _CHUNK)
            data, at, size = data[at:] + more, 0, size + len(more)
        if data:
            raise UnsureError
        for flow in self._followed.values():
            self._gather(flow)
        self._builder.finish()
        return self._summary

    def _walk(self, data: bytes, at: int) -> int:
        """Read all whole records from ``at`` on; return where the rest begins."""
        record, headers = RECORD_HEADER.unpack_from, _HEADERS.unpack_from
        tick, flows, plain = self._tick, self._open, PLAIN
        summary, add_fingerprint = self._summary, self._summary.fingerprints.add
        size = len(data)
        last = size - RECORD_HEADER.size
        frame, time_ns, segments = summary.packets, summary.last_time, summary.segments
        while at <= last:
            seconds, fraction, captured, original = record(data, at)
            begin = at + RECORD_HEADER.size
            if begin + captured > size:
                break
            at = begin + captured
            frame += 1
            time_ns = seconds * NANOSECONDS + fraction * tick
            packet = data[begin:at]
            if not _TO_DATA <= captured <= _LARGEST:
                self._decode(Frame(frame, time_ns, LINK_ETHERNET, packet, max(original, captured)))
                continue
            kind, total, fragment, protocol, seq, ack, flags = headers(packet)
            start, end = _TO_TCP + (flags >> 12 << 2), _TO_IP + total
            if (
                kind != _IPV4
                or protocol != _TCP
                or fragment & _FRAGMENT
                or not _TO_DATA <= start <= end <= captured >= original
            ):
                self._decode(Frame(frame, time_ns, LINK_ETHERNET, packet, max(original, captured)))
                continue
            ends = packet[_ENDS]
            flow = flows.get(ends)
            if flow is None:
                if not self._is_lab(packet):
                    continue
                flow = self._begin(ends)
            flags &= 0x1FF
            segments += 1
            if segments <= MAX_FRAMES:
                summary.lab_frames.append(frame)
            if start < end or flags & COUNTED:
                add_fingerprint(seq, ack, flags, end - start, frame)
            segment = RawSegment(
                frame, time_ns, ends == flow.ends, seq, ack, flags, packet, start, end
            )
            if flow.special or flags not in plain:
                self._special(flow, segment)
            else:
                flow.segments.append(segment)
        summary.packets, summary.last_time, summary.segments = frame, time_ns, segments
        return at

    def _decode(self, frame: Frame) -> None:
        """Note a frame that is not read here."""
        if len(frame.data) > MAX_CAPTURED or not (frame.data or frame.time_ns):
            raise UnsureError
        packet = self._decoder.decode(frame)
        if not isinstance(packet, Segment):
            self._summary.other(packet.protocol)
        elif is_lab(packet, self._lab):
            raise UnsureError
        else:
            self._summary.other(tcp_name(packet.source_port, packet.destination_port))

    def _is_lab(self, packet: bytes) -> bool:
        """Return whether a segment is the lab's; if not, note its protocol."""
        (source, source_port), (destination, destination_port) = _both(packet[_ENDS])
        port, address = self._lab.port, self._lab.address
        if port in (source_port, destination_port) and (
            address is None
            or (address, port) in ((source, source_port), (destination, destination_port))
        ):
            return True
        self._summary.other(tcp_name(source_port, destination_port))
        return False

    def _special(self, flow: Flow, segment: RawSegment) -> None:
        """Add a segment that may begin or end a connection, or that is not ordinary."""
        if segment.flags & (SYN | ACK) == SYN and flow.count:
            # Between known ends: again, or another connection.
            ends = segment.packet[_ENDS]
            source, _ = _both(ends)
            if flow.base(source, self._lab) not in (None, segment.seq):
                flow = self._begin(ends)
                segment = segment._replace(forward=True)
        flow.add(segment, self._lab)
        if flow.ended:
            self._end(flow)

    def _begin(self, ends: bytes) -> Flow:
        self._number += 1
        flow = Flow(self._number, ends)
        self._followed[flow.number] = self._open[ends] = self._open[_turned(ends)] = flow
        if len(self._followed) > connections.MAX_OPEN:
            raise UnsureError
        return flow

    def _end(self, flow: Flow) -> None:
        """Let those go that ended first, as more of them end."""
        self._ended.setdefault(flow.number, flow)
        if len(self._ended) <= connections.LINGERING:
            return
        self._check_kept()
        first = self._ended.pop(next(iter(self._ended)))
        del self._followed[first.number]
        for ends in (first.ends, _turned(first.ends)):
            if self._open.get(ends) is first:
                del self._open[ends]
        self._let_go += first.count
        self._gather(first)

    def _gather(self, flow: Flow) -> None:
        self._builder.take(flow.finish(self._lab))

    def _check_kept(self) -> None:
        """Raise UnsureError unless a Follower would surely keep all that is kept here."""
        kept = (self._summary.segments - self._let_go) * (connections.SEGMENT_COST + _LARGEST)
        if kept + len(self._followed) * connections.COST > connections.MAX_KEPT:
            raise UnsureError


def _both(ends: bytes) -> tuple[Endpoint, Endpoint]:
    """Return source and destination out of a packet's addresses and ports."""
    source_port, destination_port = _PORTS.unpack_from(ends, 8)
    return (ends[:4], source_port), (ends[4:8], destination_port)


def _turned(ends: bytes) -> bytes:
    """Return the same ends as they stand in a packet of the other direction."""
    return ends[4:8] + ends[:4] + ends[10:] + ends[8:10]
