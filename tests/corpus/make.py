"""Makes the captures of the corpus anew: the lab's own server and client, captured by tcpdump.

Run by ``scripts/corpus``. Every wait is for something that can be read: what a terminal shows, or
what tshark finds in the file so far. Nothing but the lab's bridge and the loopback interface is
listened to.
"""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from tests.lab.compose import (
    CLIENT,
    CLIENT_PIPED,
    COMPOSE,
    IMAGE,
    NETWORK,
    SERVER,
    await_health,
    await_true,
    compose,
    inspect,
    leftovers,
    python_in,
    run,
    succeed,
)
from tests.lab.wire import bridge
from tests.support.terminal import CTRL_C, Terminal

FOLDER = Path(__file__).resolve().parent
LISTENING = "Upcall server listening on 0.0.0.0:4141\n"
FIRST, NEXT = "Enter message: ", "Enter another message: "
PATIENCE = 10  # seconds
LONG = "0123456789abcdef" * 64  # 1024 bytes, the longest message
INDONESIAN = ("Selamat pagi, apa kabar? ☀", "Terima kasih, baik-baik saja — “sampai jumpa”")
HOSTILE = (
    b"\x1b]0;owned\x07\x1b[2J\x1b[31mred",
    b"<script>alert(1)</script><img src=x onerror=alert(2)>",
    b'=HYPERLINK("http://x.invalid/?"&A1,"grade")',
    b"\xff\xfe no UTF-8, \xe2\x80\xae turned round",
)
# A client that sends its second and third message together, in one segment.
HASTY = (
    "import socket\n"
    "s = socket.create_connection(('upcall-server', 4141))\n"
    "s.sendall(b'one')\n"
    "s.recv(1024)\n"
    "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)\n"
    "s.sendall(b'two')\n"
    "s.sendall(b'three')\n"
    "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)\n"
    "s.recv(1024)\n"
    "s.close()\n"
)
# A client that throws its connection away: close() with a linger time of 0 sends RST.
RUDE = (
    "import socket, struct\n"
    "s = socket.create_connection(('upcall-server', 4141))\n"
    "for word in (b'1', b'2'):\n"
    "    s.sendall(word)\n"
    "    s.recv(1024)\n"
    "s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\n"
    "s.close()\n"
)
# Peers of other exercises: HTTP, something on MQTT's port, UDP, ping.
OTHER_SERVER = (
    "import http.server, socket, threading\n"
    "web = http.server.ThreadingHTTPServer(('', 8000), http.server.BaseHTTPRequestHandler)\n"
    "threading.Thread(target=web.serve_forever, daemon=True).start()\n"
    "broker = socket.create_server(('', 1883))\n"
    "udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    "udp.bind(('', 5005))\n"
    "print('ready', flush=True)\n"
    "with broker.accept()[0] as peer:\n"
    "    peer.recv(64)\n"
    "    peer.sendall(bytes.fromhex('20020000'))\n"
    "    peer.recv(64)\n"
    "data, peer = udp.recvfrom(64)\n"
    "udp.sendto(data, peer)\n"
)
OTHER_CLIENT = (
    "import socket, urllib.error, urllib.request\n"
    "try:\n"
    "    urllib.request.urlopen('http://upcall-server:8000/')\n"
    "except urllib.error.HTTPError:\n"
    "    pass\n"
    "s = socket.create_connection(('upcall-server', 1883))\n"
    "s.sendall(bytes.fromhex('100c00044d5154540402003c0000'))\n"
    "s.recv(64)\n"
    "s.close()\n"
    "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    "u.connect(('upcall-server', 5005))\n"
    "u.send(b'datagram')\n"
    "u.recv(64)\n"
)
PING = (
    "import socket\n"
    "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)\n"
    "s.settimeout(5)\n"
    "s.connect(('upcall-server', 0))\n"
    "for number in (1, 2, 3):\n"
    "    s.send(bytes([8, 0, 0, 0, 0, 0, 0, number]) + b'is there anybody')\n"
    "    s.recv(64)\n"
)


