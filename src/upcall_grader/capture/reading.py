"""From a capture file to its frames, one after the other, numbered as Wireshark numbers them.

The bytes decide on the format, never the name's ending. A file that ends in the middle of a record,
or is damaged further on, gives every frame before that place; ``Capture.damage`` then says where it
stopped and why.

Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from upcall_grader.capture import formats, variants
from upcall_grader.capture.frames import (
    MAX_CAPTURED,
    NANOSECONDS,
    OTHER_RECORDS,
    CaptureError,
    Frame,
)
from upcall_grader.capture.limits import NO_LIMITS, Limits
from upcall_grader.capture.strangers import LOOKED_AT, stranger
from upcall_grader.capture.unpacking import GZIP, ZIP, unpack
from upcall_grader.cause import Cause
from upcall_grader.pythons import SLOTS

__all__ = ["Capture", "CaptureError", "Damage", "Frame", "open_capture"]

MAX_BLOCK = 16 * 1024 * 1024
"""Bytes: what Wireshark accepts at most as one pcapng block."""
UNLIMITED = 0
_UNWRITTEN = bytes(4096)
"""So many zeros behind a record of zeros show that the file was never written from there on: a hole
that a full disk or a crash has left. No packet is of 1970, without a byte."""
_CONVERTED = 1 << 20
"""Bytes at a file's start that tell whether it was converted."""


