"""A real exchange on the loopback interface, captured by a real tcpdump."""

import os
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import closing

MARKER = b"every packet before this one has been written"
DEADLINE = 20.0


def capture(
    messages: Sequence[bytes], extra: Sequence[str] = (), address: str = "127.0.0.1"
) -> tuple[bytes, int]:
    """Return the capture's bytes and the server's port.

    In immediate mode the kernel's ring has one slot of the snap length for each packet: the default
    of 256 KiB leaves 32 slots in 8 MiB, too few on a busy machine; 4 KiB leave 2,000.
    A UDP datagram sent after the close tells that tcpdump has written everything before it.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.create_server((address, 0), family=family)) as server:
        port = server.getsockname()[1]
        command = [
            "tcpdump",
            "-i",
            "lo",
            "-n",
            "--immediate-mode",
            "-U",
            "-s",
            "4096",
            "-B",
            "8192",
            *extra,
        ]
        if os.geteuid() == 0:
            command += ["-Z", "root"]
        command += ["-w", "-", f"port {port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tcpdump:
            timer = threading.Timer(DEADLINE, tcpdump.kill)
            timer.start()
            try:
                data = _exchange(tcpdump, server, address, messages)
            finally:
                timer.cancel()
                tcpdump.terminate()
    return data, port


def _exchange(
    tcpdump: "subprocess.Popen[bytes]",
    server: socket.socket,
    address: str,
    messages: Sequence[bytes],
) -> bytes:
    assert tcpdump.stdout is not None
    assert tcpdump.stderr is not None
    said = b""
    while b"listening on" not in said:
        line = tcpdump.stderr.readline()
        assert line, f"tcpdump stopped: {said.decode()}"
        said += line
    port = server.getsockname()[1]
    thread = threading.Thread(target=_serve, args=(server,), daemon=True)
    thread.start()
    with socket.create_connection((address, port), timeout=DEADLINE) as client:
        for message in messages:
            client.sendall(message)
            received = b""
            while len(received) < len(message) + len(b"Upcall event: Processing "):
                more = client.recv(4096)
                assert more, f"the server left after {received!r}"
                received += more
    thread.join(DEADLINE)
    with socket.socket(server.family, socket.SOCK_DGRAM) as marker:
        marker.sendto(MARKER, (address, port))
    data = b""
    while MARKER not in data:
        more = os.read(tcpdump.stdout.fileno(), 65536)
        assert more, "tcpdump ended before the exchange was written"
        data += more
    return data


def _serve(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        while data := connection.recv(1024):
            connection.sendall(b"Upcall event: Processing " + data)
