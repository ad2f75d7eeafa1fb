"""The ladder's steps: the right packets, in words, and no more of them than fit."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.unit.grader import building as b
from tests.unit.report import room
from upcall_grader.capture.connections import Step
from upcall_grader.judge.results import Conversation
from upcall_grader.lab import UPCALL
from upcall_grader.report import ladder
from upcall_grader.report.drawing import Arrow, panels
from upcall_grader.report.ladder import Ladder, read_ladder
from upcall_grader.report.phrases import Phrases

CLIENT, SERVER = (b"\x0a\0\0\3", 40_001), (b"\x0a\0\0\2", 4141)


def conversation(first: int, last: int) -> Conversation:
    return Conversation(1, CLIENT, SERVER, first, last)


def read(folder: Path, frames: Sequence[bytes | b.Record], first: int = 1, last: int = 0) -> Ladder:
    drawn = read_ladder(room.put(folder, "ani", frames), conversation(first, last or len(frames)))
    assert drawn is not None
    return drawn


def arrows(drawn: Ladder) -> list[Arrow]:
    return [arrow for panel in panels(drawn, (), Phrases("en"), UPCALL) for arrow in panel.arrows]


def numbers(steps: list[Step]) -> list[int]:
    return [step.segment.frame for step in steps]


def test_each_packet_is_an_arrow_with_wiresharks_numbers(tmp_path: Path) -> None:
    rows = [
        (arrow.frame, arrow.from_client, arrow.kind, arrow.flags, arrow.numbers, arrow.wide)
        for arrow in arrows(read(tmp_path, room.complete(1, b"hai")))
    ]
    upcall = '"Upcall event: Processing hai"'
    assert rows == [
        (1, True, "handshake", "[SYN]", "Seq=0 Len=0", ""),
        (2, False, "handshake", "[SYN, ACK]", "Seq=0 Ack=1 Len=0", ""),
        (3, True, "handshake", "[ACK]", "Seq=1 Ack=1 Len=0", ""),
        (4, True, "message", "[PSH, ACK]", "Seq=1 Ack=1 Len=3", '"hai"'),
        (5, False, "upcall", "[PSH, ACK]", "Seq=1 Ack=4 Len=28", upcall),
        (6, True, "other", "[ACK]", "Seq=4 Ack=29 Len=0", ""),
        (7, True, "close", "[FIN, ACK]", "Seq=4 Ack=29 Len=0", ""),
        (8, False, "close", "[FIN, ACK]", "Seq=29 Ack=5 Len=0", ""),
        (9, True, "close", "[ACK]", "Seq=5 Ack=30 Len=0", ""),
    ]


def test_times_count_from_the_files_first_frame(tmp_path: Path) -> None:
    arp = b"\xff" * 6 + b"\x02\0\0\0\0\x02" + b"\x08\x06" + b"\0" * 28
    drawn = arrows(read(tmp_path, [arp, *room.complete(1)], first=2, last=13))
    assert drawn[0].time == "0.001000"


def test_only_the_judged_connection_is_drawn(tmp_path: Path) -> None:
    mine, other = room.complete(1), room.complete(2)
    mixed = [frame for pair in zip(mine, other, strict=True) for frame in pair]
    drawn = read(tmp_path, mixed, first=1, last=len(mixed) - 1)
    assert numbers(drawn.first) == list(range(1, len(mixed), 2))


def test_the_same_port_used_again_is_another_connection(tmp_path: Path) -> None:
    earlier = b.frames(b.Talk(client=("10.0.0.3", 40_001)).open().say(b"old").close().packets)
    frames = [*earlier, *room.complete(1)]
    drawn = read(tmp_path, frames, first=len(earlier) + 1)
    assert numbers(drawn.first) == list(range(len(earlier) + 1, len(frames) + 1))


def test_a_long_connection_is_folded_and_its_end_is_as_in_the_whole(tmp_path: Path) -> None:
    frames = room.complete(1, *(b"m%d" % number for number in range(2000)))
    folded = read(tmp_path, frames)
    assert len(folded.first) == ladder.FIRST_STEPS
    assert len(folded.last) == ladder.LAST_STEPS
    assert folded.left_out == len(frames) - ladder.FIRST_STEPS - ladder.LAST_STEPS
    assert numbers(folded.last)[-1] == len(frames)
    drawn = arrows(folded)[-ladder.LAST_STEPS :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ladder, "FIRST_STEPS", len(frames))
        whole = arrows(read(tmp_path / "whole", frames))[-ladder.LAST_STEPS :]
    places = {"top"}
    assert [_without(arrow, places) for arrow in drawn] == [
        _without(arrow, places) for arrow in whole
    ]


def _without(arrow: Arrow, names: set[str]) -> dict[str, object]:
    fields = Arrow.__dataclass_fields__
    return {name: getattr(arrow, name) for name in fields if name not in names}


@pytest.mark.parametrize("extra", [-1, 0, 1, 40])
def test_the_fold_counts_right_where_it_begins(tmp_path: Path, extra: int) -> None:
    talk = room.talk(1).open()
    while len(talk.packets) < ladder.FIRST_STEPS + ladder.LAST_STEPS + extra:
        talk.c(b.ACK)
    drawn = read(tmp_path, b.frames(talk.packets))
    assert len(drawn.first) + len(drawn.last) + drawn.left_out == len(talk.packets)
    assert drawn.left_out == max(extra, 0)


def test_packets_met_on_two_interfaces_are_drawn_once(tmp_path: Path) -> None:
    twice = [frame for frame in room.complete(1) for _ in range(2)]
    drawn = read(tmp_path, twice)
    assert drawn.seen_twice
    assert numbers(drawn.first) == list(range(1, len(twice), 2))


def test_what_is_odd_about_a_packet_stands_at_its_arrow(tmp_path: Path) -> None:
    push = b.PSH | b.ACK
    talk = room.talk(1).open().say(b"1")
    talk.client_seq -= 1
    talk.c(b.ACK)
    talk.client_seq += 1
    talk.c(push, b"lost").c(push, b"3").s(push, b"noise").c(b.RST | b.ACK)
    frames = b.frames(talk.packets)
    del frames[7]
    late = b.Record(frames[3], b.START + b.SECOND)
    labels = {arrow.frame: arrow.label for arrow in arrows(read(tmp_path, [*frames, late]))}
    assert labels[7] == "Keep-alive"
    assert labels[8] == "Message, gap before it"
    assert labels[9] == "Data that is no upcall"
    assert labels[10] == "Reset by the client"
    assert labels[11] == "Sent again (frame 4)"


CLOSE = [
    "Close: FIN of the client",
    "Close: FIN+ACK of the server",
    "Close: ACK for the server's FIN",
]


@pytest.mark.parametrize(
    ("cut", "code", "place", "labels"),
    [
        (slice(3, None), "handshake-before", 0, [f"Handshake {n} of 3" for n in (1, 2, 3)]),
        (slice(1, None), "handshake-lost", 0, ["Handshake 1 of 3"]),
        (slice(None, 2), "handshake-lost", 1, ["Handshake 3 of 3"]),
        (slice(None, -3), "close-unseen", -1, CLOSE),
        (slice(None, -2), "close-part", -1, CLOSE[1:]),
        (slice(None, -1), "close-part", -1, CLOSE[2:]),
    ],
)
def test_what_the_judge_could_not_see_is_drawn_where_it_would_have_been(
    tmp_path: Path, cut: slice, code: str, place: int, labels: list[str]
) -> None:
    drawn = panels(read(tmp_path, room.complete(1)[cut]), (), Phrases("en"), UPCALL, [code])
    panel = drawn[place]
    assert [(arrow.frame, arrow.label) for arrow in panel.arrows] == [(None, x) for x in labels]
    assert len([one for one in drawn if one.kind == "missing"]) == 1


def test_a_close_that_may_be_in_the_fold_is_not_called_missing(tmp_path: Path) -> None:
    talk = room.talk(1).open().c(b.FIN | b.ACK)
    for _ in range(ladder.FIRST_STEPS + ladder.LAST_STEPS):
        talk.s(b.PSH | b.ACK, b"x").c(b.ACK)
    folded = read(tmp_path, b.frames(talk.packets))
    kinds = [panel.kind for panel in panels(folded, (), Phrases("en"), UPCALL, ["close-part"])]
    assert "fold" in kinds
    assert "missing" not in kinds


@pytest.mark.parametrize(
    ("seconds", "caption"),
    [
        (9, None),
        (10, "10 seconds without a packet"),
        (59, "59 seconds without a packet"),
        (125, "2:05 minutes without a packet"),
    ],
)
def test_a_long_pause_is_shown_where_it_was(
    tmp_path: Path, seconds: int, caption: str | None
) -> None:
    frames = room.complete(1)
    early = [b.Record(frame, b.START) for frame in frames[:4]]
    late = [b.Record(frame, b.START + seconds * b.SECOND) for frame in frames[4:]]
    drawn = panels(read(tmp_path, [*early, *late]), (), Phrases("en"), UPCALL)
    pauses = [number for number, panel in enumerate(drawn) if panel.kind == "pause"]
    assert [drawn[number].caption for number in pauses] == ([caption] if caption else [])
    for number in pauses:
        assert drawn[number - 1].arrows[-1].frame == 4
        assert drawn[number + 1].arrows[0].frame == 5


def _gone(file: Path) -> None:
    file.unlink()


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _link(file: Path) -> None:
    file.symlink_to(file.rename(file.with_name("elsewhere")))


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-60])


def _text(file: Path) -> None:
    file.write_text("no capture any more")


def _other(file: Path) -> None:
    file.write_bytes(b.pcap(room.complete(2)))


def _later(file: Path) -> None:
    file.write_bytes(b.pcap([b"\0" * 60, *room.complete(1)]))


@pytest.mark.parametrize("change", [_gone, _folder, _pipe, _link, _cut, _text, _other, _later])
def test_a_file_that_changed_has_no_ladder(tmp_path: Path, change: Callable[[Path], None]) -> None:
    file = room.put(tmp_path, "ani", room.complete(1))
    frames = conversation(1, len(room.complete(1)))
    assert read_ladder(file, frames) is not None
    change(file)
    assert read_ladder(file, frames) is None


def test_reading_stops_behind_the_connections_last_frame(tmp_path: Path) -> None:
    frames = room.complete(1)
    file = room.put(tmp_path, "ani", frames)
    file.write_bytes(file.read_bytes() + b"\xff" * 100)
    assert read_ladder(file, conversation(1, len(frames))) is not None
