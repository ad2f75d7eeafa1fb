"""One connection after the other, as TCP has them: repeated, reordered, begun too early."""

import io
from collections.abc import Iterable

from tests.unit.grader import building as b
from upcall_grader.capture.connections import Connection, Follower, Mark, Step
from upcall_grader.capture.packets import Decoder, Segment
from upcall_grader.capture.reading import Capture
from upcall_grader.capture.streams import MAX_EARLY, Piece, Stream
from upcall_grader.judge.connection_summary import ConnectionSummary, summarize_connection


def follow(records: Iterable[bytes | b.Record]) -> tuple[list[Step], list[Connection]]:
    """Return steps and connections of raw IP packets, one millisecond apart."""
    follower, decoder = Follower(4141), Decoder()
    steps = []
    for frame in Capture(io.BytesIO(b.pcap(records, link=101))):
        packet = decoder.decode(frame)
        assert isinstance(packet, Segment)
        steps.append(follower.add(packet))
    return steps, follower.finish()


def sent(connection: Connection) -> tuple[bytes, bytes]:
    client, server = connection.client.stream, connection.server.stream
    return b"".join(p.data for p in client.pieces), b"".join(p.data for p in server.pieces)


def summary(connection: Connection) -> ConnectionSummary:
    return summarize_connection(connection, b.PREFIX)


def test_a_complete_connection() -> None:
    steps, (connection,) = follow(b.lab(b"1"))
    assert connection.handshake.frames == [1, 2, 3]
    assert summary(connection).close_frames == (7, 8, 9)
    assert summary(connection).closed
    assert sent(connection) == (b"1", b.PREFIX + b"1")
    assert [(s.relative_seq, s.relative_ack) for s in steps] == [
        (0, None), (0, 1), (1, 1), (1, 1), (1, 2), (2, 27), (2, 27), (27, 3), (3, 28),
    ]  # fmt: skip
    assert steps[7].marks == Mark.FIN | Mark.ACKS_FIN


def test_four_segments_close_in_order_and_the_server_may_be_first() -> None:
    packets = b.Talk().open().say(b"1").s(b.FIN | b.ACK).c(b.ACK).c(b.FIN | b.ACK).s(b.ACK).packets
    _, (connection,) = follow(packets)
    assert summary(connection).close_frames == (7, 8, 9, 10)
    assert summary(connection).closed
    assert (connection.server.fin, connection.client.fin) == (7, 9)


def test_a_fin_without_acknowledgement_is_no_orderly_close() -> None:
    _, (connection,) = follow(b.lab(b"1")[:-1])
    assert not summary(connection).closed
    assert connection.server.fin == 8
    assert connection.server.fin_acked is None


def test_a_fin_captured_behind_its_acknowledgement_is_acknowledged() -> None:
    packets = b.lab(b"1")
    # The capture begins with the server's FIN, which acknowledges the client's.
    _, (connection,) = follow([packets[7], packets[6], packets[8]])
    assert summary(connection).closed
    assert connection.client.fin_acked == 1


def test_reset_and_refusal() -> None:
    _, (connection,) = follow(b.Talk().open().say(b"1").c(b.RST).packets)
    assert connection.resets == [(7, True)]
    assert not summary(connection).closed
    assert not connection.refused
    # Behind an orderly close it ends nothing.
    _, (connection,) = follow([*b.lab(b"1"), b.tcp(b.CLIENT, b.SERVER, b.RST, 1003)])
    assert connection.resets == [(10, True)]
    assert summary(connection).closed
    _, (connection,) = follow(b.Talk().c(b.SYN).s(b.RST | b.ACK).packets)
    assert connection.refused


def test_what_the_server_sent_besides_a_reset_is_no_refusal() -> None:
    talk = b.Talk().open().say(b"1").s(b.RST).packets
    for left in (talk[:1] + talk[2:3] + talk[-1:], talk[:1] + talk[3:]):
        _, (connection,) = follow(left)
        assert not connection.refused