class Recording:
    """A capture ``FOLDER/name``, from entering the context until leaving it."""

    def __init__(self, name: str, *options: str, interface: str = "") -> None:
        self.path = FOLDER / name
        self._options = ("-i", interface or bridge(NETWORK), *options)

    def __enter__(self) -> Self:
        command = ["tcpdump", "-n", "--immediate-mode", "-U", "-Z", "root", "-w", "-"]
        with self.path.open("wb") as out:
            self._process = subprocess.Popen(
                [*command, *self._options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
            )
        assert self._process.stderr is not None
        said = b""
        while b"listening on" not in said:
            line = self._process.stderr.readline()
            assert line, f"tcpdump ended: {said.decode()}"
            said += line
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=PATIENCE)

    def flags(self) -> list[int]:
        """TCP flags of every segment on the lab's port that is in the file so far."""
        shown = run(
            *("tshark", "-n", "-r", str(self.path), "-Y", "tcp.port == 4141"),
            *("-T", "fields", "-e", "tcp.flags"),
        )
        return [int(line, 16) for line in shown.stdout.split()]

    def until(self, condition: Callable[[list[int]], object], what: str) -> None:
        """Wait until the file holds something."""
        await_true(lambda: condition(self.flags()), PATIENCE, f"{what} in {self.path.name}")

    def until_said(self, display_filter: str, count: int) -> None:
        """Wait until so many packets in the file pass a display filter."""
        command = ("tshark", "-n", "-r", str(self.path), "-Y", display_filter)
        await_true(
            lambda: run(*command).stdout.count(b"\n") >= count,
            PATIENCE,
            f"{display_filter} in {self.path.name}",
        )

    def until_closed(self, fins: int = 2) -> None:
        """Wait for so many FINs and the acknowledgement of the last."""
        self.until(
            lambda flags: sum(flag & 1 for flag in flags) >= fins and flags[-1] == 0x10, "close"
        )


@contextmanager
def serving() -> Iterator[Terminal]:
    """Yield the lab's server, listening; ended at the latest when the context is left."""
    with Terminal(SERVER) as server:
        server.expect(LISTENING)
        try:
            yield server
            server.exit_status()
        except BaseException:
            server.type(CTRL_C)
            raise


def say(client: Terminal, *messages: str) -> None:
    """Type messages at the client's prompt, each after the upcall of the one before."""
    for message in messages:
        client.say(message)
        client.expect("Received upcall from server: ")
        client.expect(NEXT)


def exchange(*messages: str) -> None:
    """Make one connection as in the handout, with ``bye`` at the end."""
    with serving(), Terminal(CLIENT) as client:
        client.expect(FIRST)
        say(client, *messages)
        client.say("bye")
        client.exit_status()


def whole(name: str, *options: str, interface: str = "", messages: Sequence[str] = "123") -> None:
    """Capture a complete exchange, from before its beginning until after its close."""
    with Recording(name, *options, interface=interface) as tcpdump:
        exchange(*messages)
        tcpdump.until_closed(4 if interface == "any" else 2)


def on_any_interface() -> None:
    """Capture every packet twice, in both cooked formats; no traffic but the lab's."""
    subnet = inspect(NETWORK)["IPAM"]["Config"][0]["Subnet"]
    whole("any.pcap", "net", subnet, interface="any")
    whole("any-v1.pcap", "-y", "LINUX_SLL", "net", subnet, interface="any")


def mid_stream() -> None:
    """Tcpdump a moment too late: the client has connected already."""
    with serving(), Terminal(CLIENT) as client:
        client.expect(FIRST)
        with Recording("mid-stream.pcap") as tcpdump:
            say(client, "1", "2")
            client.say("bye")
            client.exit_status()
            tcpdump.until_closed()


def only_close() -> None:
    """Tcpdump later still: all messages have been sent."""
    with serving(), Terminal(CLIENT) as client:
        client.expect(FIRST)
        say(client, "1", "2")
        with Recording("only-close.pcap") as tcpdump:
            client.say("bye")
            client.exit_status()
            tcpdump.until_closed()


