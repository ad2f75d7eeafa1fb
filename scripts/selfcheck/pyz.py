"""Makes ``selfcheck/upcall-check.pyz``, the grader as one file for a student's terminal.

The same sources and libraries give the same bytes.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

from scripts.selfcheck.contents import TOP, Contents, contents
from scripts.selfcheck.output import FOLDER, write
from upcall_grader.command_line import Parser
from upcall_grader.troubles import TroubleError, place
from upcall_text.plain import escape_unprintable

NAME = "upcall-check.pyz"
START = TOP / "scripts/selfcheck/start.py"
_FIRST_LINE = b"#!/usr/bin/env python3\n"
_READABLE = 0o644 << 16  # as a zip keeps the mode of a file


def main() -> int:
    """Write the file, and say where and whether it is another one than before."""
    parser = Parser(description="Make selfcheck/upcall-check.pyz for students.")
    parser.add_argument("--rubric", metavar="FILE", type=Path, help="YAML file (default: built in)")
    parser.add_argument("--out", metavar="FILE", type=Path, default=FOLDER / NAME)
    options = parser.parse_args()
    try:
        print(write(options.out, archive(contents(options.rubric))))
    except TroubleError as error:
        print(f"selfcheck: {escape_unprintable(str(error))}", file=sys.stderr)
        return 2
    except OSError as error:
        name = escape_unprintable(str(options.out))
        print(
            f"selfcheck: {name}: {error.strerror}; make room or correct its owner, then run it"
            " again" + place(trouble="cannot-be-written"),
            file=sys.stderr,
        )
        return 2
    return 0


def archive(files: Contents) -> bytes:
    """Return a zip that Python runs, sorted and without times."""
    stream = io.BytesIO()
    stream.write(_FIRST_LINE)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, data in sorted({"__main__.py": START.read_bytes(), **files}.items()):
            entry = zipfile.ZipInfo(name)  # of 1980, the earliest that a zip can tell
            entry.external_attr = _READABLE
            packed.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=9)
    return stream.getvalue()


if __name__ == "__main__":
    sys.exit(main())
