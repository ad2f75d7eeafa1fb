"""What a file is that is no capture, as far as its first bytes tell.

Sources: the formats' own descriptions of how their files begin (RFC 1952, RFC 8878, ISO 32000,
RFC 2083 and the like), the Git LFS specification.
"""

from __future__ import annotations

import codecs
import re

from upcall_grader.cause import Cause

LOOKED_AT = 512
"""Bytes at a file's start that are enough to say what it is."""

_BYTES = (
    (b"\x1f\x8b", Cause("gzip")),
    (b"\x28\xb5\x2f\xfd", Cause("zstd")),
    (b"\xfd7zXZ", Cause("xz")),
    (b"BZh", Cause("bzip2")),
    (b"PK", Cause("zip")),
    (b"7z\xbc\xaf\x27\x1c", Cause("archive", {"kind": "7z"})),
    (b"Rar!", Cause("archive", {"kind": "RAR"})),
    (b"snoop\0\0\0", Cause("snoop")),
    (b"%PDF", Cause("document", {"kind": "PDF"})),
    (b"\xd0\xcf\x11\xe0", Cause("document", {"kind": "Office"})),
    (b"\x89PNG", Cause("picture", {"kind": "PNG"})),
    (b"\xff\xd8\xff", Cause("picture", {"kind": "JPEG"})),
    (b"GIF8", Cause("picture", {"kind": "GIF"})),
    # A pcapng file begins with 0a 0d 0d 0a, so that a conversion of line ends shows
    # (draft-ietf-opsawg-pcapng section 4.1).
    (b"\r\n\r\r\r\n", Cause("line-ends")),
    (b"\n\r\n", Cause("line-ends")),
)
_OFFICE = re.compile(rb"PK\x03\x04.{0,40}\[Content_Types\]\.xml", re.DOTALL)
_TAR, _TAR_AT = b"ustar", 257
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_TEXTS = (
    (re.compile(r"version https://git-lfs"), Cause("lfs")),
    (re.compile(r"<!doctype html|<html|<head", re.IGNORECASE), Cause("web-page")),
    (re.compile(r"[{\[]"), Cause("export", {"kind": "JSON"})),
    (re.compile(r"<\?xml|<pdml|<psml"), Cause("export", {"kind": "XML"})),
    (
        re.compile(r'("[^"\n]*"|[\w. ]+)([,;]("[^"\n]*"|[\w. ]*)){3}'),
        Cause("export", {"kind": "CSV"}),
    ),
    (
        re.compile(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d[. ]|tcpdump: |reading from file"),
        Cause("printed"),
    ),
)


def stranger(start: bytes) -> Cause:
    """Return what a file is that begins with these bytes and is neither pcap nor pcapng."""
    if not start:
        return Cause("empty")
    if _OFFICE.match(start):
        return Cause("document", {"kind": "Office"})
    for magic, cause in _BYTES:
        if start.startswith(magic):
            return cause
    if start[_TAR_AT:].startswith(_TAR):
        return Cause("archive", {"kind": "tar"})
    text = _as_text(start)
    if text is None:
        return Cause("stranger", {"bytes": start[:4].hex(" ")})
    return next((cause for begins, cause in _TEXTS if begins.match(text)), Cause("text"))


def _as_text(start: bytes) -> str | None:
    """Return the bytes as text without the space before it; None if they are none."""
    mark, encoding = next((one for one in _MARKS if start.startswith(one[0])), (b"", "utf-8"))
    decode = codecs.getincrementaldecoder(encoding)().decode
    try:
        # Where more follows, the last character may be cut in half.
        text = decode(start.removeprefix(mark), len(start) < LOOKED_AT)
    except UnicodeDecodeError:
        return None
    printable = all(one.isprintable() or one.isspace() for one in text)
    return text.lstrip() if printable else None
