"""TCP connections followed segment by segment: handshake, bytes in order, close.

Relative numbers are those that Wireshark shows: they count from the initial sequence number, or,
where the SYN was not captured, from one below the first number seen.

Source: RFC 9293 (3.4 sequence numbers, 3.5 opening, 3.6 closing, 3.8.1 retransmission, 3.8.4
keep-alives).
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from upcall_grader.capture.packets import ACK, FIN, PSH, RST, SYN, Segment, endpoint_text
from upcall_grader.capture.streams import Arrival, Piece, Stream
from upcall_grader.pythons import SLOTS

SEEN_TWICE_NS = 100_000_000
"""Two identical packets closer than this (nanoseconds) are one packet met on two interfaces: the
shortest
retransmission time-out that is in use is 200 ms."""
MAX_KEPT = 16 * 1024 * 1024
"""About so many bytes are kept for all connections together, if they can be let go."""
MAX_OPEN = 1024
"""So many connections that have not ended are followed at the same time, if they can be let go."""
LINGERING = 64
"""So many ended connections are still followed: a retransmission or a reset may come behind."""
COST, SEGMENT_COST = 4096, 512
"""Bytes: what a connection takes, and what a segment takes besides its payload."""
_REMEMBERED = 32
_HALF, _WHOLE = 1 << 31, 1 << 32
_NEAR = 1 << 20
"""Sequence numbers that are farther apart are not of the same few segments."""

Endpoint = tuple[bytes, int]
"""Packed address and port."""


class Mark(enum.Flag):
    """What a segment is in its connection; several may hold."""

    NONE = 0
    SYN = enum.auto()
    SYN_ACK = enum.auto()
    HANDSHAKE_ACK = enum.auto()
    DATA = enum.auto()
    FIN = enum.auto()
    ACKS_FIN = enum.auto()
    RESET = enum.auto()
    RETRANSMISSION = enum.auto()
    SEEN_TWICE = enum.auto()
    BEHIND_GAP = enum.auto()
    OUT_OF_ORDER = enum.auto()
    KEEP_ALIVE = enum.auto()


@dataclass(**SLOTS)
class Handshake:
    """Frames of the three-way handshake (RFC 9293 section 3.5); None: not in the capture."""

    syn: int | None = None
    syn_ack: int | None = None
    ack: int | None = None

    @property
    def frames(self) -> list[int]:
        """Those that are there, in the order of the handshake."""
        return [frame for frame in (self.syn, self.syn_ack, self.ack) if frame is not None]

    @property
    def complete(self) -> bool:
        """All three segments are in the capture."""
        return None not in (self.syn, self.syn_ack, self.ack)


@dataclass(**SLOTS)
class Side:
    """One direction of a connection.

    ``base`` is the initial sequence number, ``fin_offset`` the place of the FIN in the stream,
    ``acked`` how far the other side has acknowledged this one's stream, as an offset, and in which
    frame; ``reached`` is the highest offset at which this side itself sent anything.
    """

    endpoint: Endpoint
    base: int | None = None
    stream: Stream = field(default_factory=Stream)
    fin: int | None = None
    fin_acked: int | None = None
    fin_offset: int = 0
    acked: int = 0
    acked_in: int | None = None
    reached: int = 0
    recent: deque[tuple[int | None, tuple[object, ...], int]] = field(
        default_factory=lambda: deque(maxlen=_REMEMBERED)
    )

    def __str__(self) -> str:
        """Return ``address:port``."""
        return endpoint_text(*self.endpoint)

    @property
    def sent(self) -> int:
        """Count the bytes it sent at least: up to its FIN, or as later numbers of both sides tell.

        A FIN that was not captured counts as a byte.
        """
        return max(self.acked, self.reached) if self.fin is None else self.fin_offset

    def offset(self, number: int) -> int:
        """Return a sequence number's offset in this side's stream; the numbers wrap at 2**32."""
        expected = self.stream.next
        distance = (number - (self.base or 0) - 1 - expected) % _WHOLE
        return expected + (distance - _WHOLE if distance >= _HALF else distance)

    def rebase(self, base: int) -> None:
        """Count from another initial sequence number: the one so far was none, or not proved."""
        by = ((self.base or 0) - base) % _WHOLE
        self.base = base
        if by >= _NEAR:
            # What came with such numbers was of another connection.
            self.stream, self.reached, self.acked, self.acked_in = Stream(), 0, 0, None
            self.fin = self.fin_acked = None
            return
        self.stream, self.reached = self.stream.moved(by), self.reached + by
        self.acked += by if self.acked_in is not None else 0
        self.fin_offset += by


@dataclass(**SLOTS)
class Connection:
    """One connection between a client and the server.

    ``number`` counts from 1 in the file; ``first`` and ``last`` are its first and last segment;
    ``cost`` is about the memory that it takes, in bytes.
    """

    number: int
    client: Side
    server: Side
    first: Segment
    last: Segment
    cost: int = COST
    handshake: Handshake = field(default_factory=Handshake)
    resets: list[tuple[int, bool]] = field(default_factory=list)
    """Frames with RST, and whether the client sent it."""
    syn_length: int = 0
    """Bytes that the SYN carried."""
    conversed: bool = False
    """Anything but resets came from the server, or the client acknowledged it."""
    stale_ack: int | None = None
    """What the server acknowledged last of a connection that the client does not know."""
    other_syn_ack: tuple[int, int] | None = None
    """Initial sequence number and frame of a second SYN+ACK with another number."""
    settled: bool = False
    """The client acknowledged such a one: no later one is believed."""

    @property
    def ended(self) -> bool:
        """Both sides' FINs are acknowledged, or somebody reset."""
        both = self.client.fin_acked is not None and self.server.fin_acked is not None
        return both or bool(self.resets)

    def finish(self) -> None:
        """Put what is behind gaps in its place, since nothing more will come."""
        self.client.stream.finish()
        self.server.stream.finish()

    @property
    def refused(self) -> bool:
        """The server answered the SYN with RST and nothing else: nothing listened on its port.

        Source: RFC 9293 section 3.10.7.1.
        """
        return (
            self.handshake.syn_ack is None
            and self.handshake.syn is not None
            and not self.conversed
            and any(not by_client for _, by_client in self.resets)
        )


