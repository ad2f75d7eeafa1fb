"""The dialogue as two students see it, each at a terminal, and as the bridge sees it."""

from __future__ import annotations

import os
import re
import select
import subprocess

import pytest

from tests.lab.compose import (
    CLIENT,
    CLIENT_PIPED,
    COMPOSE,
    SERVER,
    SERVER_PIPED,
    TOP,
    await_true,
    compose,
    container,
    listening,
    press_ctrl_c,
    python_in,
    run,
    sockets,
    succeed,
)
from tests.lab.wire import Segment, Wire, messages, upcalls
from tests.support.terminal import CTRL_D, Terminal

UPCALL = b"Upcall event: Processing "
LISTENING = "Upcall server listening on 0.0.0.0:4141\n"
TIME_WAIT = "06"  # as /proc/net/tcp has it


def serving() -> Terminal:
    """Start the server as the handout says, and wait until it listens."""
    terminal = Terminal(SERVER)
    try:
        terminal.expect(LISTENING)
    except BaseException:
        terminal.__exit__(None, None, None)
        raise
    return terminal


def signal_server(name: str) -> None:
    """Send a signal to the server's process, from inside its container."""
    python_in(
        "upcall-server",
        "import os, pathlib, signal\n"
        "for line in pathlib.Path('/proc').glob('[0-9]*/cmdline'):\n"
        "    if b'servercall.py' in line.read_bytes().split(b'\\0')[1:2]:\n"
        f"        os.kill(int(line.parent.name), signal.{name})\n",
    )


def await_output(process: subprocess.Popen[bytes], wanted: str) -> None:
    """Read what a process writes into its pipe until a text is there."""
    assert process.stdout is not None
    seen = b""
    while wanted.encode() not in seen:
        ready, _, _ = select.select([process.stdout], [], [], 10)
        assert ready, f"{wanted!r} did not come through the pipe, only {seen!r}"
        data = os.read(process.stdout.fileno(), 65536)
        assert data, f"{wanted!r} did not come before the end, only {seen!r}"
        seen += data


def first_end(segments: list[Segment], *, of_server: bool) -> str:
    """Return how a side ended first: ``FIN``, ``RST``, or nothing when it did not."""
    for segment in segments:
        if segment.to_server is not of_server and (segment.fin or segment.rst):
            return "RST" if segment.rst else "FIN"
    return ""


def test_both_terminals_show_the_dialogue_and_the_wire_carries_it(wire: Wire) -> None:
    with serving() as server, Terminal(CLIENT) as client:
        client.expect("Enter message: ")
        client.say("1")
        client.expect("\nReceived upcall from server: Upcall event: Processing 1\n")
        client.expect("Enter another message: ")
        client.say("hello, wörld")
        client.expect("\nReceived upcall from server: Upcall event: Processing hello, wörld\n")
        client.expect("Enter another message: ")
        client.say("bye")
        assert client.exit_status() == 0
        assert server.exit_status() == 0
    assert re.fullmatch(
        re.escape(LISTENING)
        + r"Connection from: \('[0-9.]+', [0-9]+\)\n"
        + "Received from client: 1\nReceived from client: hello, wörld\n"
        + "Client closed the connection.\n",
        server.text,
    )
    assert client.text.endswith("bye\nConnection closed.\n")
    segments = wire.await_close()
    sent = [b"1", "hello, wörld".encode()]
    assert messages(segments) == sent
    assert upcalls(segments) == [UPCALL + message for message in sent]
    assert [segment.syn for segment in segments[:3]] == [True, True, False]
    assert first_end(segments, of_server=False) == "FIN"
    assert not any(segment.rst for segment in segments)


@pytest.mark.parametrize("farewell", [b"bye\n", b"  BYE \n", b"Bye\n", CTRL_D])
def test_client_closes_in_order(wire: Wire, farewell: bytes) -> None:
    with serving() as server, Terminal(CLIENT) as client:
        client.expect("Enter message: ")
        client.type(farewell)
        assert (client.exit_status(), server.exit_status()) == (0, 0)
    segments = wire.await_close()
    assert messages(segments) == []
    assert not any(segment.rst for segment in segments)