class _StopError(Exception):
    """Reading cannot go on behind this place."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.code)
        self.cause = cause


class Damage(NamedTuple):
    """Where reading had to stop before the file's end.

    ``offset`` is the byte at which the unreadable record begins, ``after_frame`` the last frame
    read.
    """

    offset: int
    after_frame: int
    cause: Cause


@dataclass(**SLOTS)
class _Interface:
    """What a pcapng section says of one interface."""

    link_type: int
    snap_length: int
    ticks_per_second: int = 1_000_000
    offset_seconds: int = 0

    def time_ns(self, high: int, low: int) -> int:
        ticks = (high << 32) | low
        nanoseconds = ticks * NANOSECONDS // self.ticks_per_second
        return nanoseconds + self.offset_seconds * NANOSECONDS


class Capture:
    """The frames of one open capture file; iterate once.

    ``file_format`` is "pcap" or "pcapng". ``link_types`` and ``damage`` fill while it is iterated.
    Raises CaptureError for a stream that is no capture, and LimitError for one beyond ``limits``.
    """

    def __init__(self, stream: BinaryIO, limits: Limits = NO_LIMITS) -> None:
        self._stream = stream
        self._limits = limits
        self._offset = 0
        self._record_start = 0
        self._frames = 0
        self.link_types: list[int] = []
        self.damage: Damage | None = None
        self._magic = self._read(4)
        if self._magic.startswith((GZIP, ZIP)) and stream.seekable():
            self._unpack()
        if self._magic == formats.PCAPNG_MAGIC:
            self.file_format = "pcapng"
        elif self._magic in formats.PCAP_LAYOUTS:
            self.file_format = "pcap"
            self._start_pcap()
        else:
            raise CaptureError(stranger(self._magic + self._read(LOOKED_AT)))

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames in file order; raises LimitError, and OSError if the medium fails."""
        walk = self._pcapng() if self.file_format == "pcapng" else self._pcap()
        try:
            for frame in walk:
                if frame.link_type >= 0 and frame.link_type not in self.link_types:
                    self.link_types.append(frame.link_type)
                yield frame
        except _StopError as stop:
            if self._converted():
                raise CaptureError(Cause("line-ends")) from stop
            self.damage = Damage(self._record_start, self._frames, stop.cause)

    def _unpack(self) -> None:
        """Go on with the capture that is packed in the file. Raises CaptureError."""
        capture = unpack(self._stream)
        if isinstance(capture, Cause):
            raise CaptureError(capture)
        self._stream, self._offset = BytesIO(capture), 0
        self._magic = self._read(4)

    def _converted(self) -> bool:
        """Return whether more frames can be read when the line ends are turned back."""
        if self.file_format != "pcap" or not self._stream.seekable():
            return False
        self._stream.seek(0)
        restored = variants.without_conversion(self._stream.read(_CONVERTED))
        if restored is None:
            return False
        frames = zip(Capture(BytesIO(restored)), range(self._frames + 1))
        return sum(1 for _ in frames) > self._frames

    # -- bytes

    def _read(self, count: int) -> bytes:
        data = self._stream.read(count)
        self._offset += len(data)
        if self._offset > self._limits.size:
            raise self._limits.too_large()
        return data

    def _need(self, count: int, cut: str) -> bytes:
        """Read so many bytes; ``cut`` is the cause's code where fewer are there."""
        data = self._read(count)
        _must_be_whole(data, count, cut)
        return data

    def _frame(
        self, time_ns: int | None, link_type: int, data: bytes, original_length: int
    ) -> Frame:
        self._frames += 1
        if self._frames > self._limits.packets:
            raise self._limits.too_many()
        return Frame(self._frames, time_ns, link_type, data, max(original_length, len(data)))

    # -- pcap

    def _start_pcap(self) -> None:
        self._layout = formats.PCAP_LAYOUTS[self._magic]
        header = self._magic + self._read(self._layout.file_header.size - 4)
        if len(header) < self._layout.file_header.size:
            needed = self._layout.file_header.size
            raise CaptureError(Cause("header-cut", {"there": len(header), "needed": needed}))
        _, major, minor, _, _, _, link_type = self._layout.file_header.unpack(header)
        if major != 2:
            raise CaptureError(Cause("version", {"major": major, "minor": minor}))
        # The field's upper half holds the length of a frame check sequence, not the type.
        self._link_type = link_type & 0xFFFF
        self._record_header = self._layout.record_header
        if self._stream.seekable():
            data = self._stream.read(variants.LOOKED_AT)
            self._stream.seek(self._offset)
            self._record_header = variants.record_header(self._record_header, data)

    def _pcap(self) -> Iterator[Frame]:
        header = self._record_header
        tick = self._layout.nanoseconds_per_tick
        while True:
            self._record_start = self._offset
            raw = self._read(header.size)
            if not raw:
                return
            _must_be_whole(raw, header.size, "record-header-cut")
            seconds, fraction, captured, original = header.unpack(raw)[:4]
            if captured > MAX_CAPTURED:
                cause = Cause("record-length", {"length": captured, "most": MAX_CAPTURED})
                raise _StopError(cause)
            if not (captured or seconds) and self._is_unwritten():
                raise _StopError(Cause("unwritten"))
            data = self._need(captured, "packet-cut")
            time_ns = seconds * NANOSECONDS + fraction * tick
            yield self._frame(time_ns, self._link_type, data, original)

    def _is_unwritten(self) -> bool:
        """Return whether the file holds nothing but zeros from here on, as far as a look shows."""
        if not self._stream.seekable():
            return False
        ahead = self._stream.read(len(_UNWRITTEN))
        self._stream.seek(self._offset)
        return ahead == _UNWRITTEN

    # -- pcapng

    def _pcapng(self) -> Iterator[Frame]:
        layout = self._section(formats.PCAPNG_MAGIC)
        interfaces: list[_Interface] = []
        while True:
            self._record_start = self._offset
            head = self._read(8)
            if not head:
                return
            _must_be_whole(head, 8, "block-header-cut")
            if head[:4] == formats.PCAPNG_MAGIC:
                layout = self._section(head)
                interfaces = []
                continue
            kind, length = layout.block.unpack(head)
            block = head + self._block_rest(layout, length, 8)
            if kind == formats.BLOCK_INTERFACE:
                interfaces.append(_interface(layout, block))
            elif kind in (formats.BLOCK_ENHANCED, formats.BLOCK_PACKET):
                yield self._timed_packet(layout, interfaces, kind, block)
            elif kind == formats.BLOCK_SIMPLE:
                yield self._simple_packet(layout, interfaces, block)
            elif kind in OTHER_RECORDS:
                yield self._frame(None, -kind, b"", 0)

    def _section(self, head: bytes) -> formats.PcapngLayout:
        """Read a Section Header Block of which ``head`` was read already."""
        block = head + self._need(12 - len(head), "section-cut")
        layout = formats.PCAPNG_LAYOUTS.get(block[8:12])
        if layout is None:
            raise _StopError(Cause("section-order"))
        length = layout.number.unpack_from(block, 4)[0]
        if length < layout.section.size + 4:
            raise _StopError(Cause("section-length", {"length": length}))
        block += self._block_rest(layout, length, 12)
        major, minor = layout.section.unpack_from(block)[3:5]
        if major != 1:
            raise _StopError(Cause("section-version", {"major": major, "minor": minor}))
        return layout

    def _block_rest(self, layout: formats.PcapngLayout, length: int, have: int) -> bytes:
        if length < 12 or length > MAX_BLOCK:
            raise _StopError(Cause("block-length", {"length": length}))
        # Some writers leave the padding out of the length; Wireshark counts it, too.
        rest = self._need(length + -length % 4 - have, "block-cut")
        if layout.number.unpack(rest[-4:])[0] != length:
            raise _StopError(Cause("block-lengths"))
        return rest

    def _timed_packet(
        self,
        layout: formats.PcapngLayout,
        interfaces: list[_Interface],
        kind: int,
        block: bytes,
    ) -> Frame:
        enhanced = kind == formats.BLOCK_ENHANCED
        fields = layout.enhanced if enhanced else layout.packet
        if len(block) < fields.size + 4:
            raise _StopError(Cause("packet-fields"))
        values = fields.unpack_from(block)
        high, low, captured, original = values[-4:]
        data = _packet_bytes(block, fields.size, captured)
        interface = _pick(interfaces, values[2])
        return self._frame(interface.time_ns(high, low), interface.link_type, data, original)

    def _simple_packet(
        self, layout: formats.PcapngLayout, interfaces: list[_Interface], block: bytes
    ) -> Frame:
        """Read a Simple Packet Block, which belongs to the first interface and holds no time."""
        interface = _pick(interfaces, 0)
        if len(block) < 16:
            raise _StopError(Cause("packet-fields"))
        original = layout.number.unpack_from(block, 8)[0]
        captured = original
        if interface.snap_length != UNLIMITED:
            captured = min(original, interface.snap_length)
        data = _packet_bytes(block, 12, captured)
        return self._frame(None, interface.link_type, data, original)