@dataclass(**SLOTS)
class Step:
    """One segment in its connection.

    ``relative_ack`` is None without the ACK flag. ``repeats`` is the earlier frame that a repeated
    segment repeats.
    """

    segment: Segment
    connection: Connection
    from_client: bool
    relative_seq: int
    relative_ack: int | None
    marks: Mark
    repeats: int | None = None


class Follower:
    """Follows all connections of a capture that use ``server_port``.

    Feed it the segments in file order, then call ``finish``. With ``let_go`` a connection is given
    to that function and forgotten soon after it ended, and an old one that has not ended when there
    are too many, so that memory does not grow with the capture; ``finish`` gives those that remain.
    Without, ``finish`` gives all of them.
    """

    def __init__(
        self, server_port: int, let_go: Callable[[Connection], None] | None = None
    ) -> None:
        self._port = server_port
        self._let_go = let_go
        self._open: dict[tuple[Endpoint, Endpoint], Connection] = {}
        self._followed: dict[int, Connection] = {}
        self._ended: dict[int, Connection] = {}
        self._kept = 0
        self._number = 0

    def add(self, segment: Segment) -> Step:
        """Put a segment into its connection and say what it is there."""
        connection, from_client = self._connection(segment)
        sender, receiver = connection.client, connection.server
        if not from_client:
            sender, receiver = receiver, sender
        aside = _is_aside(segment, connection, from_client)
        if not aside:
            _set_bases(segment, sender, receiver)
        step = Step(
            segment=segment,
            connection=connection,
            from_client=from_client,
            relative_seq=(segment.seq - (sender.base or 0)) % _WHOLE,
            relative_ack=None,
            marks=Mark.NONE,
        )
        if segment.flags & ACK:
            step.relative_ack = (segment.ack - (receiver.base or 0)) % _WHOLE
        if aside:
            return step
        twin = _twin(segment, sender)
        if twin is not None:
            step.marks, step.repeats = Mark.SEEN_TWICE, twin
            return step
        _opening(step, receiver)
        _content(step, sender, receiver)
        _closing(step, sender, receiver)
        if self._let_go is not None:
            self._account(connection, segment)
        return step

    def finish(self) -> list[Connection]:
        """Return the connections that are left, with what lies behind gaps put in place."""
        left = list(self._followed.values())
        for connection in left:
            connection.finish()
        return left

    def _account(self, connection: Connection, segment: Segment) -> None:
        cost = SEGMENT_COST + len(segment.payload)
        connection.cost += cost
        self._kept += cost
        if connection.ended:
            self._ended.setdefault(connection.number, connection)
        while (
            len(self._ended) > LINGERING
            or len(self._followed) > MAX_OPEN
            or (self._kept > MAX_KEPT and len(self._followed) > 1)
        ):
            # Those that ended go first; of the others the one that began first.
            self._forget(next(iter((self._ended or self._followed).values())))

    def _forget(self, connection: Connection) -> None:
        del self._followed[connection.number]
        self._ended.pop(connection.number, None)
        self._kept -= connection.cost
        key = _key(connection.client.endpoint, connection.server.endpoint)
        if self._open.get(key) is connection:
            del self._open[key]
        connection.finish()
        if self._let_go is not None:
            self._let_go(connection)

    def _connection(self, segment: Segment) -> tuple[Connection, bool]:
        source = (segment.source, segment.source_port)
        destination = (segment.destination, segment.destination_port)
        key = _key(source, destination)
        known = self._open.get(key)
        opens = segment.flags & (SYN | ACK) == SYN
        if known is not None:
            from_client = known.client.endpoint == source
            sender = known.client if from_client else known.server
            if not opens or sender.base in (None, segment.seq):
                known.last = segment
                return known, from_client
        from_client = opens or (segment.flags & SYN == 0 and segment.destination_port == self._port)
        client, server = (source, destination) if from_client else (destination, source)
        self._number += 1
        connection = Connection(self._number, Side(client), Side(server), segment, segment)
        self._open[key] = self._followed[self._number] = connection
        self._kept += connection.cost
        return connection, from_client


