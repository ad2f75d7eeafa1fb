"""One capture under several names is found, with the packets that prove it; nothing else is."""

from __future__ import annotations

import json
import struct
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.unit.corpus import mutants as m
from tests.unit.grader import building as b
from tests.unit.judge.honest import honest
from tests.unit.judge.talks import exchange, talk
from upcall_grader.export.counting import awaits_person, copied, counting
from upcall_grader.judge import packet_fingerprints
from upcall_grader.judge.assess import assess
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.results import Assessment
from upcall_roster.reading import parse_roster

TALK = talk(1).open().say(b"1", b"2", b"3").close()
FRAMES = b.frames(TALK.packets)
ORIGINAL = b.pcap(FRAMES)
ARP = b"\xff" * 6 + bytes(6) + b"\x08\x06" + bytes(28)
PING = b.ethernet(b.ip("10.0.0.3", "10.0.0.2", 1, b"\x08" + bytes(7)))


SEQUENCE = ("-e", "frame.number", "-e", "tcp.seq_raw", "-e", "tcp.ack_raw")


def assessed(folder: Path, files: Mapping[str, bytes], roster: str = "") -> Assessment:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.with_name(path.name + ".pcap").write_bytes(content)
    seats = parse_roster(roster.encode(), "roster.csv") if roster else None
    return assess(folder, DEFAULT, seats)


def groups(assessment: Assessment) -> list[list[str]]:
    return [[file.partition(".")[0] for file in copy.files] for copy in assessment.copies]


def pcapng(frames: list[bytes]) -> bytes:
    blocks = [b.enhanced(frame, 10**15 + at) for at, frame in enumerate(frames)]
    return b.section() + b.interface() + b"".join(blocks)


def moved(packets: list[bytes], client: bytes, server: bytes, port: int = 0) -> list[bytes]:
    """Return the same segments with other addresses, and another port of the client's."""
    found = []
    for packet in packets:
        from_client = packet[20:22] != struct.pack(">H", 4141)
        ends = client + server if from_client else server + client
        changed = bytearray(packet[:12] + ends + packet[20:])
        if port:
            struct.pack_into(">H", changed, 20 if from_client else 22, port)
        found.append(bytes(changed))
    return found


