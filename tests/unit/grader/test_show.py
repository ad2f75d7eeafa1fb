"""The command as a user types it."""

import json
import os
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.corpus import slow
from tests.unit.grader import building as b
from tests.unit.grader.conftest import Real
from upcall_grader.grade import command as grade
from upcall_grader.show import command as show
from upcall_grader.terminal import width

Run = Callable[..., tuple[int, str, str]]
DATA = b.PSH | b.ACK
SOURCES = Path(show.__file__).parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(SOURCES)}


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(data: bytes, *options: str, columns: int = 140) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        path = tmp_path / "upcall.pcap"
        path.write_bytes(data)
        status = show.main([str(path), *options])
        output = capsys.readouterr()
        return status, output.out, output.err

    return call


def lines_of(out: str) -> list[str]:
    """Return the packets' lines: those that begin with an optional bracket and a number."""
    return [line for line in out.splitlines() if re.match(r"^[┌│└╶ ] +\d+ ", line)]


def test_a_real_capture_is_complete(run: Run, real: Real) -> None:
    status, out, _ = run(real.data, "--check", "--port", str(real.port))
    assert status == 0
    lines = lines_of(out)
    assert [int(line[1:].split()[0]) for line in lines] == list(range(1, len(lines) + 1))
    for number, text in ((1, "[SYN]"), (2, "[SYN, ACK]"), (3, "[ACK]")):
        assert text in lines[number - 1]
        assert lines[number - 1].endswith(f"handshake {number}/3")
    assert [line[0] for line in lines[:3]] == ["┌", "│", "└"]
    assert re.search(r'\[PSH, ACK\] +1 +1 +1  message "1"', out)
    assert 'upcall "Upcall event: Processing two words"' in out
    assert "selamat pagi \u2600" in out
    assert "UDP" in lines[-1]
    assert "complete: yes (frames 1, 2, 3)" in out
    assert "4 messages, each answered by its upcall (frames 4 →" in out
    assert re.search(r"orderly, [34] segments, client first", out)
    assert "upcall.pcap" in out


def test_cooked_ipv6_with_nanoseconds(run: Run, real_any: Real) -> None:
    status, out, _ = run(real_any.data, "--check", "--port", str(real_any.port))
    assert status == 0
    assert "[::1]:" in out
    assert "Linux cooked v2" in out


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_terminal(run: Run, columns: int) -> None:
    long = ("<\x1b[31m" + "m\u00fc\u6f22" * 300).encode()
    status, out, _ = run(b.pcap(b.frames(b.lab(b"1", long, b"two words"))), columns=columns)
    assert status == 0
    assert max(width(line) for line in lines_of(out)) <= columns
    assert "\x1b" not in out
    assert "[SYN, ACK]" in out


def test_colour_is_never_the_only_mark(run: Run) -> None:
    data = b.pcap(b.frames(b.lab()))
    _, coloured, _ = run(data, "--color", "always")
    _, bare, _ = run(data, "--color", "never")
    assert "\x1b[36m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == bare


TALK = b.lab()
RESET_BEHIND = b.tcp(b.CLIENT, b.SERVER, b.RST, 1004)
INCOMPLETE = {
    "no SYN": (TALK[1:], "handshake", "Part of the handshake is not in the capture: SYN."),
    "no SYN, ACK": ([TALK[0], *TALK[2:]], "handshake", "is not in the capture: SYN+ACK, ACK."),
    "no handshake": (TALK[3:], "handshake", "The connection was already open"),
    "no message": (b.Talk().open().close().packets, "messages, upcalls", "0 of 2 messages."),
    "one message": (b.lab(b"1"), "messages", "1 of 2 messages."),
    "no upcall": (
        b.Talk().open().say(b"1").c(DATA, b"2").s(b.ACK).close().packets,
        "upcalls",
        'The message "2" has no upcall.',
    ),
    "other upcall": (
        b.Talk().open().say(b"1").c(DATA, b"1").s(DATA, b.PREFIX + b"2").close().packets,
        "upcalls",
        "An upcall does not repeat its message",
    ),
    "one side closes": (
        b.Talk().open().say(b"1", b"2").c(b.FIN | b.ACK).s(b.ACK).packets,
        "close",
        "FIN (server) is not in the capture.",
    ),
    "last ACK missing": (TALK[:-1], "close", "ACK (FIN, server) is not in the capture."),
    "no close": (TALK[:9], "close", "The capture ends before the close."),
    "reset": (
        b.Talk().open().say(b"1", b"2").c(b.RST | b.ACK).packets,
        "close, no-reset",
        "The connection was cut off by a reset from the client, not closed. (frame 10)",
    ),
    "reset after the close": ([*TALK, RESET_BEHIND], "no-reset", "The client sent a reset."),
    "refused": (
        b.Talk().c(b.SYN).s(b.RST | b.ACK).packets,
        "handshake, messages, upcalls, close, no-reset",
        "no server was listening. (frames 1, 2)",
    ),
    "other port": (
        b.Talk(server=("10.0.0.2", 80)).open().packets,
        "",
        "The file holds no packets of this lab (TCP port 4141). It holds: HTTP.",
    ),
    "nothing": ([], "", "The capture holds no packets."),
}