def _key(first: Endpoint, second: Endpoint) -> tuple[Endpoint, Endpoint]:
    """Return a key that is the same for both directions."""
    return (first, second) if first <= second else (second, first)


def _is_aside(segment: Segment, connection: Connection, from_client: bool) -> bool:
    """Return whether a segment has no part in its connection; learn the server's number.

    The server's initial sequence number is that of the SYN+ACK which the client acknowledges. What
    acknowledges something else than the client's SYN is of an earlier connection (RFC 9293 sections
    3.5.1 and 3.10.7.3).
    """
    handshake, client, server = connection.handshake, connection.client, connection.server
    kind = segment.flags & (SYN | ACK | RST)
    if from_client:
        other = connection.other_syn_ack
        if kind == ACK and other is not None and handshake.ack is None:
            if segment.ack == (other[0] + 1) % _WHOLE and not connection.settled:
                server.rebase(other[0])
                handshake.syn_ack = other[1]
                connection.settled = True
            connection.other_syn_ack = None
        connection.conversed |= kind == ACK
        return False
    if not segment.flags & ACK or kind & RST:
        return False
    if handshake.syn is not None and handshake.syn_ack is None and client.base is not None:
        acked = (segment.ack - client.base - 1) % _WHOLE
        if acked > connection.syn_length if kind & SYN else acked >= _NEAR:
            connection.stale_ack = segment.ack
            return True
    connection.conversed = True
    if kind & SYN and server.base not in (None, segment.seq):
        if handshake.syn_ack is not None:
            connection.other_syn_ack = (segment.seq, segment.frame)
            return True
        server.rebase(segment.seq)
    return False


def _set_bases(segment: Segment, sender: Side, receiver: Side) -> None:
    if sender.base is None:
        sender.base = (segment.seq - (0 if segment.flags & SYN else 1)) % _WHOLE
    if receiver.base is None and segment.flags & ACK:
        receiver.base = (segment.ack - 1) % _WHOLE


def _twin(segment: Segment, sender: Side) -> int | None:
    """Return the frame of the same packet on another interface (``-i any``), or None.

    A retransmission is another packet: a new IP identification or at least a later time.
    """
    same = (
        segment.ip_id,
        segment.seq,
        segment.ack,
        segment.flags,
        segment.window,
        segment.options,
        segment.payload,
        # A snap length may have cut the data off.
        segment.length,
    )
    for time_ns, earlier, frame in sender.recent:
        if earlier == same and _close_in_time(time_ns, segment.time_ns):
            return frame
    sender.recent.append((segment.time_ns, same, segment.frame))
    return None


def _close_in_time(first: int | None, second: int | None) -> bool:
    return first is not None and second is not None and abs(second - first) < SEEN_TWICE_NS


