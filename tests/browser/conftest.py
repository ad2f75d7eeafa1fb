"""The report of one class in a real browser, opened as files, as people open it."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.unit.report import room
from upcall_grader.report.pages import write_report
from upcall_grader.texts import LANGUAGES

# Nothing of the browser's own may reach out.
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STUDENTS = ("early", "reset", "s0999", "hostile", "long", "first-copy")


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report's folder for each language."""
    captures = tmp_path_factory.mktemp("captures")
    assessment = room.judged(captures)
    found = {}
    for language in LANGUAGES:
        out = tmp_path_factory.mktemp(language)
        write_report(assessment, captures, out, language)
        found[language] = out / "report"
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium with a new profile."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is not there: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        yield started
        started.close()


def addresses(report: Path, students: Sequence[str] = STUDENTS) -> list[str]:
    """The class page, and pages that have all that students' pages can have."""
    pages = ["index.html", *(f"students/{name}.html" for name in students)]
    return [(report / page).as_uri() for page in pages]
