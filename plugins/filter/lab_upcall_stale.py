"""Filter lab_upcall_stale: the lab files on a host that differ from the controller's."""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path


def lab_upcall_stale(
    on_host: dict[str, dict[str, str]], top: str, sources: dict[str, str], owner: str, mode: str
) -> list[str]:
    """Return the files that are missing on the host, differ, or have another owner or mode.

    ``top`` is the folder on the controller that they are relative to; ``sources`` maps those whose
    path in it differs from that on the host. A file with an absolute path must belong to root.
    Raises OSError if the controller lacks a file.
    """

    def is_stale(name: str, file: dict[str, str]) -> bool:
        digest = hashlib.sha256(Path(top, sources.get(name, name)).read_bytes()).hexdigest()
        owned = "root" if name.startswith("/") else owner
        wanted = {"sha256": digest, "owner": owned, "mode": mode}
        return any(file.get(key) != value for key, value in wanted.items())

    return [name for name, file in on_host.items() if is_stale(name, file)]


class FilterModule:
    """The filters of the role."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"lab_upcall_stale": lab_upcall_stale}
