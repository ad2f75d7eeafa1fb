"""Results of ``upcall-grade`` in a folder: their names, and how they are known."""

from __future__ import annotations

from pathlib import Path

MARKER = ".upcall-grade-report"
"""The file in a report that says that it was written here and may be replaced."""
REPORT = "report"
EXPORTS = frozenset(("grades.json", "grades.schema.json", "grades.csv", "moodle.csv", "canvas.csv"))
RESULTS = EXPORTS | {REPORT}


def holds_results(folder: Path) -> bool:
    """Return whether a folder holds what an earlier run wrote, and not just files called so."""
    report = folder / REPORT
    return (
        (folder / "grades.json").is_file()
        and not report.is_symlink()
        and (report / MARKER).is_file()
    )
