"""What is on the lab's bridge, seen by tcpdump and read by dpkt."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import dpkt

from tests.lab.compose import await_true, inspect

PORT = 4141


@dataclass(frozen=True)
class Segment:
    """One TCP segment: who sent it, its flags and its data (RFC 9293, section 3.1)."""

    to_server: bool
    syn: bool
    fin: bool
    rst: bool
    data: bytes


def bridge(name: str) -> str:
    """Return a bridge network's interface on this machine."""
    network = inspect(name)
    named = network["Options"].get("com.docker.network.bridge.name")
    return str(named or f"br-{network['Id'][:12]}")


class Wire:
    """tcpdump on a network's bridge, from entering the context until leaving it."""

    def __init__(self, folder: Path, network: str) -> None:
        self._bridge = bridge(network)
        self._file = folder / "wire.pcap"
        self._log = folder / "tcpdump.log"

    def __enter__(self) -> Self:
        command = ["tcpdump", "--immediate-mode", "-U", "-n", "-i", self._bridge, "-w", "-"]
        # Our own open file: tcpdump drops root, and could not write into this folder itself.
        with self._file.open("wb") as stdout, self._log.open("wb") as stderr:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
            )
        await_true(lambda: b"listening on" in self._log.read_bytes(), 10, "tcpdump listening")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)

    def segments(self) -> list[Segment]:
        """Return the TCP segments seen so far; a last one that is half written is left out."""
        return [
            Segment(
                to_server=tcp.dport == PORT,
                syn=bool(tcp.flags & dpkt.tcp.TH_SYN),
                fin=bool(tcp.flags & dpkt.tcp.TH_FIN),
                rst=bool(tcp.flags & dpkt.tcp.TH_RST),
                data=bytes(tcp.data),
            )
            for tcp in self._tcp()
        ]

    def _tcp(self) -> list[dpkt.tcp.TCP]:
        segments = []
        with self._file.open("rb") as stream:
            try:
                for _, frame in dpkt.pcap.Reader(stream):
                    packet = dpkt.ethernet.Ethernet(frame).data
                    if isinstance(packet, dpkt.ip.IP) and isinstance(packet.data, dpkt.tcp.TCP):
                        segments.append(packet.data)
            except (ValueError, dpkt.dpkt.NeedData):
                pass  # the rest is still on its way into the file
        return segments

    def await_segment(self, wanted: Callable[[Segment], bool], what: str) -> list[Segment]:
        """Wait for a segment and return all that were seen until then."""
        await_true(lambda: any(map(wanted, self.segments())), 10, f"{what} on the bridge")
        return self.segments()

    def await_close(self) -> list[Segment]:
        """Wait for a FIN of each side and return all segments."""
        self.await_segment(lambda segment: segment.fin and segment.to_server, "FIN of the client")
        return self.await_segment(
            lambda segment: segment.fin and not segment.to_server, "FIN of the server"
        )


def messages(segments: list[Segment]) -> list[bytes]:
    """Return the data that went to the server, one item a segment."""
    return [segment.data for segment in segments if segment.to_server and segment.data]


def upcalls(segments: list[Segment]) -> list[bytes]:
    """Return the data that went to the client, one item a segment."""
    return [segment.data for segment in segments if not segment.to_server and segment.data]