CHANGED: dict[str, bytes] = {
    "the very same": ORIGINAL,
    "saved as pcapng": pcapng(FRAMES),
    "big endian, nanoseconds": b.pcap(FRAMES, order=">", nano=True),
    "other times": b.pcap([b.Record(frame, b.START + 10**15) for frame in FRAMES]),
    "other addresses": b.pcap(b.frames(moved(TALK.packets, b"\xac\x12\0\x09", b"\xac\x12\0\x08"))),
    "another port of the client": b.pcap(
        b.frames(moved(TALK.packets, b"\x0a\0\0\x03", b"\x0a\0\0\x02", 40_404))
    ),
    "other frames": b.pcap(TALK.packets, link=101),
    "the beginning": b.pcap(FRAMES[:6]),
    "the SYN+ACK alone": b.pcap(FRAMES[1:2]),
    "one message": b.pcap(FRAMES[6:7]),
    "among others": b.pcap([ARP, PING, *FRAMES, PING]),
    "cut off in a packet": ORIGINAL[:-100],
    "snapped": b.pcap([b.Record(frame[:54], original=len(frame)) for frame in FRAMES]),
    "the packets' order reversed": b.pcap(FRAMES[::-1]),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_copy_is_found_whatever_was_changed(name: str, tmp_path: Path) -> None:
    assessment = assessed(
        tmp_path, {"sari": ORIGINAL, "budi": CHANGED[name], "wati": exchange(number=2)}
    )
    assert groups(assessment) == [["budi", "sari"]]
    assert assessment.needs_person
    told = {one.owner.student: [r.code for r in one.remarks] for one in assessment.submissions}
    assert "copy" in told["sari"]
    assert "copy" in told["budi"]
    assert told["wati"] == []


def junk(count: int) -> list[bytes]:
    """Return frames of another connection, remembered before those of any real one."""
    unmixed = pow(packet_fingerprints._MIX, -1, 1 << 64)
    numbers = (divmod(mixed * unmixed % (1 << 64), 1 << 32) for mixed in range(count))
    ends = (("10.0.0.9", 40_000), b.SERVER)
    return b.frames([b.tcp(*ends, b.PSH | b.ACK, seq, ack, b"x") for seq, ack in numbers])


@pytest.mark.parametrize("at", [0, 5, len(FRAMES)])
@pytest.mark.parametrize("save", [b.pcap, pcapng])
def test_what_is_judged_is_compared_however_much_else_there_is(
    save: Callable[[list[bytes]], bytes], at: int, tmp_path: Path
) -> None:
    padded = [*FRAMES[:at], *junk(2 * packet_fingerprints.MAX_FINGERPRINTS), *FRAMES[at:]]
    [copy] = assessed(tmp_path, {"sari": ORIGINAL, "budi": save(padded)}).copies
    assert copy.files == ("budi.pcap", "sari.pcap")
    for proof in copy.proofs:
        assert padded[proof.frames["budi.pcap"] - 1] == FRAMES[proof.frames["sari.pcap"] - 1]


def renumbered(data: bytes, stamps: Callable[[int], int] = lambda stamp: stamp) -> bytes:
    """Return the packets with other sequence numbers of both sides, and changed timestamps."""
    packets = []
    for packet in m.read(data):
        own, other = (7_777, -99_999) if packet.from_client else (-99_999, 7_777)
        changed = packet.seq(own).ack(other if packet.flags & b.ACK else 0)
        for at in (m.TCP + 24, m.TCP + 28):
            changed = changed.field(at, ">I", stamps)
        packets.append(changed)
    return m.write(packets)


def test_other_sequence_numbers_leave_the_clocks(tmp_path: Path) -> None:
    own = {f"s{number}": honest(number) for number in range(3)}
    [copy] = assessed(tmp_path, own | {"budi": renumbered(own["s1"])}).copies
    assert copy.files == ("budi.pcap", "s1.pcap")
    last = len(m.read(own["s1"]))
    assert [proof.frames for proof in copy.proofs] == [{"budi.pcap": last, "s1.pcap": last}]


def later(stamp: int) -> int:
    return stamp + 5


def without(_: int) -> int:
    return 0


@pytest.mark.parametrize("stamps", [later, without])
def test_other_clocks_as_well_are_not_found(stamps: Callable[[int], int], tmp_path: Path) -> None:
    changed = renumbered(honest(1), stamps)
    assert groups(assessed(tmp_path, {"sari": honest(1), "budi": changed})) == []


def test_that_there_are_no_clocks_is_nothing_in_common(tmp_path: Path) -> None:
    files = {f"s{number}": renumbered(honest(number), without) for number in range(3)}
    assert groups(assessed(tmp_path, files)) == []


def test_nobody_who_copied_nothing_is_told_so(tmp_path: Path) -> None:
    assessment = assessed(tmp_path, {f"s{number}": honest(number) for number in range(500)})
    assert assessment.copies == ()
    assert {(one.points, one.remarks) for one in assessment.submissions} == {(100, ())}


def test_copies_of_a_close_alone_are_found(tmp_path: Path) -> None:
    close = FRAMES[-3:]
    assessment = assessed(tmp_path, {"sari": b.pcap(close), "budi": pcapng(close)})
    assert groups(assessment) == [["budi", "sari"]]


def test_proofs_name_the_same_packet_in_each_file(tmp_path: Path) -> None:
    shifted = b.pcap([ARP, PING, *FRAMES])
    [copy] = assessed(tmp_path, {"sari": ORIGINAL, "budi": shifted}).copies
    pairs = [(proof.frames["sari.pcap"], proof.frames["budi.pcap"]) for proof in copy.proofs]
    assert pairs
    assert all(theirs == ours + 2 for ours, theirs in pairs)
    assert len({ours for ours, _ in pairs}) == len(pairs)
    numbers = {}
    for name in ("sari", "budi"):
        done = subprocess.run(
            ["tshark", "-n", "-r", tmp_path / f"{name}.pcap", "-T", "fields", *SEQUENCE],
            capture_output=True,
            text=True,
            check=True,
        )
        numbers[name] = dict(line.split("\t", 1) for line in done.stdout.splitlines())
    for ours, theirs in pairs:
        assert numbers["sari"][str(ours)] == numbers["budi"][str(theirs)]


def test_three_pieces_that_overlap_are_one_group_and_each_is_proved(tmp_path: Path) -> None:
    long = b.frames(talk(3).open().say(*[b"%d" % at for at in range(40)]).close().packets)
    pieces = {"a": long[:80], "b": long[4:], "c": long[90:]}
    files = {name: b.pcap(piece) for name, piece in pieces.items()}
    [copy] = assessed(tmp_path, files).copies
    assert copy.files == ("a.pcap", "b.pcap", "c.pcap")
    assert {file for proof in copy.proofs for file in proof.frames} == set(copy.files)
    for proof in copy.proofs:
        packets = {pieces[file[0]][frame - 1] for file, frame in proof.frames.items()}
        assert len(packets) == 1
        assert len(proof.frames) > 1


def test_two_groups_stay_two(tmp_path: Path) -> None:
    other = exchange(b"1", b"2", b"3", number=5)
    assessment = assessed(tmp_path, {"a": ORIGINAL, "b": ORIGINAL, "c": other, "d": other})
    assert groups(assessment) == [["a", "b"], ["c", "d"]]
    assert all(
        set(proof.frames) == set(copy.files) for copy in assessment.copies for proof in copy.proofs
    )


def test_who_typed_the_same_words_copied_nothing(tmp_path: Path) -> None:
    same = {f"student{at}": exchange(b"1", b"2", b"3", number=at) for at in range(2, 8)}
    assert groups(assessed(tmp_path, same)) == []
    # Even from the same port of the same address.
    again = b.Talk(TALK.client, TALK.server, 77, 88).open().say(b"1", b"2", b"3").close().packets
    assert groups(assessed(tmp_path, {"sari": ORIGINAL, "budi": b.pcap(b.frames(again))})) == []


@pytest.mark.parametrize("content", [b"", b.pcap([]), b"the same text", b.section()])
def test_files_without_a_packet_are_no_copies(content: bytes, tmp_path: Path) -> None:
    assert groups(assessed(tmp_path, {"sari": content, "budi": content})) == []


@pytest.mark.parametrize("save", [b.pcap, pcapng])
def test_identical_captures_of_another_lab_are_copies(
    save: Callable[[list[bytes]], bytes], tmp_path: Path
) -> None:
    assessment = assessed(
        tmp_path, {"sari": save([PING]), "budi": save([PING]), "wati": save([PING, PING])}
    )
    assert {str(one.verdict) for one in assessment.submissions} == {"wrong-lab"}
    assert groups(assessment) == [["budi", "sari"]]
    assert assessment.copies[0].proofs == ()


ROSTER = "host,student_id\nh1,a b\nh2,c\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("a", "c"), [["a/one", "c/one"]]),
        (("a", "b"), [["a/one", "b/one"]]),
        # One student's own: handed in twice, or made on the host and handed in.
        (("c", "h2"), []),
        (("a", "h1"), []),
        # The host's is both students', but what they handed in is the same.
        (("a", "b", "h1"), [["a/one", "b/one", "h1/one"]]),
        (("a", "stranger"), [["a/one", "stranger/one"]]),
    ],
)
def test_one_students_files_are_no_copies_of_each_other(
    files: tuple[str, ...], expected: list[list[str]], tmp_path: Path
) -> None:
    content = {f"{name}__one": ORIGINAL for name in files}
    assert groups(assessed(tmp_path, content, ROSTER)) == expected
    assert groups(assessed(tmp_path, {"c__two": ORIGINAL}, ROSTER)) != [["c/one", "c/two"]]