def stopped_early() -> None:
    """Tcpdump stopped before the client said bye."""
    with serving(), ExitStack() as stack:
        with Recording("stopped-early.pcap") as tcpdump:
            client = stack.enter_context(Terminal(CLIENT))
            client.expect(FIRST)
            say(client, "1", "2")
            tcpdump.until(lambda flags: flags.count(0x18) >= 4 and flags[-1] == 0x10, "two upcalls")
        client.say("bye")
        client.exit_status()


def nothing_captured() -> None:
    """Tcpdump on the right bridge, and nobody says a word."""
    with Recording("header-only.pcap", "tcp", "port", "4141"):
        pass
    (FOLDER / "nothing.pcap").write_bytes(b"")


def stopped_server() -> None:
    """Ctrl-C at the server, whose FIN is the first; the client closes afterwards."""
    with Recording("server-first.pcap") as tcpdump:
        with serving() as server, Terminal(CLIENT) as client:
            client.expect(FIRST)
            say(client, "1", "2")
            server.type(CTRL_C)
            server.exit_status()
            client.say("bye")
            client.exit_status()
        tcpdump.until_closed()


def gone_server() -> None:
    """Ctrl-C at the server, and the client sends one more message: it is answered by a reset."""
    with Recording("server-gone.pcap") as tcpdump:
        with serving() as server, Terminal(CLIENT) as client:
            client.expect(FIRST)
            say(client, "1", "2")
            server.type(CTRL_C)
            server.exit_status()
            client.say("3")
            client.exit_status()
        tcpdump.until(lambda flags: any(flag & 4 for flag in flags), "a reset")


def stopped_client() -> None:
    """Ctrl-C at the client."""
    with Recording("client-ctrl-c.pcap") as tcpdump:
        with serving(), Terminal(CLIENT) as client:
            client.expect(FIRST)
            say(client, "1", "2")
            client.type(CTRL_C)
            client.exit_status()
        tcpdump.until_closed()


def refused() -> None:
    """Try once without a server: alone in a file, and followed by a good attempt."""
    with Recording("refused.pcap") as tcpdump:
        run(*CLIENT_PIPED, stdin=b"1\n")
        tcpdump.until(lambda flags: any(flag & 4 for flag in flags), "a reset")
    with Recording("refused-then-good.pcap") as tcpdump:
        run(*CLIENT_PIPED, stdin=b"1\n")
        exchange("1", "2")
        tcpdump.until_closed()


def two_connections() -> None:
    """Make two connections: one message is too few, the second connection has enough."""
    with Recording("two-connections.pcap") as tcpdump:
        exchange("1")
        exchange("2", "3")
        tcpdump.until_closed(4)


def own_clients() -> None:
    """Capture a client with two messages in one segment, and one that does not close in order."""
    with Recording("hasty.pcap") as tcpdump:
        with serving():
            python_in("upcall-client", HASTY)
        tcpdump.until_closed()
    with Recording("reset.pcap") as tcpdump:
        with serving():
            python_in("upcall-client", RUDE)
        tcpdump.until(lambda flags: any(flag & 4 for flag in flags), "a reset")


def bye_then_reset() -> None:
    """Capture a client that says bye at once, then one that says more and does not close."""
    with Recording("bye-then-reset.pcap") as tcpdump:
        exchange()
        with serving():
            python_in("upcall-client", RUDE)
        tcpdump.until(lambda flags: any(flag & 4 for flag in flags), "a reset")


def hostile() -> None:
    """Capture what a terminal, browser or spreadsheet would obey, and bytes that are no UTF-8."""
    with Recording("hostile.pcap") as tcpdump:
        with serving():
            run(*CLIENT_PIPED, stdin=b"\n".join(HOSTILE) + b"\n")
        tcpdump.until_closed()


@contextmanager
def other_traffic() -> Iterator[None]:
    """Ping, HTTP, MQTT's port and UDP between the same two containers."""
    command = (*COMPOSE, "exec", "-T", "upcall-server", "python", "-c", OTHER_SERVER)
    with Terminal(command) as server:
        server.expect("ready")
        python_in("upcall-client", PING)
        yield
        python_in("upcall-client", OTHER_CLIENT)
        server.exit_status()


