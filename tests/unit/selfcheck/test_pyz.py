"""``upcall-check.pyz`` is the grader: in one file, on each Python that students have."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scripts.selfcheck.contents import contents
from scripts.selfcheck.pyz import archive
from tests.unit.corpus.judging import CORPUS, RUBRIC
from tests.unit.selfcheck.pythons import VERSIONS, python
from upcall_grader.judge.assess import assess
from upcall_grader.judge.results import Submission
from upcall_grader.languages import LANGUAGES
from upcall_grader.selfcheck.checking import check_file

TOP = Path(__file__).resolve().parents[3]
KINDS = Path(__file__).parent / "kinds"
FILES = sorted(CORPUS.glob("*.pcap*")) + sorted(KINDS.glob("*.pcap*"))
ECHO = "tests/second_lab/rubric.yml"
OWN = """\
# The secret of this class is: do not tell.
lab: {port: 4141, answer: "Echo: "}
criteria:
  - {id: handshake, points: 40, title: {en: Yes, id: "Jabat tangan 🤝"}}
  - {id: token, points: 60}
"""
# What the zip says of each file that it is given, as the test compares it.
PROGRAM = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from upcall_grader.selfcheck.checking import check_file
from upcall_grader.selfcheck.rubrics import rubric_from
rubric = rubric_from(None)
for name in sys.argv[2:]:
    for language in ("en", "id"):
        one = check_file(Path(name), rubric, language)
        judged = [(each.criterion.id, each.status, each.points, each.frames)
                  for each in one.submission.judgements]
        told = [one.verdict, one.points, one.out_of, judged, one.next_step, one.page]
        print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed(tmp_path_factory.mktemp("selfcheck"), None)


def packed(folder: Path, rubric: Path | None) -> Path:
    path = folder / "upcall-check.pyz"
    path.write_bytes(archive(contents(rubric)))
    return path


def run(
    pyz: Path, *arguments: str | Path, version: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the zip as a student does, with a Python that finds nothing of this project."""
    return subprocess.run(
        [python(version) if version else sys.executable, "-S", pyz, *arguments],
        env=os.environ | {"COLUMNS": "100"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def judged(submission: Submission) -> list[Any]:
    return [
        [one.criterion.id, one.status, one.points, list(one.frames)]
        for one in submission.judgements
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_it_says_what_the_grader_says(version: str, pyz: Path) -> None:
    # -S: nothing that is installed for this Python, such as another Jinja2.
    command = [python(version), "-I", "-S", "-W", "error", "-c", PROGRAM, str(pyz)]
    told = subprocess.run([*command, *FILES], capture_output=True, text=True, check=False)
    assert told.stderr == ""
    lines = told.stdout.splitlines()
    assert len(lines) == len(FILES) * len(LANGUAGES) > 100
    for number, (file, language) in enumerate((one, lang) for one in FILES for lang in LANGUAGES):
        ours = check_file(file, RUBRIC, language)
        assert json.loads(lines[number]) == [
            *(ours.verdict, ours.points, ours.out_of),
            *(judged(ours.submission), ours.next_step, ours.page),
        ], (file.name, language)


def test_the_grader_says_so_of_a_folder() -> None:
    for folder in (CORPUS, KINDS):
        for submission in assess(folder, RUBRIC, None).submissions:
            checked = check_file(folder / submission.file, RUBRIC, "en")
            assert (checked.verdict, checked.points) == (submission.verdict, submission.points)
            assert checked.submission.judgements == submission.judgements


@pytest.mark.parametrize(
    ("file", "status", "said"),
    [
        (CORPUS / "complete.pcap", 0, "complete.pcap: Graded, 100 of 100 points"),
        (CORPUS / "stopped-early.pcap", 1, "stopped-early.pcap: Capture again, 80 of 100 points"),
        (CORPUS / "ping.pcap", 1, "ping.pcap: Another lab, 0 of 100 points"),
        (CORPUS / "nothing.pcap", 1, "nothing.pcap: Empty, 0 of 100 points"),
        (KINDS / "not-pdf.pcap", 2, "not-pdf.pcap: Unreadable, 0 of 100 points"),
        (KINDS / "none.pcap", 2, "none.pcap: Unreadable, 0 of 100 points"),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_its_status_tells_whether_to_hand_in(pyz: Path, file: Path, status: int, said: str) -> None:
    told = run(pyz, file)
    assert (told.returncode, told.stderr) == (status, "")
    assert told.stdout.splitlines()[0] == said
    assert ("Do this next: Hand in this file." in told.stdout) is (status == 0)


def test_it_tells_each_criterion_with_its_frames_and_the_next_step(pyz: Path) -> None:
    assert run(pyz, CORPUS / "stopped-early.pcap").stdout == (
        """\
stopped-early.pcap: Capture again, 80 of 100 points
Your capture misses part of the connection, so it cannot be graded in full: please capture again.

✔ The capture holds the lab's traffic: met, 10/10 (frames 1\N{EN DASH}10)
✔ Three-way handshake: met, 25/25 (frames 1\N{EN DASH}3)
✔ At least 2 messages: met, 15/15 (frames 4, 8)
✔ Every message answered by its upcall: met, 25/25 (frames 4, 6, 8, 9)
? Orderly close from both sides: cannot be seen, 0/20 (frame 10)
  The capture ends before the close.
✔ No reset: met, 5/5

Do this next: Type bye in the client, wait until it has ended, and only then stop tcpdump with
Ctrl-C.

This is your own check and no grade: copies, tokens, the roster and the lab host's logs can be
checked by your instructor alone.
"""
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        ((), {"LC_ALL": "", "LANG": "id_ID.UTF-8"}, "Rekam ulang"),
        ((), {"LC_ALL": "", "LC_MESSAGES": "en_US.UTF-8", "LANG": "id_ID.UTF-8"}, "Capture again"),
        ((), {"LC_ALL": "de_DE.UTF-8", "LANG": "id_ID.UTF-8"}, "Capture again"),
        (("--lang", "id"), {"LC_ALL": "C.UTF-8"}, "Rekam ulang"),
        (("--lang", "en"), {"LC_ALL": "id_ID.UTF-8"}, "Capture again"),
    ],
    ids=["LANG", "LC_MESSAGES", "LC_ALL", "--lang id", "--lang en"],
)
def test_it_speaks_the_language_of_the_room(
    pyz: Path, arguments: tuple[str, ...], variables: dict[str, str], expected: str
) -> None:
    told = run(pyz, *arguments, CORPUS / "stopped-early.pcap", **variables)
    assert told.stdout.startswith(f"stopped-early.pcap: {expected}, 80 ")


def test_what_a_file_is_called_moves_no_cursor(pyz: Path, tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[2J\u202eb.pcap"
    file.write_bytes((CORPUS / "hostile.pcap").read_bytes())
    told = run(pyz, file)
    assert told.stdout.startswith("a\\x1b[2J\\u202eb.pcap: Graded, ")
    assert "\x1b" not in told.stdout


def test_where_the_terminal_has_no_such_letters_they_show_as_others(pyz: Path) -> None:
    told = run(pyz, CORPUS / "stopped-early.pcap", PYTHONIOENCODING="ascii")
    assert "\n+ Three-way handshake: met, 25/25 (frames 1\\u20133)\n" in told.stdout


def test_it_writes_the_page_where_asked(pyz: Path, tmp_path: Path) -> None:
    file, page = CORPUS / "complete.pcap", tmp_path / "page.html"
    page.write_text("an earlier one")
    assert run(pyz, file, "--page", page).returncode == 0
    assert page.read_text("utf-8") == check_file(file, RUBRIC, "en").page


def test_a_page_that_cannot_be_written_is_told(pyz: Path, tmp_path: Path) -> None:
    page = tmp_path / "none" / "page.html"
    told = run(pyz, CORPUS / "complete.pcap", "--page", page)
    assert told.returncode == 2
    assert told.stderr == (
        f"upcall-check.pyz: {page} cannot be written (No such file or directory); name a file in"
        " a folder of your own.\n"
    )


def test_a_page_never_replaces_a_capture(pyz: Path, tmp_path: Path) -> None:
    file = tmp_path / "upcall.pcap"
    file.write_bytes((CORPUS / "complete.pcap").read_bytes())
    told = run(pyz, file, "--page", file)
    assert told.returncode == 2
    assert "give a name that ends with .html" in told.stderr
    assert file.read_bytes() == (CORPUS / "complete.pcap").read_bytes()


@pytest.mark.parametrize("arguments", [(), ("one", "two"), ("one", "--lang", "de")])
def test_a_wrong_call_is_told(pyz: Path, arguments: tuple[str, ...]) -> None:
    told = run(pyz, *arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("usage: upcall-check.pyz ")


def test_a_rubric_that_cannot_be_used_is_told(pyz: Path, tmp_path: Path) -> None:
    told = run(pyz, CORPUS / "complete.pcap", "--rubric", tmp_path / "none.yml")
    assert (told.returncode, told.stdout) == (2, "")
    assert "it cannot be read (No such file or directory); check the name" in told.stderr


def test_nothing_is_left_when_its_reader_goes(pyz: Path) -> None:
    command = [sys.executable, str(pyz), str(CORPUS / "stopped-early.pcap")]
    reader, writer = os.pipe()
    os.close(reader)
    told = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (told.returncode, told.stderr) == (1, "")


def test_another_lab_is_checked_by_its_own_rubric(pyz: Path, tmp_path: Path) -> None:
    rubric = tmp_path / "echo.yml"
    rubric.write_text((TOP / ECHO).read_text().replace("port: 2222", "port: 4141"))
    asked = run(pyz, "--rubric", rubric, KINDS / "echo-lab.pcap")
    assert asked.stdout.startswith("echo-lab.pcap: Graded, 100 of 100 points\n")
    assert "Every message repeated: met, 25/25" in asked.stdout
    embedded = packed(tmp_path, rubric)
    assert run(embedded, KINDS / "echo-lab.pcap").stdout == asked.stdout
    assert run(pyz, KINDS / "echo-lab.pcap").stdout != asked.stdout


@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_an_embedded_rubric_is_the_instructors_without_comments(
    version: str, tmp_path: Path
) -> None:
    rubric = tmp_path / "own.yml"
    rubric.write_text(OWN, "utf-8")
    pyz = packed(tmp_path, rubric)
    assert all(b"do not tell" not in data for data in unpacked(pyz).values())
    file = CORPUS / "complete.pcap"
    told = run(pyz, "--lang", "id", file, version=version)
    assert (told.returncode, told.stderr) == (0, "")
    assert "Jabat tangan 🤝: terpenuhi, 40/40" in told.stdout
    assert "Token Anda sendiri ada dalam sebuah pesan: tidak terlihat, 0/60" in told.stdout
    assert "Yes: met, 40/40" in run(pyz, "--lang", "en", file, version=version).stdout


def unpacked(pyz: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(pyz) as archived:
        return {name: archived.read(name) for name in archived.namelist()}


def test_it_is_small_and_holds_what_belongs_to_it_alone(pyz: Path) -> None:
    assert pyz.stat().st_size < 600_000
    files = unpacked(pyz)
    folders = {name.partition("/")[0] for name in files}
    assert folders == {
        *("__main__.py", "dpkt", "jinja2", "licences", "markupsafe"),
        *("upcall_grader", "upcall_text", "yaml"),
    }
    assert not [name for name in files if re.search(r"\.so$|\.pyc$|tokens\.csv|\.toml$", name)]
    libraries = ("Jinja2", "MarkupSafe", "PyYAML", "dpkt", "upcall-lab")
    for library in libraries:
        assert b"opyright" in files[f"licences/{library}.txt"]
    assert not any(str(TOP).encode() in data for data in files.values())


def test_the_same_sources_give_the_same_bytes(pyz: Path, tmp_path: Path) -> None:
    program = f"""
import os, sys
os.umask(0o077)
sys.path.insert(0, {str(TOP)!r})
from scripts.selfcheck.contents import contents
from scripts.selfcheck.pyz import archive
sys.stdout.buffer.write(archive(contents(None)))
"""
    again = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONHASHSEED": "7", "TZ": "UTC", "LC_ALL": "C"},
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert again.stdout == pyz.read_bytes()
    with zipfile.ZipFile(io.BytesIO(again.stdout)) as archived:
        entries = archived.infolist()
    assert {one.date_time for one in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [one.filename for one in entries] == sorted(one.filename for one in entries)


def test_an_older_python_is_told_so_without_a_traceback() -> None:
    """No such Python can be had here: its version is what is said, in a real interpreter."""
    start = (TOP / "scripts/selfcheck/start.py").read_text()
    program = f"import sys; sys.version_info = (3, 8); sys.version = '3.8.10 (x)'\n{start}"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert told.stderr == (
        "upcall-check.pyz: this is Python 3.8.10, and 3.9 is needed; run it with a newer one, or"
        " use the page upcall-check.html\n"
    )