def said(out: str) -> str:
    """Return what is shown, each thing below the packets on one line."""
    return re.sub(r"\n {13}", " ", out)


@pytest.mark.parametrize("name", INCOMPLETE)
def test_check_says_what_is_missing(run: Run, name: str) -> None:
    packets, missing, sentence = INCOMPLETE[name]
    status, out, _ = run(b.pcap(b.frames(packets)), "--check")
    assert status == 1
    assert sentence in said(out)
    (verdict,) = [line for line in said(out).splitlines() if line.startswith("✘ Verdict    ")]
    assert verdict.endswith(f"not complete ({missing})" if missing else "not complete")
    assert run(b.pcap(b.frames(packets)))[0] == 0


def test_a_reset_behind_the_close_leaves_the_close_orderly(run: Run) -> None:
    _, out, _ = run(b.pcap(b.frames([*TALK, RESET_BEHIND])))
    assert "✔ Close      orderly, 3 segments, client first (frames 10, 11, 12)\n" in out
    assert "✘ No-reset   The client sent a reset. (frame 13)\n" in out


def test_a_remedy_stands_below_what_it_mends_and_once(run: Run) -> None:
    packets = b.Talk().open().say(b"1", b"2").c(b.RST | b.ACK).packets
    _, out, _ = run(b.pcap(b.frames(packets)), columns=80)
    close = (
        "✘ Close      The connection was cut off by a reset from the client, not closed.\n"
        "             (frame 10)\n"
        "             → Close the client with bye, and let the server end by itself.\n"
    )
    assert close in out
    assert out.count("Close the client with bye") == 1


def test_of_several_connections_it_says_which_one_is_judged(run: Run) -> None:
    other = b.Talk(("10.0.0.3", 50000)).open().say(b"1").close().packets
    status, out, _ = run(b.pcap(b.frames([*other, *TALK])), "--check")
    assert status == 0
    assert "Connection 1: 10.0.0.3:50000 → 10.0.0.2:4141\n✔ Handshake" in out
    assert "Connection 2: 10.0.0.3:53426 → 10.0.0.2:4141 (judged)\n✔ Handshake" in out
    assert out.count("answered by its upcall") == 2
    assert "number 2, the best of them, was judged" in out


RUBRIC = """
lab: {port: 2222, answer: "Echo: "}
criteria:
- {id: handshake, points: 2.5}
- {id: answers, check: upcalls, points: 1}
"""


@pytest.fixture
def rubric(tmp_path: Path) -> str:
    path = tmp_path / "rubric.yml"
    path.write_text(RUBRIC)
    return str(path)


def echo(port: int = 2222) -> bytes:
    talk = b.Talk(server=("10.0.0.2", port)).open()
    talk.c(DATA, b"a long message").s(DATA, b"Echo: a long message").c(b.RST)
    return b.pcap(b.frames(talk.packets))


def test_another_lab_s_rubric(run: Run, rubric: str) -> None:
    status, out, _ = run(echo(), "--check", "--rubric", rubric, columns=80)
    assert status == 0
    assert 'upcall "…a long message"\n' in out
    assert "✔ Exchanges  1 message, answered by its upcall (frames 4 → 5)" in out
    # The rubric does not ask for it, so it is neither good nor bad.
    assert "  Close      The connection was cut off by a reset from the client" in out
    assert "Close the client with bye" not in out
    assert "✔ Verdict    graded, 3.5 of 3.5 points: complete" in out
    status, out, _ = run(echo(), "--check")
    assert status == 1
    assert "The file holds no packets of this lab (TCP port 4141)" in out


def test_a_port_takes_the_place_of_the_rubric_s(run: Run, rubric: str) -> None:
    assert run(echo(4142), "--check", "--rubric", rubric)[0] == 1
    assert run(echo(4142), "--check", "--rubric", rubric, "--port", "4142")[0] == 0
    assert run(echo(2222), "--check", "--rubric", rubric, "--port", "4142")[0] == 1