def others() -> None:
    """Other traffic alone, and around an exchange."""
    with Recording("other-traffic.pcap") as tcpdump:
        with other_traffic():
            pass
        tcpdump.until_said("udp.port == 5005", 2)
    with Recording("ping.pcap", "icmp", "or", "arp") as tcpdump:
        python_in("upcall-client", PING)
        tcpdump.until_said("icmp.type == 0", 3)
    with Recording("among-others.pcap") as tcpdump:
        with other_traffic():
            exchange("1", "2")
            tcpdump.until_closed()
        tcpdump.until_said("udp.port == 5005", 2)


def ipv6() -> None:
    """Capture the same dialogue over IPv6, which the lab's network lacks: on loopback."""
    filters = ("tcp", "port", "4141")
    with Recording("ipv6.pcap", *filters, interface="lo") as tcpdump:
        with socket.create_server(("::1", 4141), family=socket.AF_INET6) as listener:
            thread = threading.Thread(target=serve, args=(listener,))
            thread.start()
            with socket.create_connection(("::1", 4141), timeout=PATIENCE) as client:
                for message in (b"1", b"2"):
                    client.sendall(message)
                    client.recv(1024)
            thread.join(PATIENCE)
        tcpdump.until_closed()


def serve(listener: socket.socket) -> None:
    """Do what servercall.py does, for one connection."""
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(1024):
            connection.sendall(b"Upcall event: Processing " + data)


def saved_otherwise() -> None:
    """Save the complete capture as students hand it in: converted, packed, printed, cut off."""
    complete = FOLDER / "complete.pcap"
    succeed("editcap", "-F", "pcapng", str(complete), str(FOLDER / "complete.pcapng"))
    data = complete.read_bytes()
    (FOLDER / "packed.pcap").write_bytes(gzip.compress(data, mtime=0))
    (FOLDER / "cut-off.pcap").write_bytes(data[:-50])
    printed = succeed("tcpdump", "-n", "-t", "-r", str(complete))
    (FOLDER / "printed.pcap").write_text(printed, encoding="utf-8")


def make() -> None:
    """Make every capture of the corpus, in the order of expected.yml."""
    whole("complete.pcap")
    saved_otherwise()
    whole("nanoseconds.pcap", "--nano")
    on_any_interface()
    ipv6()
    whole("indonesian.pcap", messages=INDONESIAN)
    hostile()
    whole("long.pcap", messages=("1", LONG))
    whole("snapped.pcap", "-s", "96", messages=("1", LONG))
    whole("one-message.pcap", messages=("1",))
    whole("no-message.pcap", messages=())
    mid_stream()
    only_close()
    stopped_early()
    nothing_captured()
    stopped_server()
    gone_server()
    stopped_client()
    refused()
    two_connections()
    bye_then_reset()
    own_clients()
    others()


def main() -> None:
    """Bring the lab up, make the captures, take the lab down."""
    if os.geteuid() != 0:
        sys.exit("scripts/corpus listens on the lab's bridge: run it as root")
    missing = [
        name for name in ("docker", "tcpdump", "tshark", "editcap") if not shutil.which(name)
    ]
    if missing:
        sys.exit(f"scripts/corpus needs {', '.join(missing)}: make test-packages engine")
    if run("docker", "image", "inspect", IMAGE).returncode != 0:
        sys.exit(f"no image {IMAGE} on this machine: make lab")
    if leftovers():
        sys.exit("a lab is up on this machine: docker compose -p upcall-lab down, then again")
    try:
        compose("up", "-d")
        for service in ("upcall-server", "upcall-client"):
            await_health(service, "healthy")
        make()
    finally:
        compose("down")
    total = sum(path.stat().st_size for path in FOLDER.glob("*.pcap*"))
    print(f"{len(list(FOLDER.glob('*.pcap*')))} captures, {total} bytes, in tests/corpus")
    print("Now: pytest tests/unit/corpus")


if __name__ == "__main__":
    main()
