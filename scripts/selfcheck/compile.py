"""Makes the page's library, with the Python that will import it; ``compile.mjs`` calls it."""

from __future__ import annotations

import py_compile
import sys
import zipfile
from pathlib import Path

ONE = Path("/one.py")
COMPILED = Path("/one.pyc")


def compile_used(sources: str, library: str) -> None:
    """Write the zip ``library``: the files of the zip ``sources``, what is imported now compiled.

    The rest stays as it is, which is smaller. Nothing is packed: the page packs the zip as a whole.
    Neither times nor the order of the sources change it.
    """
    origins = [getattr(module.__spec__, "origin", None) or "" for module in sys.modules.values()]
    used = {origin.partition(".zip/")[2] for origin in origins}
    with zipfile.ZipFile(sources) as given, zipfile.ZipFile(library, "w") as made:
        for name in sorted(given.namelist()):
            data = given.read(name)
            if name in used:
                made.writestr(zipfile.ZipInfo(f"{name}c"), _compiled(name, data))
            else:
                made.writestr(zipfile.ZipInfo(name), data)


def _compiled(name: str, source: bytes) -> bytes:
    """Return byte code without docstrings, which nothing compares with its source."""
    ONE.write_bytes(source)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(
        str(ONE), str(COMPILED), name, doraise=True, optimize=2, invalidation_mode=mode
    )
    return COMPILED.read_bytes()