def waiting(assessment: Assessment) -> dict[str, bool]:
    return {
        one.owner.student: awaits_person(one, copied(assessment))
        for one in counting(assessment)
        if one.file
    }


@pytest.mark.parametrize("decoy", ["aa", "zz"])
def test_a_better_file_beside_a_copy_is_no_way_out(decoy: str, tmp_path: Path) -> None:
    poor = b.pcap(FRAMES[:6])
    files = {"a__one": poor, f"c__{decoy}": poor}
    files |= {"b__one": exchange(number=8), "c__own": exchange(number=7)}
    assessment = assessed(tmp_path, files, ROSTER)
    assert groups(assessment) == [["a/one", f"c/{decoy}"]]
    assert waiting(assessment) == {"a": True, "b": False, "c": True}
    told = {one.file: [remark.code for remark in one.remarks] for one in assessment.submissions}
    assert told["c/own.pcap"] == ["copy-beside"]
    assert told["b/one.pcap"] == []


@pytest.mark.parametrize("student", ["c", "a"])
def test_a_scripted_sessions_packets_are_no_students_own(student: str, tmp_path: Path) -> None:
    (tmp_path / "h2").mkdir()
    manifest = {"host": "h2", "mode": "exercise"}
    (tmp_path / "h2" / "manifest.json").write_text(json.dumps(manifest))
    files = {"h2__upcall": ORIGINAL, f"{student}__one": ORIGINAL}
    files |= {} if student == "c" else {"c__own": exchange(number=7)}
    assessment = assessed(tmp_path, files, ROSTER)
    assert groups(assessment) == [[*sorted(["h2/upcall", f"{student}/one"])]]
    # Who sits at that host has done nothing.
    assert waiting(assessment) == ({"c": True} if student == "c" else {"a": True, "c": False})


def test_many_groups_are_told_apart_and_named_in_few_words(tmp_path: Path) -> None:
    files = {f"p{n}{side}": exchange(number=n) for n in range(2, 61) for side in "ab"}
    files |= {f"q{n}": ORIGINAL for n in range(30)}
    assessment = assessed(tmp_path, files)
    assert sorted(map(len, groups(assessment))) == [2] * 59 + [30]
    told = next(one for one in assessment.submissions if one.owner.student == "q0").remarks
    assert str(told[0].values["files"]).startswith("q1.pcap, q10.pcap, ")
    assert str(told[0].values["files"]).endswith(" (+21)")
