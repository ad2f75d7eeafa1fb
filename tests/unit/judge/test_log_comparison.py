"""Server log and client transcript beside the capture: what they tell differently is named."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.grader import building as b
from tests.unit.grader.building import ACK, PSH
from tests.unit.judge.talks import judged, talk
from upcall_grader.judge.results import Remark, Value

Messages = Sequence[bytes]
OTHER = b"Connection from: ('172.18.0.9', 4)\nReceived from client: other\n"


def server_log(*messages: bytes, client: str = "('10.0.0.3', 50000)") -> bytes:
    lines = [b"Upcall server listening on 0.0.0.0:4141", b"Connection from: " + client.encode()]
    lines += [b"Received from client: " + message for message in messages]
    return b"\n".join([*lines, b"Client closed the connection.", b""])


def client_log(*messages: bytes) -> bytes:
    told, prompt = b"", b"Enter message: "
    for message in messages:
        told += prompt + b"Received upcall from server: " + b.PREFIX + message + b"\n"
        prompt = b"Enter another message: "
    return told + prompt + b"\nConnection closed.\n"


def remarks(folder: Path, wire: Messages, **logs: Any) -> list[Remark]:
    submission = judged(folder, b.frames(talk().open().say(*wire).close().packets), **logs)
    assert (submission.verdict, submission.points) == ("graded", 100)
    assert all(remark.needs_person for remark in submission.remarks)
    return list(submission.remarks)


def short(found: list[Remark]) -> list[tuple[str, dict[str, Value]]]:
    return [(remark.code, dict(remark.values)) for remark in found]


UMLAUTS = (" 1 ", "Selamat pagi ☀", "\u202e\x1b[31m", "Connection from: ('1.2.3.4', 5)")


@pytest.mark.parametrize(
    "wire",
    [
        [b"1", b"2"],
        [text.encode() for text in UMLAUTS],
        [b"\xff\xfe\xc3", b"Received from client: 1", b"Enter message: 1"],
        [b"x" * 1024, b" "],
        [b"1\r", b"2"],
    ],
)
def test_witnesses_that_agree(wire: Messages, tmp_path: Path) -> None:
    printed = [message.decode("utf-8", "replace").encode() for message in wire]
    logs = {"server_log": server_log(*printed), "client_log": client_log(*printed)}
    assert remarks(tmp_path, wire, **logs) == []
    assert remarks(tmp_path, wire, server_log=OTHER + logs["server_log"] + OTHER) == []


def test_a_log_with_windows_lines_agrees(tmp_path: Path) -> None:
    logs = {"server_log": server_log(b"1", b"2"), "client_log": client_log(b"1", b"2")}
    dos = {name: log.replace(b"\n", b"\r\n") for name, log in logs.items()}
    assert remarks(tmp_path, [b"1", b"2"], **dos) == []


def test_another_labs_client_prints_its_own_phrase(tmp_path: Path) -> None:
    packets = talk().open().c(PSH | ACK, b"1").s(PSH | ACK, b"Echo: 1").close().packets
    lab = "answer: 'Echo: ', shown: 'Received from server:'"
    for said, codes in ((b"Echo: 1", []), (b"Echo: 2", ["witness-client"])):
        log = b"Enter message: Received from server: " + said + b"\n"
        submission = judged(tmp_path, b.frames(packets), lab=lab, client_log=log)
        assert [remark.code for remark in submission.remarks] == codes


def test_an_interactive_transcript_agrees(tmp_path: Path) -> None:
    """What was typed stands behind the prompt, and ends the line."""
    log = client_log(b"1", b"2").replace(b"message: R", b"message: 1\nR")
    assert remarks(tmp_path, [b"1", b"2"], client_log=log) == []


def test_empty_logs_tell_nothing(tmp_path: Path) -> None:
    assert remarks(tmp_path, [b"1", b"2"], server_log=b"", client_log=b"") == []


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        (
            {"server_log": server_log(b"1", b"3")},
            [("witness-server", {"number": 2, "wire": '"2"', "log": '"3"'})],
        ),
        (
            {"client_log": client_log(b"0", b"2")},
            [
                (
                    "witness-client",
                    {
                        "number": 1,
                        "wire": '"Upcall event: Processing 1"',
                        "log": '"Upcall event: Processing 0"',
                    },
                )
            ],
        ),
        (
            {"server_log": server_log(b"1", b"2", b"3")},
            [("witness-count", {"log": "server.log", "told": 3, "held": 2})],
        ),
        (
            {"client_log": client_log(b"1")},
            [("witness-count", {"log": "client.log", "told": 1, "held": 2})],
        ),
        (
            {"server_log": server_log(b"0", b"1", b"2")},
            [
                ("witness-count", {"log": "server.log", "told": 3, "held": 2}),
                ("witness-server", {"number": 1, "wire": '"1"', "log": '"0"'}),
            ],
        ),
        (
            {"server_log": server_log(b"1", b"2", client="('10.0.0.4', 50000)")},
            [("witness-other", {"log": "server.log", "told": "10.0.0.4:50000"})],
        ),
        (
            {"server_log": b"Upcall server listening on 0.0.0.0:4141\n"},
            [("witness-other", {"log": "server.log", "told": "no connection"})],
        ),
        (
            {"server_log": b"\0\xff\x1b[2J" * 50_000},
            [("witness-other", {"log": "server.log", "told": "no connection"})],
        ),
        (
            {"client_log": b"\0\xff" * 9},
            [("witness-count", {"log": "client.log", "told": 0, "held": 2})],
        ),
    ],
)
def test_each_disagreement_is_named(
    logs: dict[str, bytes], expected: object, tmp_path: Path
) -> None:
    assert short(remarks(tmp_path, [b"1", b"2"], **logs)) == expected


def test_a_message_cannot_forge_a_line_of_the_log(tmp_path: Path) -> None:
    """A client of one's own may send line ends; then the log says more than one was sent."""
    forged = b"1\nReceived from client: 2\nConnection from: ('10.0.0.3', 50000)"
    wire = b.frames(talk().open().say(forged, b"2").close().packets)
    found = list(judged(tmp_path, wire, server_log=server_log(forged, b"2")).remarks)
    assert {remark.code for remark in found} <= {"witness-count", "witness-server"}
    assert found


