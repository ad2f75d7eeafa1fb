"""The folder ``selfcheck/``, into which the files for students go."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from scripts.selfcheck.contents import TOP
from upcall_text.plain import escape_unprintable

FOLDER = TOP / "selfcheck"


def write(path: Path, data: bytes) -> str:
    """Write a file that all may read, whole or not at all; return a line that tells of it."""
    shown = escape_unprintable(str(path))
    if path.is_file() and path.read_bytes() == data:
        return f"selfcheck: {shown} (unchanged)"
    path.parent.mkdir(exist_ok=True)
    # A name of its own: runs in containers that share this folder may have one process id.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        new.chmod(0o644)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return f"selfcheck: {shown} (changed)"
