"""Messages and their upcalls, whatever segments they came in."""

from tests.unit.grader import building as b
from tests.unit.grader.test_connections import follow
from upcall_grader.capture.dialogue import Answer, Dialogue, read_dialogue

DATA = b.PSH | b.ACK
P = b.PREFIX


def dialogue(packets: list[bytes]) -> Dialogue:
    _, (connection,) = follow(packets)
    return read_dialogue(connection, P)


def told(packets: list[bytes]) -> list[tuple[bytes | None, bytes | None, Answer]]:
    return [(e.message, e.upcall, e.answer) for e in dialogue(packets).exchanges]


def test_each_message_has_its_upcall_and_frames() -> None:
    first, second = dialogue(b.lab(b"1", b"two")).exchanges
    assert (first.message, first.message_frames) == (b"1", (4,))
    assert (first.upcall, first.upcall_frames) == (P + b"1", (5,))
    assert (second.message, second.message_frames, second.upcall_frames) == (b"two", (7,), (8,))
    assert (first.answer, second.answer) == (Answer.YES, Answer.YES)


def test_several_in_one_segment() -> None:
    talk = b.Talk().open().c(DATA, b"12").s(DATA, P + b"1" + P + b"2")
    assert told(talk.packets) == [
        (b"1", P + b"1", Answer.YES),
        (b"2", P + b"2", Answer.YES),
    ]


def test_one_in_several_segments() -> None:
    talk = b.Talk().open().c(b.ACK, b"hel").c(DATA, b"lo").s(b.ACK, P[:9]).s(DATA, P[9:] + b"hello")
    (exchange,) = dialogue(talk.packets).exchanges
    assert (exchange.message, exchange.upcall) == (b"hello", P + b"hello")
    assert (exchange.message_frames, exchange.upcall_frames) == ((4, 5), (6, 7))
    assert exchange.answer is Answer.YES


def test_a_message_may_hold_the_prefix() -> None:
    for message in (P + b"1", b"a" + P + b"b", P):
        talk = b.Talk().open().say(b"first", message, b"next")
        assert told(talk.packets) == [
            (b"first", P + b"first", Answer.YES),
            (message, P + message, Answer.YES),
            (b"next", P + b"next", Answer.YES),
        ]


def test_an_upcall_answers_only_what_its_sender_had() -> None:
    early = b.Talk().open().s(DATA, P + b"1").c(DATA, b"1").say(b"2").packets
    assert told(early) == [(b"1", P + b"1", Answer.UNKNOWN), (b"2", P + b"2", Answer.YES)]
    # Swapped where it was captured: the upcall acknowledges the message.
    first, second = b.lab(b"1")[3:5]
    swapped = [*b.lab(b"1")[:3], second, first]
    assert told(swapped) == [(b"1", P + b"1", Answer.YES)]
    half = b.Talk().open().c(b.ACK, b"h").s(DATA, P + b"hi").c(DATA, b"i")
    assert told(half.packets) == [(b"hi", P + b"hi", Answer.UNKNOWN)]


def test_wrong_missing_and_unasked_upcalls() -> None:
    talk = b.Talk().open().c(DATA, b"1").s(DATA, P + b"2").c(DATA, b"3")
    assert told(talk.packets) == [(b"1", P + b"2", Answer.WRONG), (b"3", None, Answer.NONE)]
    talk = b.Talk().open().s(DATA, P + b"1")
    assert told(talk.packets) == [(None, P + b"1", Answer.WRONG)]
    result = dialogue(b.Talk().open().c(DATA, b"1").s(DATA, b"Hello 1").packets)
    assert result.strays == ((b"Hello 1", (5,)),)
    assert result.exchanges[0].answer is Answer.NONE


def test_what_the_capture_lost_is_not_observable() -> None:
    packets = b.Talk().open().say(b"1", b"2", b"3").packets
    without_upcall = [*packets[:4], *packets[5:]]
    assert told(without_upcall) == [
        (b"1", None, Answer.UNKNOWN),
        (b"2", P + b"2", Answer.YES),
        (b"3", P + b"3", Answer.YES),
    ]
    without_message = [*packets[:6], *packets[7:]]
    assert told(without_message) == [
        (b"1", P + b"1", Answer.YES),
        (None, P + b"2", Answer.UNKNOWN),
        (b"3", P + b"3", Answer.YES),
    ]
    assert told(packets[4:6]) == [(None, P + b"1", Answer.UNKNOWN)]


def test_bytes_cut_by_the_snap_length_are_not_held_against_anyone() -> None:
    packets: list[bytes | b.Record] = list(b.Talk().open().packets)
    talk = b.Talk().open().say(b"hello")
    packets += [b.Record(packet[:42], original=len(packet)) for packet in talk.packets[3:]]
    _, (connection,) = follow(packets)
    (exchange,) = read_dialogue(connection, P).exchanges
    assert (exchange.message, exchange.answer) == (b"he", Answer.UNKNOWN)
