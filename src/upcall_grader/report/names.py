"""File names of the students' pages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from upcall_grader.judge.results import Submission

_MAX_NAME = 60
# Names that Windows keeps for devices, whatever ending follows.
_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)


def page_names(submissions: Sequence[Submission]) -> list[str]:
    """Return one name for each submission, in their order, such as ``s1234.html``.

    Made of the student's id (without one, of the file's name); letters, digits, ``-`` and ``_``
    alone; no two alike on a file system that takes upper and lower case for the same.
    """
    taken: set[str] = set()
    last: dict[str, int] = {}
    names = []
    for submission in submissions:
        base = _safe(submission.owner.student or submission.file)
        name = base
        while name.lower() in taken:
            last[base.lower()] = last.get(base.lower(), 1) + 1
            name = f"{base}-{last[base.lower()]}"
        taken.add(name.lower())
        names.append(f"{name}.html")
    return names


def _safe(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^A-Za-z0-9_-]+", "-", letters)[:_MAX_NAME].strip("-")
    if not kept or _RESERVED.fullmatch(kept):
        return f"student-{kept}".rstrip("-")
    return kept