def _must_be_whole(data: bytes, needed: int, cut: str) -> None:
    """Stop where the file ends too soon; ``cut`` is the cause's code."""
    if len(data) < needed:
        raise _StopError(Cause(cut, {"needed": needed, "there": len(data)}))


def _pick(interfaces: list[_Interface], index: int) -> _Interface:
    if index >= len(interfaces):
        raise _StopError(Cause("packet-interface", {"number": index}))
    return interfaces[index]


def _packet_bytes(block: bytes, start: int, captured: int) -> bytes:
    if captured > MAX_CAPTURED or start + captured > len(block) - 4:
        raise _StopError(Cause("packet-length", {"length": captured}))
    return block[start : start + captured]


def _interface(layout: formats.PcapngLayout, block: bytes) -> _Interface:
    if len(block) < layout.interface.size + 4:
        raise _StopError(Cause("interface-fields"))
    link_type, _, snap_length = layout.interface.unpack_from(block)[2:5]
    interface = _Interface(link_type, snap_length)
    at, end = layout.interface.size, len(block) - 4
    while at + 4 <= end:
        code, length = layout.option.unpack_from(block, at)
        value = block[at + 4 : min(at + 4 + length, end)]
        if code == formats.OPTION_END:
            break
        if code == formats.OPTION_TIME_RESOLUTION and value:
            # Uppermost bit: a power of two, otherwise of ten (draft-ietf-opsawg-pcapng,
            # if_tsresol).
            base = 2 if value[0] & 0x80 else 10
            interface.ticks_per_second = base ** (value[0] & 0x7F)
        elif code == formats.OPTION_TIME_OFFSET and len(value) == 8:
            interface.offset_seconds = layout.signed64.unpack(value)[0]
        at += 4 + length + (-length % 4)
    return interface


def open_capture(path: Path, limits: Limits = NO_LIMITS) -> tuple[BinaryIO, Capture]:
    """Open a capture; the caller closes the first value when the frames are read.

    Raises CaptureError, also for what the operating system refuses.
    """
    try:
        stream = path.open("rb")
    except (OSError, ValueError) as error:
        raise _refused(error) from error
    try:
        return stream, Capture(stream, limits)
    except OSError as error:
        stream.close()
        raise _refused(error) from error
    except CaptureError:
        stream.close()
        raise


def _refused(error: Exception) -> CaptureError:
    if isinstance(error, FileNotFoundError):
        return CaptureError(Cause("no-file"))
    if isinstance(error, IsADirectoryError):
        return CaptureError(Cause("directory"))
    if isinstance(error, PermissionError):
        return CaptureError(Cause("not-permitted"))
    return CaptureError(Cause("not-read", {"error": getattr(error, "strerror", "") or str(error)}))
