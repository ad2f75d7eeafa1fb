"""Files that hold nothing of the lab, or that cannot be read: each costs itself alone."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.grader import building as b
from tests.unit.judge.talks import codes, exchange, judged, told
from upcall_grader.judge.assess import assess
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.results import Owner, Submission
from upcall_grader.judge.submission import judge_file
from upcall_grader.texts.wording import Wording
from upcall_roster.reading import parse_roster

ARP = b"\xff" * 6 + bytes(6) + b"\x08\x06" + bytes(28)


def udp(port: int) -> bytes:
    return b.ethernet(b.ip("10.0.0.3", "10.0.0.2", 17, struct.pack(">HHHH", 40_000, port, 8, 0)))


def tcp(port: int) -> bytes:
    return b.ethernet(b.tcp(("10.0.0.3", 40_000), ("10.0.0.2", port), b.SYN, 1))


PING = b.ethernet(b.ip("10.0.0.3", "10.0.0.2", 1, b"\x08" + bytes(7)))


@pytest.mark.parametrize(
    ("packets", "verdict", "code", "protocols"),
    [
        ([tcp(80), ARP], "wrong-lab", "wrong-lab", "ARP, HTTP"),
        ([tcp(1883)], "wrong-lab", "wrong-lab", "MQTT"),
        ([tcp(4142)], "wrong-lab", "wrong-lab", ""),
        ([udp(4141)], "wrong-lab", "wrong-lab", ""),
        ([PING] * 3, "wrong-lab", "wrong-lab", "ICMP"),
        ([ARP] * 3, "recapture", "only-noise", "ARP"),
        ([ARP, udp(5353)], "recapture", "only-noise", "ARP, MDNS"),
        ([], "empty", "empty", ""),
    ],
)
def test_nothing_of_the_lab(
    packets: list[bytes], verdict: str, code: str, protocols: str, tmp_path: Path
) -> None:
    submission = judged(tmp_path, packets)
    assert (submission.verdict, codes(submission), submission.points) == (verdict, [code], 0)
    assert protocols in str(submission.remarks[0].values.get("protocols", ""))
    assert {name: status for name, (status, _, _) in told(submission).items()} == {
        "traffic": "not-met",
        **dict.fromkeys(
            ("handshake", "messages", "upcalls", "close", "no-reset"), "not-observable"
        ),
    }
    assert submission.packets == len(packets)
    assert submission.needs_person


def test_a_packed_capture_is_judged_as_it_is(tmp_path: Path) -> None:
    submission = judged(tmp_path, gzip.compress(exchange()))
    assert told(submission) == told(judged(tmp_path, exchange()))
    assert submission.verdict == "graded"


WORD = b"PK\x03\x04" + bytes(100)


@pytest.mark.parametrize(
    ("content", "verdict", "code", "cause"),
    [
        (b"", "empty", "empty-file", ""),
        (
            b"22:13:20 IP 10.0.0.3.50000 > 10.0.0.2.4141: Flags [S]\n",
            "unreadable",
            "",
            "what tcpdump prints",
        ),
        (gzip.compress(exchange(), mtime=0)[:-9], "unreadable", "", "gzip"),
        (WORD, "unreadable", "", ""),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "unreadable", "", ""),
        (exchange()[:20], "unreadable", "", "cut off"),
        (bytes(5000), "unreadable", "", "neither pcap nor pcapng"),
        (os.urandom(5000), "unreadable", "", ""),
    ],
)
def test_no_capture(content: bytes, verdict: str, code: str, cause: str, tmp_path: Path) -> None:
    submission = judged(tmp_path, content)
    assert (submission.verdict, codes(submission)) == (verdict, [code or "unreadable"])
    english, remark = Wording("en"), submission.remarks[0]
    assert cause in english.text(remark)
    assert english.remedy(remark).strip(".")
    assert {(status, reason) for status, reason, _ in told(submission).values()} == {
        ("not-observable", "not-seen")
    }


def alone(path: Path) -> Submission:
    return judge_file(path, DEFAULT, Owner("x"), path.name)


def test_what_is_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "outside.pcap"
    secret.write_bytes(exchange())
    link, fifo, gone = (tmp_path / name for name in ("link.pcap", "fifo.pcap", "gone.pcap"))
    link.symlink_to(secret)
    os.mkfifo(fifo)
    for path in (link, fifo, gone, tmp_path, Path("/dev/zero")):
        found = alone(path)
        assert (found.verdict, codes(found)) == ("unreadable", ["unreadable"]), path
        assert found.packets == 0


def test_one_bad_file_costs_itself_alone(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"good{number}.pcap").write_bytes(exchange(number=number))
    os.mkfifo(tmp_path / "fifo.pcap")
    (tmp_path / "loop.pcap").symlink_to("loop.pcap")
    (tmp_path / "outside.pcap").symlink_to("/etc/hostname")
    (tmp_path / "text.pcap").write_text("hello")
    (tmp_path / "x.pcap").mkdir()
    (tmp_path / "x.pcap" / "nothing.pcap").touch()
    found = assess(tmp_path, DEFAULT)
    assert {one.file: str(one.verdict) for one in found.submissions} == {
        **{f"good{number}.pcap": "graded" for number in range(3)},
        **dict.fromkeys(("fifo.pcap", "loop.pcap", "outside.pcap", "text.pcap"), "unreadable"),
        "x.pcap/nothing.pcap": "empty",
    }
    assert sum(one.points for one in found.submissions) == 300


def test_files_that_vanish_after_they_were_listed(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.pcap").write_bytes(exchange(number=number))

    def tell(done: int, _: int) -> None:
        (tmp_path / f"{done}.pcap").unlink(missing_ok=True)

    found = assess(tmp_path, DEFAULT, progress=tell)
    assert [str(one.verdict) for one in found.submissions] == ["graded", "unreadable", "unreadable"]


def test_a_manifest_of_another_capture_is_told(tmp_path: Path) -> None:
    submission = judged(tmp_path, exchange(), manifest={"sha256": "0" * 64, "mode": "watch"})
    assert (submission.verdict, submission.points, submission.mode) == ("graded", 100, "watch")
    assert codes(submission) == ["manifest-differs"]
    assert submission.needs_person


@pytest.mark.parametrize(
    "manifest",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"dropped":' + b"9" * 100_000 + b"}",
        b" " * (1 << 19),
    ],
)
def test_a_manifest_that_cannot_be_used_is_told(manifest: bytes, tmp_path: Path) -> None:
    submission = judged(tmp_path, exchange(), manifest=manifest)
    assert (submission.verdict, codes(submission)) == ("graded", ["manifest-unreadable"])


@pytest.mark.parametrize("save", [b.pcap, lambda frames: b.pcap(frames, order=">")])
def test_a_client_with_the_labs_port_is_no_server_of_the_lab(
    save: Callable[[list[bytes]], bytes], tmp_path: Path
) -> None:
    other = b.frames(b.Talk(("10.0.0.3", 4141), ("10.0.0.2", 80)).open().say(b"1").close().packets)
    submission = judged(tmp_path, save(other))
    assert (submission.verdict, codes(submission)) == ("wrong-lab", ["wrong-lab"])
    assert submission.remarks[0].values == {"port": 4141, "protocols": "HTTP"}
    assert (submission.points, submission.connections, submission.conversation) == (0, 0, None)
    own = b.frames(b.Talk(("10.0.0.3", 4141), b.SERVER).open().say(b"1", b"2").close().packets)
    for frames in (own, other + own, own + other):
        submission = judged(tmp_path, save(frames))
        assert (submission.verdict, submission.points, submission.connections) == ("graded", 100, 1)


@pytest.mark.parametrize("with_roster", [False, True])
def test_a_folder_in_place_of_a_manifest_or_log_costs_that_file_alone(
    with_roster: bool, tmp_path: Path
) -> None:
    for number, student in enumerate(("alice", "bob"), 1):
        (tmp_path / student).mkdir()
        (tmp_path / student / "upcall.pcap").write_bytes(exchange(number=number))
    for name in ("manifest.json", "server.log", "client.log"):
        (tmp_path / "bob" / name).mkdir()
    roster = parse_roster(b"host,student_id\nh1,alice\nh2,bob\n", "roster.csv")
    alice, bob = assess(tmp_path, DEFAULT, roster if with_roster else None).submissions
    assert (alice.verdict, alice.points, codes(alice)) == ("graded", 100, [])
    assert (bob.verdict, bob.points) == ("graded", 100)
    assert codes(bob) == ["manifest-unreadable", "witness-unreadable", "witness-unreadable"]


@pytest.mark.parametrize(
    "manifest",
    [
        {"tcpdump": {"dropped": -1}, "student": 7, "host": None, "mode": [], "sha256": {}},
        {"tcpdump": {"dropped": "5"}, "network": {"subnets": {"a": 1}}},
        {"tcpdump": 3, "network": "x", "mode": "x" * 300},
        {"tcpdump": {"dropped": 1e300}},
    ],
)
def test_a_manifest_of_other_types_tells_nothing(manifest: object, tmp_path: Path) -> None:
    submission = judged(tmp_path, exchange(), manifest=manifest)
    assert (submission.verdict, submission.points, codes(submission), submission.mode) == (
        "graded",
        100,
        [],
        "",
    )