def test_the_servers_number_is_that_which_the_client_acknowledges() -> None:
    talk = b.Talk().open().say(b"1").close().packets
    for other in (77, 9500, 2**31 + 9000):
        decoy = b.tcp(b.SERVER, b.CLIENT, b.SYN | b.ACK, other, 1001)
        for place, frames in ((1, [1, 3, 4]), (2, [1, 2, 4])):
            steps, (connection,) = follow([*talk[:place], decoy, *talk[place:]])
            assert connection.handshake.frames == frames
            assert sent(connection) == (b"1", b.PREFIX + b"1")
            assert summary(connection).closed
            assert steps[-1].relative_ack == 28


def test_what_acknowledges_another_syn_is_of_an_earlier_connection() -> None:
    talk = b.Talk().open().say(b"1").close().packets
    stale = b.tcp(b.SERVER, b.CLIENT, b.ACK, 5_000_000, 3_000_000_000)
    reset = b.tcp(b.CLIENT, b.SERVER, b.RST, 3_000_000_000)
    _, (connection,) = follow([talk[0], stale, reset, *talk])
    assert connection.resets == []
    assert connection.handshake.frames == [1, 5, 6]
    assert summary(connection).closed
    # Any other reset of the client's ends its own connection.
    _, (connection,) = follow([talk[0], stale, b.tcp(b.CLIENT, b.SERVER, b.RST, 1001)])
    assert connection.resets == [(3, True)]


def test_a_syn_ack_of_more_than_the_syn_opens_nothing() -> None:
    syn_ack = b.tcp(b.SERVER, b.CLIENT, b.SYN | b.ACK, 9000, 1002)
    packets = b.lab(b"1")
    packets[1] = syn_ack
    _, (connection,) = follow(packets)
    assert connection.handshake.frames == [1]
    # Unless the SYN carried so much (RFC 9293 section 3.1 does not forbid it).
    _, (connection,) = follow([b.tcp(b.CLIENT, b.SERVER, b.SYN, 1000, 0, b"x"), syn_ack])
    assert connection.handshake.frames == [1, 2]


def test_data_behind_its_acknowledgement_may_be_the_first_of_the_capture() -> None:
    message, upcall, *rest = b.Talk().say(b"1", b"2").packets
    ack = b.tcp(b.SERVER, b.CLIENT, b.ACK, 9000, 1001)
    _, (connection,) = follow([ack, message, upcall, *rest])
    assert sent(connection) == (b"12", b.PREFIX + b"1" + b.PREFIX + b"2")
    assert summary(connection).answered_messages == 2
    # A keep-alive there is none the less one.
    probe = b.tcp(b.CLIENT, b.SERVER, b.ACK, 1000, 9000, b"\0")
    steps, _ = follow([ack, probe])
    assert steps[1].marks == Mark.KEEP_ALIVE


def test_numbers_wrap_around() -> None:
    talk = b.Talk(client_seq=2**32 - 2, server_seq=2**32 - 30).open().say(b"123", b"4").close()
    _, (connection,) = follow(talk.packets)
    assert sent(connection) == (b"1234", b.PREFIX + b"123" + b.PREFIX + b"4")
    assert summary(connection).closed


def test_a_retransmission_adds_nothing_and_names_its_frame() -> None:
    packets = b.lab(b"1")
    again = b.tcp(b.CLIENT, b.SERVER, b.PSH | b.ACK, 1001, 9001, b"1", ident=99)
    steps, (connection,) = follow([*packets[:4], again, *packets[4:]])
    assert steps[4].marks == Mark.RETRANSMISSION
    assert steps[4].repeats == 4
    assert sent(connection)[0] == b"1"


def test_an_overlapping_retransmission_adds_only_what_is_new() -> None:
    packets = b.Talk().open().c(b.PSH | b.ACK, b"abc").packets
    longer = b.tcp(b.CLIENT, b.SERVER, b.PSH | b.ACK, 1002, 9001, b"bcde", ident=99)
    steps, (connection,) = follow([*packets, longer])
    assert Mark.DATA in steps[-1].marks
    assert sent(connection)[0] == b"abcde"