def test_what_no_capture_can_show_does_not_count(run: Run, rubric: str) -> None:
    with Path(rubric).open("a") as file:
        file.write("- {id: token, points: 5}\n- {id: network, points: 1}\n")
    status, out, _ = run(echo(), "--check", "--rubric", rubric)
    assert status == 0
    assert "? Token      The file names no student, so there is no token to look for.\n" in out
    assert "graded, 3.5 of 9.5 points: complete" in out


def test_a_rubric_that_cannot_be_used(run: Run, rubric: str) -> None:
    Path(rubric).write_text("criteria: []")
    status, out, err = run(echo(), "--rubric", rubric)
    assert (status, out) == (2, "")
    assert err.startswith("upcall-show: rubric.yml, line 1: ")
    assert err.endswith(" (docs/troubles.md#rubric)\n")


@pytest.mark.parametrize(
    ("file", "believed"),
    [
        ("captures/pc-1/upcall.pcap", True),
        ("captures/pc-1/scripted/upcall.pcap", True),
        ("captures/submissions/2110001/upcall.pcap", True),
        ("handed-in/2110001/upcall.pcap", False),
        ("handed-in/2110001/pc-1/upcall.pcap", True),
        ("handed-in/pc-2/upcall.pcap", False),
        ("handed-in/2110001/scripted/upcall.pcap", False),
        ("handed-in/submissions/2110001/mine/upcall.pcap", False),
    ],
)
def test_a_manifest_is_believed_where_upcall_grade_believes_it(
    file: str, believed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_bytes(b.pcap(b.frames(b.lab())))
    words = '{"host": "pc-1", "tcpdump": {"dropped": 3}}'
    (path.parent / "manifest.json").write_text(words)
    show.main([str(path)])
    assert ("tcpdump lost packets: 3" in capsys.readouterr().out) is believed
    # The folder that is graded is the one that a person would name.
    top = tmp_path / file.partition("/")[0]
    if "2110001/pc-1" in file:
        top /= "2110001"
    grade.main([str(top)])
    assert ("tcpdump lost packets: 3" in capsys.readouterr().out) is believed


def test_manifest_and_logs_beside_the_only_capture_count(run: Run, tmp_path: Path) -> None:
    words = {"tcpdump": {"dropped": 3}, "sha256": "0", "host": tmp_path.name}
    (tmp_path / "manifest.json").write_text(json.dumps(words))
    (tmp_path / "client.log").write_bytes(b"Received upcall from server: another\n")
    _, out, _ = run(b.pcap(b.frames(b.lab(b"1"))))
    assert "? Messages   The capture holds 1 of 2 messages, but not the whole connection." in out
    assert "According to the manifest, tcpdump lost packets: 3" in out
    assert "The capture is not the one that its manifest describes" in out
    assert "client.log" in out
    (tmp_path / "another.pcap").write_bytes(b.pcap([]))
    _, out, _ = run(b.pcap(b.frames(b.lab(b"1"))))
    assert "✘ Messages   1 of 2 messages." in out
    assert "tcpdump lost" not in out
    assert "client.log" not in out


def test_a_named_pipe_is_read_once_though_a_manifest_lies_beside_it(tmp_path: Path) -> None:
    pipe = tmp_path / "upcall.pcap"
    os.mkfifo(pipe)
    (tmp_path / "manifest.json").write_text('{"sha256": "0"}')
    command = [sys.executable, "-m", "upcall_grader.show.command", str(pipe), "--check"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT) as shown:
        try:
            pipe.write_bytes(b.pcap(b.frames(TALK)))
            assert shown.wait(timeout=20) == 0
        finally:
            shown.kill()


def test_a_capture_from_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    read, write = os.pipe()
    os.write(write, b.pcap(b.frames(TALK)))
    os.close(write)
    assert show.main([f"/dev/fd/{read}", "--check"]) == 0
    os.close(read)
    assert "✔ Verdict    graded, 100 of 100 points: complete" in capsys.readouterr().out


def test_all_that_lies_between_is_shown(run: Run) -> None:
    arp = b"\xff" * 6 + bytes(6) + b"\x08\x06" + bytes(6) + bytes(22)
    again = b.ethernet(b.tcp(b.CLIENT, b.SERVER, b.PSH | b.ACK, 1001, 9001, b"1", ident=99))
    web = b.ethernet(b.tcp(("10.0.0.9", 5), ("10.0.0.8", 80), b.SYN, 1))
    lab = b.frames(TALK)
    data = b.pcap([arp, *lab[:4], again, *lab[4:6], web, *lab[6:]])
    status, out, _ = run(data + b"\0\0\0", "--check")
    assert status == 0
    lines = lines_of(out)
    assert "ARP" in lines[0]
    assert "retransmission of frame 5" in lines[5]
    assert lines[8].endswith("HTTP")
    assert "cut off" in out
    assert "beyond frame 15" in out


def test_packets_seen_twice_stay_in_their_bracket(run: Run) -> None:
    doubled = [
        b.Record(packet, b.START + n * b.SECOND + extra)
        for n, packet in enumerate(TALK)
        for extra in (0, 20_000)
    ]
    status, out, _ = run(b.pcap(doubled, link=101), "--check")
    assert status == 0
    assert "".join(line[0] for line in lines_of(out)) == "┌││││└" * 4
    assert "same packet as frame 1 (other interface)" in out


def test_only_a_header(run: Run) -> None:
    status, out, _ = run(b.pcap([]))
    assert status == 0
    assert "The capture holds no packets." in out
    assert "✘ Verdict    empty, 0 of 100 points: not complete" in out


@pytest.mark.parametrize("data", [b"", b"\0\1\2\3garbage", b.pcap([])[:9]])
def test_what_cannot_be_read_names_file_cause_and_remedy(run: Run, data: bytes) -> None:
    status, out, err = run(data, "--check")
    assert status == 2
    assert out == ""
    assert "upcall.pcap: " in err
    assert "Remedy: capture again" in err


def test_missing_files_directories_and_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show.main([str(tmp_path / "none\x1b[31m.pcap")]) == 2
    assert "none\\x1b[31m.pcap: there is no such file" in capsys.readouterr().err
    assert show.main([str(tmp_path)]) == 2
    assert "directory" in capsys.readouterr().err
    for wrong in (["--port", "0", "f"], ["--port", "x", "f"], [], ["a", "b"]):
        with pytest.raises(SystemExit) as caught:
            show.main(wrong)
        assert caught.value.code == 2


def start(path: Path, *options: str, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    # As wide as the table is, whatever terminal the tests run at.
    environment = ENVIRONMENT | {"COLUMNS": "200"} | variables
    command = [sys.executable, "-m", "upcall_grader.show.command", str(path), *options]
    return subprocess.run(command, capture_output=True, env=environment, check=False)


def test_as_a_module_where_the_output_has_only_ascii(tmp_path: Path) -> None:
    path = tmp_path / "upcall.pcap"
    path.write_bytes(b.pcap(b.frames(b.lab("\u6f22".encode(), b"2"))))
    done = start(path, "--check", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb'message "\u6f22"' in done.stdout
    assert b"/   1  0.000000  10.0.0.3:53426 -> 10.0.0.2:4141" in done.stdout


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "upcall.pcap"
    path.write_bytes(b.pcap(b.frames(b.lab(*[b"%d" % n for n in range(3000)]))))
    command = [sys.executable, "-m", "upcall_grader.show.command", str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as shown:
        assert shown.stdout is not None
        assert shown.stderr is not None
        shown.stdout.read(10)
        shown.stdout.close()
        assert shown.stderr.read() == b""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data())
def test_damaged_captures_never_fail(run: Run, data: st.DataObject) -> None:
    bytes_ = bytearray(b.pcap(b.frames(b.lab(b"1", b"22"))))
    for _ in range(data.draw(st.integers(1, 8))):
        bytes_[data.draw(st.integers(24, len(bytes_) - 1))] = data.draw(st.integers(0, 255))
    status, out, _ = run(bytes(bytes_), "--check", columns=80)
    assert status in (0, 1)
    assert "File" in out


@pytest.mark.parametrize("name", ["syn_flood", "connections"])
def test_memory_is_bounded(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "upcall.pcap"
    path.write_bytes(slow.SLOW[name](1_000_000))
    tracemalloc.start()
    try:
        show.main([str(path)])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(lines_of(capfd.readouterr().out)) > 10_000
    # Connections that are open at the same time, and those that are told, take a part of it.
    assert most < 8_000_000 + 12 * path.stat().st_size, f"it held {most} bytes"


def test_of_very_many_connections_the_first_are_told_and_the_one_that_is_judged(run: Run) -> None:
    attempts = [b.tcp(("10.9.0.1", port), b.SERVER, b.SYN, 7) for port in range(1, 1003)]
    _, out, _ = run(b.pcap(b.frames(attempts + b.lab(b"1", b"2"))))
    assert len(lines_of(out)) == 1002 + len(b.lab(b"1", b"2"))
    titles = re.findall(r"^Connection (\d+): \S+ → \S+( \(judged\))?$", out, re.MULTILINE)
    assert titles == [*((str(n), "") for n in range(1, 1001)), ("1003", " (judged)")]
    assert "\n2 more connections\n" in out
    assert len(re.findall(r"handshake 3/3", out)) == 1
