"""The report of one class in a real browser, opened as files, as people open it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.unit.report import room
from upcall_grader.languages import LANGUAGES
from upcall_grader.report.pages import write_report

STUDENTS = ("early", "reset", "s0999", "hostile", "long", "first-copy")


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the report's folder for each language."""
    captures = tmp_path_factory.mktemp("captures")
    assessment = room.judged(captures)
    folders = {}
    for language in LANGUAGES:
        out = tmp_path_factory.mktemp(language)
        write_report(assessment, captures, out, language)
        folders[language] = out / "report"
    return folders


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once for all tests; each takes a page or a context of its own."""
    with chromium() as started:
        yield started


def addresses(report: Path, students: Sequence[str] = STUDENTS) -> list[str]:
    """Return the class page, and pages that have all that students' pages can have."""
    pages = ["index.html", *(f"students/{name}.html" for name in students)]
    return [(report / page).as_uri() for page in pages]