def test_reordered_segments_come_in_order() -> None:
    packets = (
        b.Talk().open().c(b.PSH | b.ACK, b"a").c(b.PSH | b.ACK, b"b").c(b.PSH | b.ACK, b"c").packets
    )
    steps, (connection,) = follow([*packets[:3], packets[5], packets[4], packets[3]])
    assert sent(connection)[0] == b"abc"
    assert Mark.BEHIND_GAP in steps[3].marks
    assert Mark.OUT_OF_ORDER in steps[5].marks
    assert [piece.frame for piece in connection.client.stream.pieces] == [6, 5, 4]
    again = b.tcp(b.CLIENT, b.SERVER, b.PSH | b.ACK, 1002, 9001, b"b", ident=99)
    after = b.tcp(b.CLIENT, b.SERVER, b.PSH | b.ACK, 1004, 9001, b"d", ident=100)
    steps, _ = follow([*packets[:3], packets[5], packets[4], packets[3], again, after])
    assert (steps[6].marks, steps[6].repeats) == (Mark.RETRANSMISSION, 5)
    assert steps[7].marks == Mark.DATA


def test_a_lost_segment_leaves_a_gap() -> None:
    packets = (
        b.Talk().open().c(b.PSH | b.ACK, b"a").c(b.PSH | b.ACK, b"b").c(b.PSH | b.ACK, b"c").packets
    )
    _, (connection,) = follow([*packets[:4], packets[5]])
    assert [(p.start, p.data) for p in connection.client.stream.pieces] == [(0, b"a"), (2, b"c")]


def test_early_segments_are_not_kept_for_ever() -> None:
    stream = Stream()
    for n in range(3000):
        stream.add(Piece(10 + 2 * n, 1, b"x", n, push=False))
    assert len(stream.pieces) == 3000 - MAX_EARLY
    stream.finish()
    assert len(stream.pieces) == 3000


def test_a_keep_alive_is_no_message() -> None:
    packets = b.Talk().open().say(b"1").packets
    probe = b.tcp(b.CLIENT, b.SERVER, b.ACK, 1001, 9027, ident=99)
    steps, _ = follow([*packets, probe])
    assert steps[-1].marks == Mark.KEEP_ALIVE


def test_data_that_a_snap_length_cut_off_is_not_the_ack_before_it() -> None:
    opening = b.Talk().open().packets
    data = b.tcp(b.CLIENT, b.SERVER, b.ACK, 1001, 9001, b"x" * 92, 3)
    steps, _ = follow([*opening, b.Record(data[:40], original=len(data))])
    assert steps[2].segment.payload == steps[3].segment.payload == b""
    assert steps[3].marks == Mark.DATA


def test_the_same_packet_on_two_interfaces_counts_once() -> None:
    packets = b.lab(b"1")
    doubled = [
        b.Record(packet, b.START + n * b.SECOND + extra)
        for n, packet in enumerate(packets)
        for extra in (0, 20_000)
    ]
    steps, (connection,) = follow(doubled)
    assert [step.marks == Mark.SEEN_TWICE for step in steps] == [False, True] * 9
    assert [step.repeats for step in steps[1::2]] == list(range(1, 19, 2))
    assert connection.handshake.frames == [1, 3, 5]
    assert summary(connection).close_frames == (13, 15, 17)


def test_the_same_bytes_much_later_are_a_retransmission() -> None:
    packets = b.Talk(b.CLIENT6, b.SERVER6).open().c(b.PSH | b.ACK, b"1").packets
    late = b.Record(packets[3], b.START + b.SECOND)
    steps, _ = follow([*packets, late])
    assert steps[-1].marks == Mark.RETRANSMISSION


def test_begun_before_the_capture() -> None:
    steps, (connection,) = follow(b.lab(b"1")[4:])
    assert connection.handshake.frames == []
    assert str(connection.client) == "10.0.0.3:53426"
    assert (steps[0].relative_seq, steps[0].relative_ack, steps[0].from_client) == (1, 1, False)
    assert sent(connection) == (b"", b.PREFIX + b"1")


def test_a_reused_port_is_a_new_connection() -> None:
    second = b.Talk(client_seq=500_000, server_seq=70_000).open().say(b"2").close()
    _, connections = follow([*b.lab(b"1"), *second.packets])
    assert [sent(connection)[0] for connection in connections] == [b"1", b"2"]
    assert [connection.number for connection in connections] == [1, 2]


def test_an_answer_to_another_number_is_no_handshake() -> None:
    packets = b.lab(b"1")
    wrong = b.tcp(b.CLIENT, b.SERVER, b.ACK, 1001, 9000, ident=99)
    _, (connection,) = follow([*packets[:2], wrong])
    assert connection.handshake.frames == [1, 2]
