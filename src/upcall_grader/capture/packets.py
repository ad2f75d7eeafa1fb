"""From a frame to its TCP segment, or to the name of what else it is.

Every length in a packet is checked against the bytes that are there; what cannot be followed
becomes an ``Other`` with the name of the layer where it ended.

Sources: RFC 791 (IPv4), RFC 8200 (IPv6), RFC 9293 section 3.1 (TCP header), IEEE 802.1Q (VLAN
tags), the tcpdump group's descriptions of LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2, LINKTYPE_NULL
and LINKTYPE_LOOP.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import NamedTuple, Union

from upcall_grader.capture import frames
from upcall_grader.capture.fragments import Fragments
from upcall_grader.capture.frames import Frame
from upcall_grader.pythons import SLOTS

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_FLAG_NAMES = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")

ETHER_IPV4, ETHER_ARP, ETHER_IPV6 = 0x0800, 0x0806, 0x86DD
_VLAN_TAGS = frozenset((0x8100, 0x88A8, 0x9100, 0x9200))
_ETHER_NAMES = {
    ETHER_ARP: "ARP",
    0x8035: "RARP",
    0x888E: "EAPOL",
    0x88CC: "LLDP",
    0x8863: "PPPoE",
    0x8864: "PPPoE",
    0x8847: "MPLS",
    0x88E1: "HomePlug",
    0x893A: "IEEE 1905",
}
_IP_NAMES = {1: "ICMP", 2: "IGMP", 4: "IPv4 in IP", 41: "IPv6 in IP", 47: "GRE", 50: "ESP"}
_IP_NAMES |= {58: "ICMPv6", 59: "IPv6", 89: "OSPF", 103: "PIM", 112: "VRRP", 132: "SCTP"}
_TCP, _UDP, _FRAGMENT = 6, 17, 44
_IPV6_OPTIONS = frozenset((0, 43, 60))
_UDP_NAMES = {53: "DNS", 67: "DHCP", 68: "DHCP", 69: "TFTP", 123: "NTP", 137: "NBNS", 138: "NBDS"}
_UDP_NAMES |= {443: "QUIC", 514: "Syslog", 546: "DHCPv6", 547: "DHCPv6", 1900: "SSDP"}
_UDP_NAMES |= {4789: "VXLAN", 5353: "MDNS", 5355: "LLMNR"}
_TCP_NAMES = {21: "FTP", 22: "SSH", 23: "Telnet", 25: "SMTP", 53: "DNS", 80: "HTTP", 443: "TLS"}
_TCP_NAMES |= {1883: "MQTT", 5432: "PostgreSQL", 3306: "MySQL", 8080: "HTTP"}
LINK_NOISE = frozenset(
    ("ARP", "RARP", "LLDP", "STP", "LLC", "IGMP", "ICMPv6", "IPv6", "DHCP", "DHCPv6")
)
LINK_NOISE |= {"MDNS", "LLMNR", "NBNS", "NBDS", "SSDP"}
"""Protocols that hosts speak by themselves, whatever lab is going on."""
# 2 is AF_INET everywhere; AF_INET6 is 10, 24, 28 or 30, depending on the system that captured.
_FAMILIES = {2: ETHER_IPV4, 10: ETHER_IPV6, 24: ETHER_IPV6, 28: ETHER_IPV6, 30: ETHER_IPV6}

_IPV4 = Struct(">BBHHHBBH4s4s")
_IPV6 = Struct(">IHBB16s16s")
_TCP_HEADER = Struct(">HHIIHHHH")
_PORTS = Struct(">HH")
_MAX_HEADERS = 16
_RAW = frozenset(
    (
        frames.LINK_RAW,
        frames.LINK_RAW_BSD,
        frames.LINK_RAW_OPENBSD,
        frames.LINK_IPV4,
        frames.LINK_IPV6,
    )
)


class Segment(NamedTuple):
    """One TCP segment.

    ``source`` and ``destination`` are packed addresses (4 or 16 bytes), ``seq`` and ``ack`` as on
    the wire. ``payload`` is what was captured, ``length`` what was sent, in bytes; they differ
    where the snap length cut the packet. ``ip_id`` is IPv4's identification, None with IPv6.
    """

    frame: int
    time_ns: int | None
    source: bytes
    source_port: int
    destination: bytes
    destination_port: int
    seq: int
    ack: int
    flags: int
    window: int
    options: bytes
    payload: bytes
    length: int
    ip_id: int | None

    def on_port(self, port: int) -> bool:
        """Return whether one of its two ports is ``port``."""
        return port in (self.source_port, self.destination_port)


@dataclass(**SLOTS)
class Other:
    """A frame without a TCP segment of its own.

    ``protocol`` is the name of its innermost known layer; addresses are printable text, "" if
    unknown.
    """

    frame: int
    time_ns: int | None
    protocol: str
    source: str = ""
    destination: str = ""
    detail: str = ""


Packet = Union[Segment, Other]


@dataclass(**SLOTS)
class _Datagram:
    source: bytes
    destination: bytes
    protocol: int
    ip_id: int | None
    payload: bytes
    length: int


@lru_cache(maxsize=4096)
def address_text(packed: bytes) -> str:
    """Return a packed IPv4, IPv6 or MAC address as text."""
    if len(packed) in (4, 16):
        return str(ipaddress.ip_address(packed))
    return packed.hex(":")


def endpoint_text(packed: bytes, port: int) -> str:
    """Return ``address:port``, an IPv6 address in brackets (RFC 5952 section 6)."""
    text = address_text(packed)
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


def flags_text(flags: int) -> str:
    """Return TCP flags in words, as Wireshark writes them: ``[SYN, ACK]``."""
    names = [name for bit, name in enumerate(_FLAG_NAMES) if flags & (1 << bit)]
    return f"[{', '.join(names) or '<None>'}]"


def tcp_name(source_port: int, destination_port: int) -> str:
    """Return the protocol that usually runs on one of the two ports, or "TCP"."""
    return _TCP_NAMES.get(destination_port) or _TCP_NAMES.get(source_port) or "TCP"


class Decoder:
    """Decodes the frames of one capture; remembers IP fragments between them."""

    def __init__(self) -> None:
        self._fragments = Fragments()

    def decode(self, frame: Frame) -> Packet:
        """Return the frame's TCP segment, or what else it is. Never raises, whatever it holds."""
        network = _network(frame.link_type, frame.data)
        if isinstance(network, str):
            source, destination = _macs(frame)
            return Other(frame.number, frame.time_ns, network, source, destination)
        ether_type, start = network
        data = frame.data[start:]
        length = frame.original_length - start
        if ether_type == ETHER_IPV4:
            return self._ipv4(frame, data, length)
        if ether_type == ETHER_IPV6:
            return self._ipv6(frame, data, length)
        if ether_type == ETHER_ARP:
            return _arp(frame, data)
        source, destination = _macs(frame)
        name = _ETHER_NAMES.get(ether_type, f"EtherType 0x{ether_type:04x}")
        return Other(frame.number, frame.time_ns, name, source, destination)

    def _ipv4(self, frame: Frame, data: bytes, length: int) -> Packet:
        if len(data) < _IPV4.size:
            return Other(frame.number, frame.time_ns, "IPv4", detail="header cut off")
        first, _, total, ident, fragment, _, protocol, _, source, destination = _IPV4.unpack_from(
            data
        )
        header = (first & 0x0F) * 4
        # A total length of 0 is left by segmentation offload: then the frame's own length holds.
        length = min(total or length, length)
        if first >> 4 != 4 or header < 20 or length < header:
            return _other_ip(frame, "IPv4", source, destination, "damaged header")
        datagram = _Datagram(
            source, destination, protocol, ident, data[header:length], length - header
        )
        offset, more = (fragment & 0x1FFF) * 8, bool(fragment & 0x2000)
        if offset or more:
            return self._fragment(frame, datagram, ident, offset, more, "IPv4")
        return _transport(frame, datagram)

    def _ipv6(self, frame: Frame, data: bytes, length: int) -> Packet:
        if len(data) < _IPV6.size:
            return Other(frame.number, frame.time_ns, "IPv6", detail="header cut off")
        first, payload_length, protocol, _, source, destination = _IPV6.unpack_from(data)
        length = min(_IPV6.size + payload_length if payload_length else length, length)
        if first >> 28 != 6:
            return _other_ip(frame, "IPv6", source, destination, "damaged header")
        at = _IPV6.size
        for _ in range(_MAX_HEADERS):
            if protocol not in _IPV6_OPTIONS and protocol != _FRAGMENT:
                break
            if at + 8 > min(len(data), length):
                return _other_ip(frame, "IPv6", source, destination, "extension header cut off")
            following = data[at]
            if protocol == _FRAGMENT:
                field = int.from_bytes(data[at + 2 : at + 4], "big")
                ident = int.from_bytes(data[at + 4 : at + 8], "big")
                at += 8
                datagram = _Datagram(
                    source, destination, following, None, data[at:length], max(length - at, 0)
                )
                offset, more = field & 0xFFF8, bool(field & 1)
                if offset or more:
                    return self._fragment(frame, datagram, ident, offset, more, "IPv6")
            else:
                at += 8 + data[at + 1] * 8
            protocol = following
        datagram = _Datagram(
            source, destination, protocol, None, data[at:length], max(length - at, 0)
        )
        return _transport(frame, datagram)

    def _fragment(
        self, frame: Frame, datagram: _Datagram, ident: int, offset: int, more: bool, name: str
    ) -> Packet:
        """Take a fragment; the last one to come carries the segment, as in Wireshark."""
        key = (datagram.source, datagram.destination, datagram.protocol, ident)
        whole = self._fragments.add(key, offset, more, datagram.payload, datagram.length)
        if whole is None:
            return _other_ip(
                frame, f"{name} fragment", datagram.source, datagram.destination, f"offset {offset}"
            )
        datagram.payload, datagram.length = whole
        return _transport(frame, datagram)


