"""File formats: every dialect gives the same frames, and damage is told, never raised."""

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.grader import building as b
from tests.unit.grader.conftest import Real
from upcall_grader.capture.reading import Capture, CaptureError, Frame
from upcall_grader.capture.unpacking import holds_captures
from upcall_grader.cause import Cause
from upcall_grader.texts.wording import Wording

ENGLISH = Wording("en")

TIMES = [b.START + 123_456_789, b.START + b.SECOND + 1]
RECORDS = [b.Record(data, time) for data, time in zip(b.frames(b.lab()), TIMES, strict=False)]


def read(data: bytes) -> tuple[list[Frame], Capture]:
    capture = Capture(io.BytesIO(data))
    return list(capture), capture


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcap_in_both_byte_orders_and_resolutions(order: str, nano: bool) -> None:
    frames, capture = read(b.pcap(RECORDS, order=order, nano=nano))
    unit = 1 if nano else 1000
    assert [frame.time_ns for frame in frames] == [time // unit * unit for time in TIMES]
    assert [frame.data for frame in frames] == [record.data for record in RECORDS]
    assert [frame.number for frame in frames] == [1, 2]
    assert capture.damage is None
    assert capture.link_types == [1]


def test_modified_pcap_records_have_eight_more_bytes() -> None:
    head = b"\x34\xcd\xb2\xa1" + b.pcap([])[4:]
    record = b.pcap([b.Record(b"abc", TIMES[1])])[24:40] + bytes(8) + b"abc"
    frames, _ = read(head + record + record)
    assert [(frame.data, frame.time_ns) for frame in frames] == [
        (b"abc", TIMES[1] // 1000 * 1000)
    ] * 2


def test_original_length_is_kept_when_the_snap_length_cut_the_packet() -> None:
    frames, _ = read(b.pcap([b.Record(b"abcd", original=1500)]))
    assert (len(frames[0].data), frames[0].original_length) == (4, 1500)


def test_frame_check_sequence_bits_do_not_change_the_link_type() -> None:
    data = bytearray(b.pcap([b"abc"]))
    data[23] = 0x24
    assert read(bytes(data))[0][0].link_type == 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_interfaces_have_their_own_type_and_clock(order: str) -> None:
    nano = b.option(9, b"\x09", order)
    binary = b.option(1, b"\xff\xfe no utf-8", order) + b.option(9, b"\x8a", order)
    offset = b.option(14, (5).to_bytes(8, "little" if order == "<" else "big"), order)
    data = (
        b.section(order)
        + b.interface(1, order=order)
        + b.interface(101, options=nano + b.option(0, b"", order), order=order)
        + b.interface(113, options=binary + offset, order=order)
        + b.block(5, bytes(12), order)
        + b.enhanced(b"micro", 7, 0, b.option(1, b"\xff", order), order)
        + b.enhanced(b"nano", 7, 1, order=order)
        + b.block(0x0B0B, b"unknown", order)
        + b.enhanced(b"binary", 512, 2, order=order)
    )
    frames, capture = read(data)
    assert [(frame.data, frame.time_ns, frame.link_type) for frame in frames] == [
        (b"micro", 7000, 1),
        (b"nano", 7, 101),
        (b"binary", 5 * b.SECOND + b.SECOND // 2, 113),
    ]
    assert capture.damage is None


def test_pcapng_sections_may_change_the_byte_order_and_forget_interfaces() -> None:
    first = b.section("<") + b.interface(1) + b.enhanced(b"a", 1)
    second = b.section(">") + b.interface(101, order=">") + b.enhanced(b"b", 1, order=">")
    frames, capture = read(first + second)
    assert [(frame.number, frame.data, frame.link_type) for frame in frames] == [
        (1, b"a", 1),
        (2, b"b", 101),
    ]
    orphan = first + b.section("<") + b.enhanced(b"c", 1)
    frames, capture = read(orphan)
    assert len(frames) == 1
    assert capture.damage is not None
    assert capture.damage.cause == Cause("packet-interface", {"number": 0})


def test_simple_packet_blocks_count_as_frames() -> None:
    data = b.section() + b.interface(1, snap=3) + b.simple(b"abcdef") + b.enhanced(b"x", 1)
    frames, _ = read(data)
    assert [(f.number, f.data, f.original_length, f.time_ns) for f in frames] == [
        (1, b"abc", 6, None),
        (2, b"x", 1, 1000),
    ]


LINES = [b.Record(b"a\nb\n" + bytes(60), time) for time in TIMES * 2]


def test_a_capture_that_went_through_a_terminal_is_called_so() -> None:
    whole = b.pcap(LINES)
    converted = Capture(io.BytesIO(whole.replace(b"\n", b"\r\n")))
    with pytest.raises(CaptureError) as caught:
        list(converted)
    assert caught.value.cause == Cause("line-ends")
    assert "docker cp" in ENGLISH.remedy_for(caught.value.cause)
    # Cut off, or with a line feed of its own: damaged, not converted.
    for damaged in (whole[:-9], whole[:-9].replace(b"a\nb\n", b"a\r\nb")):
        assert read(damaged)[1].damage is not None


@pytest.mark.parametrize("more", [4, 8, 12])
@pytest.mark.parametrize("order", ["<", ">"])
def test_longer_record_headers_under_the_usual_magic_number_are_read(order: str, more: int) -> None:
    records = b.frames(b.lab())
    data = b.pcap([], order=order)
    for record in records:
        data += b.pcap([record], order=order)[24:40] + b"\xac\x1b\0\x02" * (more // 4) + record
    frames, capture = read(data)
    assert [frame.data for frame in frames] == records
    assert capture.damage is None


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


@pytest.mark.parametrize(
    "data", [b.pcap(RECORDS), b.section() + b.interface() + b.enhanced(b"x", 1)]
)
def test_a_packed_capture_is_opened(data: bytes) -> None:
    inside = {"report.pdf": b"%PDF", "__MACOSX/._upcall.pcap": data, "a/upcall.pcap": data}
    for file in (packed(data), zipped(**inside)):
        assert [frame.data for frame in read(file)[0]] == [f.data for f in read(data)[0]]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (packed(bytes(2 << 20)), "packed-large"),
        (zipped(a=b.pcap([]) + bytes(2 << 20)), "packed-large"),
        (bytes.fromhex("1f8b") + bytes(17 << 20), "packed-large"),
        (zipped(**{str(n): b"" for n in range(101)}), "zip-many"),
        (zipped(a=b.pcap([]), b=b.pcap([])), "zip-captures"),
        (zipped(a=b"text"), "zip"),
        (zipped(a=b.pcap([]))[:-20], "zip"),
        (packed(b.pcap(RECORDS))[:-9], "gzip"),
        (packed(packed(b.pcap(RECORDS))), "gzip"),
        (packed(b"text"), "text"),
    ],
)
def test_what_cannot_be_unpacked_is_told(data: bytes, cause: str) -> None:
    with pytest.raises(CaptureError) as caught:
        read(data)
    assert caught.value.cause.code == cause


class Counted(io.BytesIO):
    """A stream that counts the bytes that are read from it."""

    given = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.given += len(data)
        return data


@pytest.mark.parametrize(
    ("data", "most"),
    [
        (packed(bytes(16 << 20)), 1 << 16),
        # The name of the packed file does not end (RFC 1952 section 2.3).
        (bytes.fromhex("1f8b0808 00000000 0003") + b"n" * (1 << 20), 1 << 16),
        (zipped(a=b"text") + bytes(9 << 20), 8 << 20),
    ],
    ids=["bomb", "endless name", "large archive"],
)
def test_a_look_into_what_is_packed_reads_its_beginning_alone(data: bytes, most: int) -> None:
    stream = Counted(data)
    assert not holds_captures(stream)
    assert 0 < stream.given <= most


def test_cut_at_every_offset_gives_the_frames_before(real: Real) -> None:
    whole, _ = read(real.data)
    ends = [24]
    for frame in whole:
        ends.append(ends[-1] + 16 + len(frame.data))
    for size in range(24, len(real.data) + 1):
        frames, capture = read(real.data[:size])
        complete = sum(end <= size for end in ends[1:])
        assert frames == whole[:complete]
        assert (capture.damage is None) == (size in ends)
        if capture.damage is not None:
            assert capture.damage.offset == ends[complete]
            assert capture.damage.after_frame == complete


def test_pcapng_cut_at_every_offset_gives_the_frames_before() -> None:
    parts = [b.section() + b.interface()] + [b.enhanced(data, 1) for data in b.frames(b.lab())]
    data = b"".join(parts)
    sizes = [sum(len(part) for part in parts[: count + 1]) for count in range(len(parts))]
    for size in range(12, len(data) + 1):
        frames, capture = read(data[:size])
        assert len(frames) == sum(end <= size for end in sizes[1:])
        # Behind the section header the file may also end orderly before the interface.
        assert (capture.damage is None) == (size in sizes or size == len(b.section()))


def test_a_block_whose_length_leaves_out_its_padding_is_read() -> None:
    whole = b.enhanced(b"abcdef", 7)
    real = (len(whole) - 2).to_bytes(4, "little")
    short = whole[:4] + real + whole[8:-4] + real
    frames, capture = read(b.section() + b.interface() + short + b.enhanced(b"x", 8))
    assert [frame.data for frame in frames] == [b"abcdef", b"x"]
    assert capture.damage is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b.pcap([b"x"])[:32] + b"\xff\xff\xff\x7f" * 2, "claims 2147483647 bytes"),
        (b.section() + b"\x06\0\0\0\x04\0\0\0", "impossible length of 4"),
        (b.section() + b"\x06\0\0\0\xfc\xff\xff\xff", "impossible length of 4294967292"),
        (b.section() + b.block(1, bytes(8))[:-1] + b"\x09", "two length fields differ"),
        (b.section() + b.block(1, bytes(4)), "too short"),
        (b.section() + b.interface() + b.block(6, bytes(4)), "too short"),
        (b.section() + b.interface() + b.block(6, bytes(12) + b"\x09" + bytes(7)), "9 captured"),
        (b.section()[:8] + b"abcd", "no byte-order mark"),
    ],
)
def test_damage_is_named(data: bytes, reason: str) -> None:
    frames, capture = read(data)
    assert frames == []
    assert capture.damage is not None
    assert reason in ENGLISH.cause(capture.damage.cause)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "empty"),
        (b"\xd4\xc3", "neither"),
        (b.pcap([])[:20], "cut off inside the pcap file header"),
        (b"\xd4\xc3\xb2\xa1\x09" + bytes(19), "version 9"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"12:00:01.5 IP 10.0.0.3.5 > 10.0.0.2.4141: Flags [S]\n", "what tcpdump prints"),
        (b"\xff\xfe" + "12:00:01.5 IP".encode("utf-16-le"), "what tcpdump prints"),
        ("Laporan saya — praktikum".encode(), "it is text"),
        (b"\n\n<!DOCTYPE html>\n<html><head>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "Git LFS"),
        (b'[\n  {\n    "_index": "packets"}]', "JSON"),
        (b'\xef\xbb\xbf"No.","Time","Source","Destination"\n', "CSV"),
        (b'<?xml version="1.0"?>\n<pdml>', "XML"),
        (b"%PDF-1.7\n", "document (PDF)"),
        (b"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", "document (Office)"),
        (b"\x89PNG\r\n\x1a\n", "picture (PNG)"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "picture (JPEG)"),
        (b"7z\xbc\xaf\x27\x1c", "archive (7z)"),
        (b"Rar!\x1a\x07\x01\0", "archive (RAR)"),
        (b"upcall.pcap".ljust(257, b"\0") + b"ustar\x0000", "archive (tar)"),
        (b"BZh91AY&SY", "bzip2"),
        (b.section().replace(b"\n", b"\r\n"), "went through a terminal"),
        (b.section().replace(b"\r\n", b"\n"), "went through a terminal"),
        (bytes(range(200, 256)), "c8 c9 ca cb"),
    ],
)
def test_what_is_no_capture_is_named_with_a_remedy(data: bytes, cause: str) -> None:
    with pytest.raises(CaptureError) as caught:
        read(data)
    assert cause in ENGLISH.cause(caught.value.cause)
    assert ENGLISH.remedy_for(caught.value.cause)


@given(
    st.sampled_from(
        [b.pcap([]), b.pcap([], order=">", nano=True), b.section() + b.interface(), b""]
    ),
    st.binary(max_size=400),
)
def test_no_bytes_make_it_fail_otherwise(head: bytes, rest: bytes) -> None:
    try:
        frames, _ = read(head + rest)
    except CaptureError:
        return
    assert sum(len(frame.data) for frame in frames) <= len(rest)