def test_a_log_that_differs_everywhere_is_told_in_few_lines(tmp_path: Path) -> None:
    wire = [b"%d" % number for number in range(50)]
    found = remarks(tmp_path, wire, server_log=server_log(*[b"no"] * 50))
    assert [remark.code for remark in found] == ["witness-server"] * 10


def test_a_log_that_is_no_file_or_too_large_is_told(tmp_path: Path) -> None:
    (tmp_path / "client.log").symlink_to("/etc/passwd")
    found = remarks(tmp_path, [b"1", b"2"], server_log=b"x" * ((1 << 21) + 1))
    assert [(remark.code, remark.values["log"]) for remark in found] == [
        ("witness-unreadable", "server.log"),
        ("witness-unreadable", "client.log"),
    ]
    assert "root:" not in str(found)


@pytest.mark.parametrize(
    ("start", "stop"), [(3, None), (6, None), (None, -3), (None, 7), (None, 1), (10, None)]
)
def test_what_the_capture_does_not_hold_does_not_speak_against_a_log(
    start: int | None, stop: int | None, tmp_path: Path
) -> None:
    frames = b.frames(talk().open().say(b"1", b"2").close().packets)
    logs: dict[str, Any] = {
        "server_log": server_log(b"1", b"2"),
        "client_log": client_log(b"1", b"2"),
    }
    submission = judged(tmp_path, frames[start:stop], **logs)
    assert submission.verdict == "recapture"
    assert submission.remarks == ()


def test_a_part_that_is_in_no_log_speaks_against_it(tmp_path: Path) -> None:
    frames = b.frames(talk().open().say(b"1", b"9").close().packets)
    submission = judged(tmp_path, frames[6:], server_log=server_log(b"1", b"2"))
    assert [remark.code for remark in submission.remarks] == ["witness-count", "witness-server"]


def test_a_message_that_the_server_never_read(tmp_path: Path) -> None:
    made = talk().open().say(b"1", b"2").c(PSH | ACK, b"3").close()
    submission = judged(tmp_path, b.frames(made.packets), server_log=server_log(b"1", b"2"))
    assert short(list(submission.remarks)) == [
        ("witness-count", {"log": "server.log", "told": 2, "held": 3})
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"Enter message: " * 30_000,
        b"Received from client: 1\n" * 20_000,
        b"Connection from: ('1.1.1.1', 1)\n" * 15_000,
        b"Received upcall from server: \n" * 15_000,
        b"\r" * 500_000,
        b"\n" * 500_000,
        b"Connection from: ('" + b"1" * 500_000,
    ],
)
def test_time_grows_no_faster_than_a_log(line: bytes, tmp_path: Path) -> None:
    began = time.process_time()
    judged(tmp_path, b.frames(talk().open().close().packets), server_log=line, client_log=line)
    assert time.process_time() - began < 2  # measured: 0.3 s at most; quadratic would take minutes