def test_piped_lines_give_the_same_words(wire: Wire) -> None:
    with serving() as server:
        client = run(*CLIENT_PIPED, stdin=b"1\n2\n")
        assert server.exit_status() == 0
    assert client.returncode == 0
    assert client.stdout.decode() == (
        "Enter message: Received upcall from server: Upcall event: Processing 1\n"
        "Enter another message: Received upcall from server: Upcall event: Processing 2\n"
        "Enter another message: \nConnection closed.\n"
    )
    assert client.stderr == b""
    assert messages(wire.await_close()) == [b"1", b"2"]


@pytest.mark.usefixtures("idle")
def test_server_prints_each_line_at_once_into_a_pipe() -> None:
    with subprocess.Popen(
        SERVER_PIPED, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0, cwd=TOP
    ) as server:
        try:
            await_output(server, LISTENING)
            with Terminal(CLIENT) as client:
                client.expect("Enter message: ")
                await_output(server, "Connection from: ")
                client.say("1")
                client.expect("Processing 1\n")
                await_output(server, "Received from client: 1\n")
                assert server.poll() is None
                client.say("bye")
                assert client.exit_status() == 0
            assert server.wait(timeout=10) == 0
        finally:
            server.kill()


def test_empty_line_is_asked_again_and_sends_nothing(wire: Wire) -> None:
    with serving() as server, Terminal(CLIENT) as client:
        client.expect("Enter message: ")
        client.say("")
        client.expect("An empty line sends nothing.")
        client.expect("Enter message: ")
        client.say("1")
        client.expect("Processing 1\n")
        client.expect("Enter another message: ")
        client.say("")
        client.expect("An empty line sends nothing.")
        client.expect("Enter another message: ")
        client.say("bye")
        assert (client.exit_status(), server.exit_status()) == (0, 0)
    assert messages(wire.await_close()) == [b"1"]


def test_message_has_at_most_1024_bytes_of_utf8(wire: Wire) -> None:
    fits = ["a" * 1024, "é" * 512]
    too_long = ["b" * 1025, "é" * 512 + "b", "\N{GRINNING FACE}" * 257]
    lines = "".join(f"{line}\n" for line in (*too_long, *fits)).encode()
    with serving() as server:
        client = run(*CLIENT_PIPED, stdin=lines)
        assert server.exit_status() == 0
    said = client.stdout.decode()
    assert client.returncode == 0
    for length in (1025, 1025, 1028):
        assert f"Not sent: {length} bytes of UTF-8, a message has at most 1024.\n" in said
    assert said.count("Not sent: ") == 3
    segments = wire.await_close()
    assert messages(segments) == [line.encode() for line in fits]
    assert upcalls(segments) == [UPCALL + line.encode() for line in fits]


def test_bytes_that_are_no_utf8_are_served_like_others(wire: Wire) -> None:
    strange = [b"\xff\xfe1", b"\xc3", b"2"]
    with serving() as server:
        client = run(*CLIENT_PIPED, stdin=b"\n".join(strange) + b"\n")
        assert server.exit_status() == 0
    assert client.returncode == 0, client.stderr.decode()
    segments = wire.await_close()
    assert messages(segments) == strange
    assert upcalls(segments) == [UPCALL + message for message in strange]
    assert "Received from client: \ufffd\ufffd1\nReceived from client: \ufffd\n" in server.text
    assert "Processing \ufffd\ufffd1\n" in client.stdout.decode()


@pytest.mark.usefixtures("idle")
def test_second_server_says_that_the_port_is_taken_and_the_remedy_works() -> None:
    with serving() as first:
        second = run(*SERVER_PIPED)
        assert second.returncode == 1
        said = second.stderr.decode()
        assert "Address already in use (Errno 98)" in said
        assert "4141" in said
        assert "Traceback" not in said
        look, stop = re.findall(r"^  (docker compose .*?)  ", said + "  ", re.MULTILINE)
        assert "servercall.py" in succeed(*look.split())
        succeed(*stop.split())
        first.exit_status()
    with serving() as third:
        press_ctrl_c(third, "upcall-server")
        assert third.exit_status() == 130


@pytest.mark.usefixtures("idle")
def test_server_starts_again_while_its_old_connection_is_in_time_wait() -> None:
    with serving() as server, Terminal(CLIENT) as client:
        client.expect("Enter message: ")
        server.expect("Connection from: ")
        press_ctrl_c(server, "upcall-server")
        assert server.exit_status() == 130
        client.say("bye")
        assert client.exit_status() == 0
    await_true(lambda: 4141 in sockets("upcall-server", TIME_WAIT), 5, "TIME-WAIT on port 4141")
    with serving() as again:
        press_ctrl_c(again, "upcall-server")
        again.exit_status()


