"""Filter lab_upcall_stale: which lab files on a host are not as the controller has them."""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path


def lab_upcall_stale(
    seen: dict[str, dict[str, str]], top: str, sources: dict[str, str], owner: str, mode: str
) -> list[str]:
    """Return the files that are missing on the host, differ, or have another owner or mode.

    ``top`` is the folder on the controller that they are relative to; ``sources`` names those that
    lie elsewhere in it than on the host. A file with an absolute path has to be root's. Raises
    OSError where the controller lacks one.
    """

    def is_stale(name: str, file: dict[str, str]) -> bool:
        digest = hashlib.sha256(Path(top, sources.get(name, name)).read_bytes()).hexdigest()
        owned = "root" if name.startswith("/") else owner
        wanted = {"sha256": digest, "owner": owned, "mode": mode}
        return any(file.get(key) != value for key, value in wanted.items())

    return [name for name, file in seen.items() if is_stale(name, file)]


class FilterModule:
    """The filters of the role."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"lab_upcall_stale": lab_upcall_stale}
