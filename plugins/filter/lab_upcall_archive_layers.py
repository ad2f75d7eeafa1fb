"""Filter lab_upcall_archive_layers: which image an archive on the controller holds."""

from __future__ import annotations

import json
import tarfile
import typing as t
from pathlib import Path

_JSON_LIMIT = 1 << 20  # bytes; manifest and configuration of an image are a few hundred

# The file may have any content. The engine that loads it reports what is wrong with it.
_UNREADABLE = (
    OSError,
    EOFError,
    tarfile.TarError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)


def lab_upcall_archive_layers(path: str, image: str) -> list[str]:
    """Return the digests of the image's layers, lowest first; none if no archive can be read.

    An engine reports the same digests for the loaded image (``RootFS.Layers``), however it stores
    and names its images. An archive that upcall-lab wrote begins with the members that are read
    here, so only its first few kilobytes are read.
    """
    if not Path(path).is_file():
        return []
    try:
        with tarfile.open(path, "r:*") as archive:
            for entry in _json(archive, "manifest.json"):
                if image in (entry.get("RepoTags") or []):
                    layers = _json(archive, entry["Config"])["rootfs"]["diff_ids"]
                    return [str(digest) for digest in layers]
    except _UNREADABLE:
        return []
    return []


def _json(archive: tarfile.TarFile, name: str) -> t.Any:
    """Return the decoded content of one member. Raises KeyError if it is missing."""
    # Not getmember(), which reads to the end of the archive first.
    for member in archive:
        if member.name == name:
            file = archive.extractfile(member)
            if file is not None:
                return json.loads(file.read(_JSON_LIMIT))
    raise KeyError(name)


class FilterModule:
    """The filters of the role."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"lab_upcall_archive_layers": lab_upcall_archive_layers}