def _network(link_type: int, data: bytes) -> tuple[int, int] | str:
    """Return EtherType and offset of the network layer, or the name of what is there instead."""
    if link_type == frames.LINK_ETHERNET:
        return _ether_type(data, 12)
    if link_type == frames.LINK_LINUX_SLL:
        return _ether_type(data, 14)
    if link_type == frames.LINK_LINUX_SLL2:
        if len(data) < 20:
            return "Linux cooked v2"
        return _behind_tags(data, int.from_bytes(data[:2], "big"), 20)
    if link_type in (frames.LINK_NULL, frames.LINK_LOOP):
        return _loopback(data, link_type)
    if link_type in _RAW:
        version = data[0] >> 4 if data else 0
        types = {4: ETHER_IPV4, 6: ETHER_IPV6}
        return (types[version], 0) if version in types else "raw data"
    return frames.OTHER_RECORDS.get(-link_type, f"link type {link_type}")


def _ether_type(data: bytes, at: int) -> tuple[int, int] | str:
    if len(data) < at + 2:
        return "cut-off link header"
    return _behind_tags(data, int.from_bytes(data[at : at + 2], "big"), at + 2)


def _behind_tags(data: bytes, ether_type: int, at: int) -> tuple[int, int] | str:
    """Step over VLAN tags (IEEE 802.1Q) and a SNAP header (RFC 1042)."""
    for _ in range(_MAX_HEADERS):
        if ether_type not in _VLAN_TAGS:
            break
        if len(data) < at + 4:
            return "VLAN"
        ether_type = int.from_bytes(data[at + 2 : at + 4], "big")
        at += 4
    if ether_type >= 0x0600:
        return ether_type, at
    logical = data[at : at + 8]
    if logical[:3] == b"\xaa\xaa\x03" and len(logical) == 8:
        return int.from_bytes(logical[6:8], "big"), at + 8
    return "STP" if logical[:2] == b"\x42\x42" else "LLC"


