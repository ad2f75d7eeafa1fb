"""The capture in a gzip file or in a ZIP archive, within bounds.

Python's standard library unpacks; sizes that a file claims are never believed.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from io import BytesIO
from typing import IO, BinaryIO

from upcall_grader.capture.formats import CAPTURES
from upcall_grader.capture.strangers import stranger
from upcall_grader.cause import Cause

GZIP, ZIP = b"\x1f\x8b", b"PK"
MAX_BYTES = 8 * 1024 * 1024
"""So many bytes are unpacked at most, from so many at most."""
MAX_RATIO, ALWAYS = 100, 1024 * 1024
"""What is unpacked is so many times as large at most, or so many bytes."""
MAX_ENTRIES = 100
"""An archive of more files is no hand-in of one capture."""
_CHUNK = 1 << 16
_GZIP_FORMAT = 16 + zlib.MAX_WBITS
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_BROKEN = (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile)
"""What the standard library raises for damaged files; BadGzipFile is an OSError."""


class _LargeError(Exception):
    """More would be unpacked than is allowed."""


def unpack(stream: BinaryIO) -> bytes | Cause:
    """Return the capture that is packed in a stream, or why there is none.

    The stream is read from its start.
    """
    stream.seek(0)
    packed = stream.read(MAX_BYTES + 1)
    large = Cause("packed-large", {"most": MAX_BYTES})
    if len(packed) > MAX_BYTES:
        return large
    most = min(MAX_BYTES, max(ALWAYS, MAX_RATIO * len(packed)))
    try:
        if packed.startswith(GZIP):
            with gzip.GzipFile(fileobj=BytesIO(packed)) as file:
                return _bounded(file, most)
        return _from_zip(packed, most)
    except _LargeError:
        return large
    except _BROKEN:
        return stranger(packed[:64])


def holds_captures(stream: BinaryIO) -> bool:
    """Return whether a capture is packed in a stream, as the beginning of what is packed tells.

    The stream is read from its start; it may be damaged, too large or hold several.
    """
    stream.seek(0)
    start = stream.read(_CHUNK)
    try:
        if start.startswith(GZIP):
            return zlib.decompressobj(_GZIP_FORMAT).decompress(start, 4) in CAPTURES
        packed = start + stream.read(MAX_BYTES - len(start))
        with zipfile.ZipFile(BytesIO(packed)) as archive:
            return bool(_captures(archive))
    except _BROKEN:
        return False


def _from_zip(packed: bytes, most: int) -> bytes | Cause:
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            return Cause("zip-many", {"count": len(entries)})
        found = _captures(archive)
        if len(found) > 1:
            return Cause("zip-captures", {"count": len(found)})
        if not found:
            return stranger(packed[:64])
        with archive.open(found[0]) as file:
            return _bounded(file, most)


def _captures(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the captures among the first files of an archive."""
    entries = archive.infolist()[:MAX_ENTRIES]
    return [entry for entry in entries if _begins(archive, entry) in CAPTURES]


def _begins(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return a file's first four bytes; nothing of what is no plain file of the user's own."""
    name = entry.filename.rpartition("/")[2]
    hidden = name.startswith(".") or entry.filename.startswith("__MACOSX/")
    if (
        entry.is_dir()
        or hidden
        or entry.flag_bits & _ENCRYPTED
        or entry.compress_type not in _KINDS
    ):
        return b""
    with archive.open(entry) as file:
        return file.read(4)


def _bounded(file: IO[bytes] | gzip.GzipFile, most: int) -> bytes:
    parts, size = [], 0
    while part := file.read(_CHUNK):
        size += len(part)
        if size > most:
            raise _LargeError
        parts.append(part)
    return b"".join(parts)
