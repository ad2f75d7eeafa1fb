"""The same check with scapy: ``scapy_check.py FOLDER`` prints how many captures are complete."""

from __future__ import annotations

import sys
from pathlib import Path

from scapy.layers.inet import TCP
from scapy.layers.l2 import Ether  # noqa: F401 (reading needs it known)
from scapy.packet import Raw
from scapy.utils import PcapReader

PREFIX = b"Upcall event: Processing "
PORT = 4141


def complete(path: Path) -> bool:
    """Handshake, at least two messages, each answered by its upcall, closed, not reset."""
    flags: list[tuple[bool, str]] = []
    messages: list[bytes] = []
    upcalls: list[bytes] = []
    with PcapReader(str(path)) as reader:
        for packet in reader:
            if TCP not in packet or PORT not in (packet[TCP].sport, packet[TCP].dport):
                continue
            tcp = packet[TCP]
            by_client = tcp.dport == PORT
            flags.append((by_client, str(tcp.flags)))
            if Raw in tcp:
                (messages if by_client else upcalls).append(tcp[Raw].load)
    return (
        (True, "S") in flags
        and (False, "SA") in flags
        and len(messages) >= 2
        and upcalls == [PREFIX + message for message in messages]
        and len({by_client for by_client, text in flags if "F" in text}) == 2
        and not any("R" in text for _, text in flags)
    )


if __name__ == "__main__":
    print(sum(complete(path) for path in sorted(Path(sys.argv[1]).iterdir())))