def _loopback(data: bytes, link_type: int) -> tuple[int, int] | str:
    """Read the address family, whose byte order (the capturing machine's) no field names."""
    if len(data) < 4:
        return "cut-off link header"
    family = int.from_bytes(data[:4], "big")
    if link_type == frames.LINK_NULL and family not in _FAMILIES:
        family = int.from_bytes(data[:4], "little")
    if family in _FAMILIES:
        return _FAMILIES[family], 4
    return f"address family {family}"


def _macs(frame: Frame) -> tuple[str, str]:
    if frame.link_type == frames.LINK_ETHERNET and len(frame.data) >= 12:
        return address_text(frame.data[6:12]), address_text(frame.data[:6])
    return "", ""


def _arp(frame: Frame, data: bytes) -> Other:
    """Describe ARP for IPv4 (RFC 826): who asks for whom, or who answers whom."""
    other = Other(frame.number, frame.time_ns, "ARP")
    if len(data) >= 28 and data[2:6] == b"\x08\x00\x06\x04":
        other.source, other.destination = address_text(data[14:18]), address_text(data[24:28])
        if data[6:8] == b"\0\1":
            other.detail = f"who has {other.destination}?"
        elif data[6:8] == b"\0\2":
            other.detail = f"{other.source} is at {address_text(data[8:14])}"
    return other


def _other_ip(
    frame: Frame, name: str, source: bytes, destination: bytes, detail: str = ""
) -> Other:
    return Other(
        frame.number,
        frame.time_ns,
        name,
        address_text(source),
        address_text(destination),
        detail,
    )


def _transport(frame: Frame, datagram: _Datagram) -> Packet:
    source, destination, payload = datagram.source, datagram.destination, datagram.payload
    if datagram.protocol == _TCP:
        return _tcp(frame, datagram)
    if datagram.protocol == _UDP and len(payload) >= _PORTS.size:
        ports = _PORTS.unpack_from(payload)
        name = _UDP_NAMES.get(ports[1]) or _UDP_NAMES.get(ports[0]) or "UDP"
        other = _other_ip(frame, name, source, destination)
        other.source = endpoint_text(source, ports[0])
        other.destination = endpoint_text(destination, ports[1])
        return other
    names = _IP_NAMES | {_UDP: "UDP"}
    name = names.get(datagram.protocol, f"IP protocol {datagram.protocol}")
    return _other_ip(frame, name, source, destination)


def _tcp(frame: Frame, datagram: _Datagram) -> Packet:
    payload = datagram.payload
    if len(payload) < _TCP_HEADER.size:
        return _other_ip(frame, "TCP", datagram.source, datagram.destination, "header cut off")
    sport, dport, seq, ack, offset_flags, window, _, _ = _TCP_HEADER.unpack_from(payload)
    header = (offset_flags >> 12) * 4
    if header < _TCP_HEADER.size or header > datagram.length:
        return _other_ip(frame, "TCP", datagram.source, datagram.destination, "damaged header")
    return Segment(
        frame=frame.number,
        time_ns=frame.time_ns,
        source=datagram.source,
        source_port=sport,
        destination=datagram.destination,
        destination_port=dport,
        seq=seq,
        ack=ack,
        flags=offset_flags & 0x1FF,
        window=window,
        options=payload[_TCP_HEADER.size : header],
        payload=payload[header:],
        length=datagram.length - header,
        ip_id=datagram.ip_id,
    )
