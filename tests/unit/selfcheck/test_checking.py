"""A student's own check says what the report would say, of the file alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.corpus.judging import CORPUS, RUBRIC
from tests.unit.report.reading import parse
from upcall_grader.judge.assess import assess
from upcall_grader.judge.results import Submission, Verdict
from upcall_grader.judge.rubric import Criterion
from upcall_grader.languages import LANGUAGES
from upcall_grader.report.pages import write_report
from upcall_grader.selfcheck.checking import check_file

FILES = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".pcap", ".pcapng"))
COMPLETE = CORPUS / "complete.pcap"
LOOKS = {"en": "Your instructor will look at this", "id": "Dosen Anda akan memeriksanya"}
CHECKS = {"en": "by your instructor alone", "id": "hanya dapat diperiksa oleh dosen Anda"}
MISSING_ON_PYODIDE = ("fcntl", "resource", "termios", "multiprocessing")
NOT_IN_THE_ZIP = ("ansible", "rich")


def evidence(html: str) -> str:
    """Return what the page shows of the capture, without owner and file name."""
    return html.partition('<section class="card" aria-labelledby="criteria">')[2]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_says_what_the_report_says(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "captures"
    folder.mkdir()
    shutil.copy(file, folder)
    assessment = assess(folder, RUBRIC, None)
    [graded] = assessment.submissions
    for language in LANGUAGES:
        checked = check_file(file, RUBRIC, language)
        assert (checked.verdict, checked.points, checked.out_of) == (
            graded.verdict,
            graded.points,
            RUBRIC.points,
        )
        assert checked.submission.judgements == graded.judgements
        write_report(assessment, folder, tmp_path / language, language)
        [page] = (tmp_path / language / "report" / "students").iterdir()
        reported = page.read_text("utf-8")
        assert evidence(checked.page) == evidence(reported) != ""
        assert CHECKS[language] in checked.page
        assert LOOKS[language] not in checked.page
        assert checked.next_step in parse(checked.page).text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_is_complete_where_all_points_are_reached(file: Path) -> None:
    checked = check_file(file, RUBRIC, "en")
    assert checked.complete is (checked.points == RUBRIC.points)
    assert (checked.next_step == "Hand in this file.") is checked.complete


def test_what_is_complete_is_to_be_handed_in_even_if_its_end_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "upcall.pcap"
    file.write_bytes(COMPLETE.read_bytes() + b"cut")
    checked = check_file(file, RUBRIC, "en")
    assert "damage" in [remark.code for remark in checked.submission.remarks]
    assert (checked.complete, checked.next_step) == (True, "Hand in this file.")


def test_what_lies_beside_the_file_plays_no_part(tmp_path: Path) -> None:
    alone = check_file(COMPLETE, RUBRIC, "en")
    manifest = {"student": "somebody", "sha256": "0" * 64, "tcpdump": {"dropped": 7}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "server.log").write_text("Received from client: something else\n")
    (tmp_path / "client.log").mkdir()
    shutil.copy(COMPLETE, tmp_path)
    assert check_file(tmp_path / "complete.pcap", RUBRIC, "en") == alone


def test_a_capture_may_be_called_like_a_manifest(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    shutil.copy(COMPLETE, file)
    checked = check_file(file, RUBRIC, "en")
    assert (checked.verdict, checked.complete) == (Verdict.GRADED, True)
    assert checked.submission.remarks == ()


def test_where_there_is_no_file_it_is_unreadable(tmp_path: Path) -> None:
    checked = check_file(tmp_path / "none.pcap", RUBRIC, "en")
    assert (checked.verdict, checked.points, checked.complete) == (Verdict.UNREADABLE, 0, False)


def told(submission: Submission) -> list[str]:
    return [str(judgement.status) for judgement in submission.judgements]


def test_what_no_capture_shows_is_left_to_the_instructor() -> None:
    """Nobody can find a token without the class secret, which never leaves the instructor."""
    rubric = RUBRIC._replace(criteria=(*RUBRIC.criteria, Criterion("token", "token", 20)))
    checked = check_file(COMPLETE, rubric, "en")
    assert told(checked.submission)[-1] == "not-observable"
    assert checked.complete
    assert (checked.points, checked.out_of) == (RUBRIC.points, RUBRIC.points + 20)
    text = parse(checked.page).text
    assert "everything that a capture can show" in checked.sentence
    assert checked.sentence in text
    assert "How to get the rest" not in text
    assert "About your file" not in text


def test_it_needs_nothing_that_a_browser_or_the_zip_lacks() -> None:
    absent = [*MISSING_ON_PYODIDE, *NOT_IN_THE_ZIP, "yaml"]
    program = f"""
import sys
sys.modules.update(dict.fromkeys({absent}))
from pathlib import Path
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.selfcheck.checking import check_file
print(check_file(Path(sys.argv[1]), DEFAULT, "en").verdict)
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(COMPLETE)], capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("graded\n", "")
