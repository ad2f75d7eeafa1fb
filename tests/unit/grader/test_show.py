"""The command as a user types it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.grader import building as b
from tests.unit.grader.conftest import Real
from upcall_grader.show import command as show
from upcall_grader.terminal import width

Run = Callable[..., tuple[int, str, str]]
DATA = b.PSH | b.ACK
SOURCES = Path(show.__file__).parents[1]


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


TALK = b.lab(b"1")
INCOMPLETE = {
    "no SYN": (TALK[1:], "[SYN] not in the capture"),
    "no SYN, ACK": ([TALK[0], *TALK[2:]], "[SYN, ACK]"),
    "no handshake": (TALK[3:], "[SYN] and [SYN, ACK] and [ACK]"),
    "no message": (b.Talk().open().close().packets, "messages: none"),
    "no upcall": (b.Talk().open().c(DATA, b"1").s(b.ACK).close().packets, "no upcall answers it"),
    "other upcall": (
        b.Talk().open().c(DATA, b"1").s(DATA, b.PREFIX + b"2").close().packets,
        "its text is not the message's",
    ),
    "one side closes": (
        b.Talk().open().say(b"1").c(b.FIN | b.ACK).s(b.ACK).packets,
        "no [FIN] from server",
    ),
    "last ACK missing": (TALK[:-1], "server is not acknowledged"),
    "no close": (TALK[:6], "no [FIN] from client and server"),
    "reset": (b.Talk().open().say(b"1").c(b.RST | b.ACK).packets, "cut off (frame 7)"),
    "reset after the close": ([*TALK, b.tcp(b.CLIENT, b.SERVER, b.RST, 1003)], "reset"),
    "refused": (b.Talk().c(b.SYN).s(b.RST | b.ACK).packets, "nothing listened"),
    "other port": (b.Talk(server=("10.0.0.2", 80)).open().packets, "no packet on the lab's port"),
    "nothing": ([], "no packet on the lab's port"),
}


@pytest.mark.parametrize("name", INCOMPLETE)
def test_check_says_what_is_missing(run: Run, name: str) -> None:
    packets, reason = INCOMPLETE[name]
    status, out, _ = run(b.pcap(b.frames(packets)), "--check")
    assert status == 1
    assert reason in out.splitlines()[-1]
    assert out.splitlines()[-1].startswith("Incomplete: ")
    assert run(b.pcap(b.frames(packets)))[0] == 0


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
    assert "frame 12" in out


def test_packets_seen_twice_stay_in_their_bracket(run: Run) -> None:
    doubled = [
        b.Record(packet, b.START + n * b.SECOND + extra)
        for n, packet in enumerate(TALK)
        for extra in (0, 20_000)
    ]
    status, out, _ = run(b.pcap(doubled, link=101), "--check")
    assert status == 0
    assert "".join(line[0] for line in lines_of(out)) == "┌││││└" * 3
    assert "same packet as frame 1 (other interface)" in out


def test_only_a_header(run: Run) -> None:
    status, out, _ = run(b.pcap([]))
    assert status == 0
    assert "no packet at all, only a file header" in out


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
    environment = os.environ | {"PYTHONPATH": str(SOURCES), "COLUMNS": "200"} | variables
    command = [sys.executable, "-m", "upcall_grader.show.command", str(path), *options]
    return subprocess.run(command, capture_output=True, env=environment, check=False)


def test_as_a_module_where_the_output_has_only_ascii(tmp_path: Path) -> None:
    path = tmp_path / "upcall.pcap"
    path.write_bytes(b.pcap(b.frames(b.lab("\u6f22".encode()))))
    done = start(path, "--check", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb'message "\u6f22"' in done.stdout
    assert b"/   1  0.000000  10.0.0.3:53426 -> 10.0.0.2:4141" in done.stdout


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "upcall.pcap"
    path.write_bytes(b.pcap(b.frames(b.lab(*[b"%d" % n for n in range(3000)]))))
    environment = os.environ | {"PYTHONPATH": str(SOURCES)}
    command = [sys.executable, "-m", "upcall_grader.show.command", str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
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