def _opening(step: Step, receiver: Side) -> None:
    segment, handshake = step.segment, step.connection.handshake
    kind = segment.flags & (SYN | ACK | RST)
    if kind == SYN:
        _first_or_again(step, handshake.syn, Mark.SYN)
        handshake.syn = handshake.syn or segment.frame
        step.connection.syn_length = max(step.connection.syn_length, segment.length)
    elif kind == SYN | ACK:
        _first_or_again(step, handshake.syn_ack, Mark.SYN_ACK)
        handshake.syn_ack = handshake.syn_ack or segment.frame
    elif kind == ACK and step.from_client and handshake.ack is None:
        # The third segment may carry data or even the FIN; what counts is that it acknowledges the
        # SYN.
        answered = handshake.syn_ack is not None and receiver.offset(segment.ack) >= 0
        if answered and step.relative_seq >= 1:
            step.marks |= Mark.HANDSHAKE_ACK
            handshake.ack = segment.frame


def _first_or_again(step: Step, earlier: int | None, mark: Mark) -> None:
    step.marks |= mark
    if earlier is not None:
        step.marks |= Mark.RETRANSMISSION
        step.repeats = earlier


def _content(step: Step, sender: Side, receiver: Side) -> None:
    segment = step.segment
    if segment.flags & RST or sender.base is None:
        return
    start = sender.offset(segment.seq + (1 if segment.flags & SYN else 0))
    sender.reached = max(sender.reached, start)
    plain = not segment.flags & (SYN | FIN)
    if -_NEAR < start < 0 and _is_late_first(step, sender, receiver):
        sender.stream.begin(start)
    if plain and segment.length <= 1 and start == sender.stream.next - 1:
        # One octet below what comes next, or none: a keep-alive, unless it is the last octet sent
        # again.
        known = sender.stream.frame_at(start)
        if segment.length == 0 or segment.payload == b"\0" or known is None:
            step.marks |= Mark.KEEP_ALIVE
            return
    if segment.length == 0:
        return
    acked = receiver.offset(segment.ack) if segment.flags & ACK else 0
    push = bool(segment.flags & PSH)
    piece = Piece(start, segment.length, segment.payload, segment.frame, push, acked)
    repeated = sender.stream.frame_at(start)
    arrival = sender.stream.add(piece)
    if arrival is Arrival.OLD:
        step.marks |= Mark.RETRANSMISSION
        step.repeats = repeated
        return
    step.marks |= Mark.DATA
    if arrival is Arrival.BEHIND_GAP:
        step.marks |= Mark.BEHIND_GAP
    elif arrival is Arrival.LATE:
        step.marks |= Mark.OUT_OF_ORDER


def _is_late_first(step: Step, sender: Side, receiver: Side) -> bool:
    """Return whether data that was acknowledged before it came is the first in the capture."""
    handshake, segment = step.connection.handshake, step.segment
    begun = handshake.syn is not None or handshake.syn_ack is not None
    # Keep-alives carry no octet, or one that is 0.
    carries = segment.length > 0 and segment.payload != b"\0"
    return carries and not begun and sender.stream.empty and receiver.stream.empty


def _closing(step: Step, sender: Side, receiver: Side) -> None:
    segment = step.segment
    if segment.flags & RST:
        step.marks |= Mark.RESET
        connection = step.connection
        stale = step.from_client and segment.seq == connection.stale_ack
        if not stale or connection.handshake.syn_ack is not None:
            connection.resets.append((segment.frame, step.from_client))
        return
    if segment.flags & FIN:
        if sender.fin is None:
            step.marks |= Mark.FIN
            sender.fin = segment.frame
            sender.fin_offset = sender.offset(segment.seq) + segment.length
            if sender.acked > sender.fin_offset:
                sender.fin_acked = sender.acked_in
        else:
            step.marks |= Mark.RETRANSMISSION
            step.repeats = sender.fin
    if segment.flags & ACK:
        acked = receiver.offset(segment.ack)
        if acked > receiver.acked or receiver.acked_in is None:
            receiver.acked, receiver.acked_in = acked, segment.frame
        if receiver.fin is not None and receiver.fin_acked is None and acked > receiver.fin_offset:
            receiver.fin_acked = segment.frame
            step.marks |= Mark.ACKS_FIN
