"""The same check with dpkt: ``dpkt_check.py CAPTURE...`` prints how many connections are complete.

Plain dpkt as its documentation shows it: its reader, its objects, a dictionary of connections.
"""

from __future__ import annotations

import sys
from pathlib import Path

import dpkt

PREFIX = b"Upcall event: Processing "
PORT = 4141


class Connection:
    """What the check needs of one connection."""

    def __init__(self, client: tuple[bytes, int]) -> None:
        self.client = client
        self.flags: list[tuple[bool, int]] = []
        self.messages: list[bytes] = []
        self.upcalls: list[bytes] = []

    def add(self, by_client: bool, flags: int, data: bytes) -> None:
        """Take one segment."""
        self.flags.append((by_client, flags))
        if data:
            (self.messages if by_client else self.upcalls).append(data)

    def complete(self) -> bool:
        """Handshake, at least two messages, each answered by its upcall, closed, not reset."""
        syn, syn_ack = (True, dpkt.tcp.TH_SYN), (False, dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK)
        fins = {by_client for by_client, flags in self.flags if flags & dpkt.tcp.TH_FIN}
        return (
            syn in self.flags
            and syn_ack in self.flags
            and len(self.messages) >= 2
            and self.upcalls == [PREFIX + message for message in self.messages]
            and len(fins) == 2
            and not any(flags & dpkt.tcp.TH_RST for _, flags in self.flags)
        )


def complete(path: Path) -> int:
    """Return how many connections are complete; those whose ends open anew are let go."""
    count = 0
    open_: dict[frozenset[tuple[bytes, int]], Connection] = {}
    with path.open("rb") as stream:
        for _, data in dpkt.pcap.Reader(stream):
            ip = dpkt.ethernet.Ethernet(data).data
            tcp = ip.data if isinstance(ip, dpkt.ip.IP) else None
            if not isinstance(tcp, dpkt.tcp.TCP) or PORT not in (tcp.sport, tcp.dport):
                continue
            source = (ip.src, tcp.sport)
            key = frozenset((source, (ip.dst, tcp.dport)))
            opens = tcp.flags & (dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK) == dpkt.tcp.TH_SYN
            if key in open_ and opens:
                count += open_.pop(key).complete()
            connection = open_.setdefault(key, Connection(source))
            connection.add(connection.client == source, tcp.flags, tcp.data)
    return count + sum(connection.complete() for connection in open_.values())


if __name__ == "__main__":
    print(sum(complete(Path(name)) for name in sys.argv[1:]))
