"""The README's pictures: ``make pictures`` writes them, from the browser that the tests drive.

The class is graded for real: captures of ``tests/corpus``, one at each seat, and a roster of
invented names.
"""

from __future__ import annotations

import shutil
import tempfile
import typing as t
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.support.loading import TOP
from upcall_grader.judge.assess import assess
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.report.pages import write_report
from upcall_roster import read_roster

FOLDER = TOP / "docs" / "images"
SEATS = (
    ("2110001", "Sari Dewi", "complete.pcap"),
    ("2110002", "Budi Santoso", "indonesian.pcap"),
    ("2110003", "Wati Lestari", "mid-stream.pcap"),
    ("2110004", "Dodi Wijaya", "reset.pcap"),
    ("2110005", "Eka Putri", "one-message.pcap"),
    ("2110006", "Joko Susilo", "two-connections.pcap"),
    ("2110007", "Nina Anggraini", "complete.pcapng"),
    ("2110008", "Tono Wibowo", ""),
)


class Picture(t.NamedTuple):
    """What to show of a page of the report: from which element on, and how much (CSS pixels)."""

    page: str
    top: str
    width: int
    height: int


PICTURES = {
    "report-class.png": Picture("index.html", "section:has(#table)", 1280, 512),
    "report-student.png": Picture("students/2110005.html", "header", 1056, 948),
}
_MARGIN = 12  # above what is shown


def graded(folder: Path) -> Path:
    """Lay the class into ``folder`` and grade it; returns the report."""
    captures, roster = folder / "captures", folder / "roster.csv"
    lines = ["host,student_id,name,group"]
    for number, (student, name, capture) in enumerate(SEATS, 1):
        host = f"seat-{number:02}"
        lines.append(f"{host},{student},{name},TI-2A")
        if capture:
            (captures / host).mkdir(parents=True)
            suffix = Path(capture).suffix
            shutil.copy(TOP / "tests" / "corpus" / capture, captures / host / f"upcall{suffix}")
    roster.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assessment = assess(captures, DEFAULT, read_roster(roster))
    write_report(assessment, captures, folder, "en")
    return folder / "report"


def take(browser: Browser, report: Path, folder: Path) -> None:
    """Write each picture into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in PICTURES.items():
        page = browser.new_page(color_scheme="light")
        page.goto((report / picture.page).as_uri())
        left, top = page.locator(picture.top).first.evaluate(
            "(e, width) => [(innerWidth - width) / 2, e.getBoundingClientRect().top]",
            picture.width,
        )
        page.screenshot(
            path=folder / name,
            full_page=True,
            clip={
                "x": left,
                "y": top - _MARGIN,
                "width": picture.width,
                "height": picture.height,
            },
        )
        page.close()


def main() -> None:
    """Take the pictures of the README anew."""
    with tempfile.TemporaryDirectory() as place, chromium() as browser:
        take(browser, graded(Path(place)), FOLDER)
    for name in PICTURES:
        file = FOLDER / name
        print(f"{file} ({file.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
