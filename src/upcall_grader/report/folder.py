"""A folder written whole, or left as it was."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from upcall_grader.troubles import TroubleError

MARKER = ".upcall-grade-report"
"""The file that says that a folder was written here and may be replaced."""
_MARKED = "Written by upcall-grade, which replaces this whole folder at its next run.\n"


class ReportError(TroubleError):
    """The report cannot be written. ``cause`` and ``remedy`` are single sentences."""

    trouble = "grades-folder"

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}; {remedy}")
        self.cause = cause
        self.remedy = remedy


def replace_folder(target: Path, write: Callable[[Path], None]) -> bool:
    """Have ``write`` fill a new folder, then put it in the place of ``target``.

    An earlier report goes, with all its pages; anything else that stands there stays. Returns
    whether anything is new; a folder with the same files in it is not touched. Raises ReportError;
    what was there before is then there still.
    """
    _may_replace(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".upcall-report-", dir=target.parent) as place:
            new = Path(place, "new")
            new.mkdir()
            (new / MARKER).write_text(_MARKED, encoding="utf-8")
            write(new)
            if _same(new, target):
                return False
            _exchange(new, target, Path(place, "old"))
            return True
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise ReportError(
            f"the report cannot be written: {error.strerror or error}{where}",
            "choose another folder with --out, or make room and check its permissions",
        ) from error


def _may_replace(target: Path) -> None:
    if not os.path.lexists(target):
        return
    ours = target.is_dir() and not target.is_symlink()
    if ours and ((target / MARKER).is_file() or not any(target.iterdir())):
        return
    raise ReportError(
        f"{target} already exists and is not a report of upcall-grade",
        "choose another folder with --out, or move it away first",
    )


def _same(new: Path, target: Path) -> bool:
    names = _files(new)
    return names == _files(target) and all(
        (new / name).read_bytes() == (target / name).read_bytes() for name in names
    )


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()}


def _exchange(new: Path, target: Path, old: Path) -> None:
    earlier = target.exists()
    if earlier:
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        if earlier:
            old.rename(target)
        raise
