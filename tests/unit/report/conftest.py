"""One class and its report, made once for all tests that only look."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.report import room
from tests.unit.report.reading import Page, read
from upcall_grader.judge.results import Assessment
from upcall_grader.report.pages import write_report


@dataclass(frozen=True)
class Room:
    folder: Path
    assessment: Assessment
    report: Path

    def student(self, name: str) -> Page:
        return read(self.report / "students" / f"{name}.html")


@pytest.fixture(scope="session")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Room:
    folder = tmp_path_factory.mktemp("captures")
    out = tmp_path_factory.mktemp("out")
    assessment = room.judged(folder)
    write_report(assessment, folder, out, "en")
    return Room(folder, assessment, out / "report")