@pytest.mark.usefixtures("idle")
def test_client_before_server_is_refused() -> None:
    client = run(*CLIENT_PIPED, stdin=b"1\n")
    said = client.stderr.decode()
    assert client.returncode == 1
    assert said.startswith("Connection refused: ")
    assert " ".join(SERVER) in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("idle")
def test_unreachable_server_is_told_apart_from_a_refusal() -> None:
    inside = ("nsenter", "-t", str(container("upcall-server")["State"]["Pid"]), "-n")
    succeed(*inside, "ip", "link", "set", "eth0", "down")
    try:
        client = run(*CLIENT_PIPED, stdin=b"1\n")
    finally:
        succeed(*inside, "ip", "link", "set", "eth0", "up")
    said = client.stderr.decode()
    assert client.returncode == 1
    assert said.startswith("No answer: ")
    assert f"{' '.join(COMPOSE)} down" in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("idle")
def test_ctrl_c_at_a_server_that_waits_for_a_client() -> None:
    with serving() as server:
        press_ctrl_c(server, "upcall-server")
        assert server.exit_status() == 130
    assert server.text.endswith("Stopped by Ctrl-C.\n")
    assert "Traceback" not in server.text
    assert listening("upcall-server") == []


def test_ctrl_c_at_the_server_closes_and_the_client_who_types_is_told(wire: Wire) -> None:
    with serving() as server, Terminal(CLIENT) as client:
        client.expect("Enter message: ")
        client.say("1")
        client.expect("Enter another message: ")
        server.expect("Received from client: 1\n")
        press_ctrl_c(server, "upcall-server")
        assert server.exit_status() == 130
        segments = wire.await_segment(lambda segment: segment.fin, "FIN of the server")
        assert first_end(segments, of_server=True) == "FIN"
        client.say("2")
        assert client.exit_status() == 1
    assert "The server closed the connection" in client.text
    assert "Traceback" not in client.text + server.text


def test_ctrl_c_at_a_client_that_is_asked_for_a_message(wire: Wire) -> None:
    with serving() as server, Terminal(CLIENT) as client:
        client.expect("Enter message: ")
        press_ctrl_c(client, "upcall-client")
        assert client.exit_status() == 130
        assert server.exit_status() == 0
    assert client.text.endswith("Stopped by Ctrl-C.\n")
    assert "Traceback" not in client.text + server.text
    assert not any(segment.rst for segment in wire.await_close())


def test_ctrl_c_at_a_client_that_waits_for_the_upcall(wire: Wire) -> None:
    with serving() as server, Terminal(CLIENT) as client:
        client.expect("Enter message: ")
        signal_server("SIGSTOP")
        client.say("1")
        wire.await_segment(lambda segment: segment.data == b"1", "the message")
        press_ctrl_c(client, "upcall-client")
        assert client.exit_status() == 130
        segments = wire.await_segment(lambda segment: segment.fin, "FIN of the client")
        assert first_end(segments, of_server=False) == "FIN"
        signal_server("SIGCONT")
        server.exit_status()
    assert "Received from client: 1\n" in server.text
    assert "Traceback" not in client.text + server.text


def test_server_killed_while_the_client_waits_for_the_upcall(wire: Wire) -> None:
    with serving() as server, Terminal(CLIENT) as client:
        client.expect("Enter message: ")
        signal_server("SIGSTOP")
        client.say("1")
        wire.await_segment(lambda segment: segment.data == b"1", "the message")
        signal_server("SIGKILL")
        assert client.exit_status() == 1
        server.exit_status()
    # Data that nobody read is in the killed server's socket: this end is a RST (RFC 9293, 3.10.4).
    assert first_end(wire.segments(), of_server=True) == "RST"
    assert "The server closed the connection" in client.text
    assert "Traceback" not in client.text


@pytest.mark.usefixtures("idle")
def test_a_server_whose_client_resets_says_so() -> None:
    reset = (
        "import socket, struct; s = socket.create_connection(('upcall-server', 4141));"
        " s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); s.close()"
    )
    with serving() as server:
        python_in("upcall-client", reset)
        assert server.exit_status() == 1
    assert "The connection broke off: " in server.text
    assert "Traceback" not in server.text


@pytest.mark.usefixtures("idle")
def test_no_server_is_left_by_this_file() -> None:
    assert listening("upcall-server") == []
    assert "servercall.py" not in compose("top")
