"""Captures written to a file and judged."""

from pathlib import Path

import pytest

from tests.unit.corpus.judging import COMPLETE, Judge, judge_path
from tests.unit.corpus.mutants import Original, read
from upcall_grader.judge.results import Submission


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    path = tmp_path / "upcall.pcap"

    def write_and_judge(data: bytes) -> Submission:
        path.write_bytes(data)
        return judge_path(path)

    return write_and_judge


@pytest.fixture(scope="session")
def original() -> Original:
    return Original(read(COMPLETE.read_bytes()))
