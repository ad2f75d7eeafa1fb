"""Layouts and numbers of the capture file formats, taken from dpkt.

dpkt knows the formats' tables: magic numbers, byte orders, headers. Its readers are not used,
because with dpkt 1.9.8 they

* give a record that the file's end cuts off as if it were whole,
* drop the original length and turn times into floating point,
* apply a pcapng file's first interface (link type, time resolution) to every interface and section,
* skip Simple Packet Blocks, so that frame numbers differ from Wireshark's,
* stop at a comment that is no UTF-8, and take lengths from the file on trust.

``reading`` walks the records itself, with the layouts below.

Sources: draft-ietf-opsawg-pcap (sections 4 and 5), draft-ietf-opsawg-pcapng (section 4).
"""

from __future__ import annotations

from struct import Struct
from typing import Any, NamedTuple

from dpkt import pcap, pcapng


class PcapLayout(NamedTuple):
    """How the numbers of one pcap file are written: chosen by its first four bytes."""

    file_header: Struct
    record_header: Struct
    nanoseconds_per_tick: int


def _layout(header: Any, suffix: str = "") -> Struct:
    """Return the fixed part of a dpkt header class as a struct, without ``suffix`` at its end."""
    return Struct(str(header.__hdr_fmt__).removesuffix(suffix))


def _pcap_layouts() -> dict[bytes, PcapLayout]:
    layouts = {}
    for magic, record in pcap.MAGIC_TO_PKT_HDR.items():
        little = record.__hdr_fmt__.startswith("<")
        nano = magic in (pcap.TCPDUMP_MAGIC_NANO, pcap.PMUDPCT_MAGIC_NANO)
        layouts[magic.to_bytes(4, "big")] = PcapLayout(
            file_header=_layout(pcap.LEFileHdr if little else pcap.FileHdr),
            record_header=_layout(record),
            nanoseconds_per_tick=1 if nano else 1000,
        )
    return layouts


PCAP_LAYOUTS = _pcap_layouts()
"""First four bytes of a pcap file -> its layout (both byte orders, micro- and nanoseconds, and the
modified records of some old tcpdumps)."""


class PcapngLayout(NamedTuple):
    """The blocks of one pcapng section, in its byte order.

    The length that each block repeats at its end is left out.
    """

    section: Struct
    interface: Struct
    enhanced: Struct
    packet: Struct
    block: Struct
    option: Struct
    number: Struct
    signed64: Struct


def _pcapng_layout(order: str, kind: str) -> PcapngLayout:
    def block(name: str) -> Struct:
        return _layout(getattr(pcapng, name + kind), "I")

    return PcapngLayout(
        section=block("SectionHeaderBlock"),
        interface=block("InterfaceDescriptionBlock"),
        enhanced=block("EnhancedPacketBlock"),
        packet=block("PacketBlock"),
        block=Struct(order + "II"),
        option=_layout(getattr(pcapng, "PcapngOption" + kind)),
        number=Struct(order + "I"),
        signed64=Struct(order + "q"),
    )


PCAPNG_LAYOUTS = {
    pcapng.BYTE_ORDER_MAGIC.to_bytes(4, "little"): _pcapng_layout("<", "LE"),
    pcapng.BYTE_ORDER_MAGIC.to_bytes(4, "big"): _pcapng_layout(">", ""),
}
"""Byte-order magic as it stands in a Section Header Block -> layout of the section."""

PCAPNG_MAGIC = int(pcapng.PCAPNG_BT_SHB).to_bytes(4, "big")
CAPTURES = frozenset((PCAPNG_MAGIC, *PCAP_LAYOUTS))
"""First four bytes of captures."""
BLOCK_SECTION = int(pcapng.PCAPNG_BT_SHB)
BLOCK_INTERFACE = int(pcapng.PCAPNG_BT_IDB)
BLOCK_PACKET = int(pcapng.PCAPNG_BT_PB)
BLOCK_SIMPLE = int(pcapng.PCAPNG_BT_SPB)
BLOCK_ENHANCED = int(pcapng.PCAPNG_BT_EPB)
OPTION_END = int(pcapng.PCAPNG_OPT_ENDOFOPT)
OPTION_TIME_RESOLUTION = int(pcapng.PCAPNG_OPT_IF_TSRESOL)
OPTION_TIME_OFFSET = int(pcapng.PCAPNG_OPT_IF_TSOFFSET)
