"""``upcall-grade`` as a process: what it prints, where, and its exit status."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import io
import json
import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.unit.grader import building as b
from tests.unit.judge.talks import COMMAND, CORPUS, exchange, grade, talk
from upcall_grader.grade.command import main

ROSTER = "host,student_id,name\nh1,2110001,Sari\nh2,2110002,Budi\n"
CLASS_LINE = "correct horse\n"
TOKENS = "criteria:\n  - {id: token, points: 60}\n  - {id: close, points: 40}\n"
SHORT = b.pcap(b.frames(talk(9).open().say(b"1").close().packets))


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    folder = tmp_path / "captures"
    folder.mkdir()
    (folder / "2110001.pcap").write_bytes(exchange())
    return folder


def roster(folder: Path) -> Path:
    path = folder / "roster.csv"
    path.write_text(ROSTER)
    return path


def test_all_graded_is_status_0(captures: Path) -> None:
    (captures / "second.pcap").write_bytes(SHORT)
    done = grade(captures)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines() == [
        "2110001  graded        100 of 100  2110001.pcap",
        "second   graded         85 of 100  second.pcap",
        "    messages: 1 of 2 messages. (frame.number == 4)",
        "2 submissions: 2 graded",
    ]


def test_who_needs_a_person_is_status_1_and_told_alone_when_quiet(captures: Path) -> None:
    (captures / "second.pcap").write_bytes(exchange(number=3)[:-75])
    done = grade(captures, "--roster", roster(captures), "--quiet")
    assert (done.returncode, done.stderr) == (1, b"")
    lines = done.stdout.decode().splitlines()
    assert [line.split()[:2] for line in lines if not line.startswith(" ")] == [
        ["2110002", "missing"],
        ["second", "recapture"],
        ["3", "submissions:"],
    ]
    assert lines[-1].endswith("1 graded, 1 recapture, 1 missing; 2 need a person")


@pytest.mark.parametrize(
    ("language", "why"), [("en", "its name begins with a dot"), ("id", "namanya diawali titik")]
)
def test_what_is_passed_over_is_counted_and_listed_if_asked_for(
    language: str, why: str, captures: Path, tmp_path: Path
) -> None:
    (captures / ".b\x1b[31m.pcap").write_bytes(SHORT)
    (captures / "sari").mkdir()
    (captures / "sari" / "server.log").write_bytes(SHORT)
    out = tmp_path / "out"
    done = grade(captures, "--quiet", "--lang", language, "--out", out)
    counted, _ = done.stdout.decode().splitlines()
    assert counted == "1 submissions: 1 graded; 2 passed over (--passed-over lists them)"
    done = grade(captures, "--quiet", "--passed-over", "--lang", language)
    hidden, log, total = done.stdout.decode().splitlines()
    assert hidden == f"passed over: .b\\x1b[31m.pcap: {why}"
    assert log.startswith("passed over: sari/server.log: ")
    assert "upcall.pcap" in log  # the remedy
    assert total == "1 submissions: 1 graded; 2 passed over"
    written = json.loads((out / "grades.json").read_text())["passed_over"]
    assert written[0] == {"file": ".b\x1b[31m.pcap", "why": why}
    page = (out / "report" / "index.html").read_text()
    assert f"<bdi>.b\\x1b[31m.pcap</bdi>: {why}" in page
    assert "<bdi>sari/server.log</bdi>" in page


def test_copies_need_a_person(captures: Path) -> None:
    (captures / "2110002.pcap").write_bytes(exchange())
    done = grade(captures)
    assert done.returncode == 1
    assert b"It holds the same capture as 2110001.pcap." in done.stdout
    assert done.stdout.endswith(b"2 graded; 2 need a person; copies: 1 group\n")


def test_a_folder_without_captures_is_wrong_use_and_replaces_nothing(
    captures: Path, tmp_path: Path
) -> None:
    out, empty = tmp_path / "out", tmp_path / "empty"
    assert grade(captures, "--out", out).returncode == 0
    before = (out / "grades.json").read_bytes()
    (empty / "h1" / "earlier").mkdir(parents=True)
    for folder in (empty, tmp_path / "none"):
        for place in (out, tmp_path / "new" / "out"):
            done = grade(folder, "--roster", roster(tmp_path), "--out", place)
            assert (done.returncode, done.stdout) == (2, b"")
            assert done.stderr.endswith(b" (docs/troubles.md#no-captures)\n")
    assert (out / "grades.json").read_bytes() == before
    assert not (tmp_path / "new").exists()


BAD_ROSTER = "host,student_id\nh1,a\nh1,b\n"


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ([], "the following arguments are required: DIR"),
        (["captures", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["captures", "--lang", "de"], "argument --lang: invalid choice"),
        (["captures", "more"], "unrecognized arguments: more"),
        (["none"], "upcall-grade: none does not exist; name the folder with the captures"),
        (["captures/2110001.pcap"], "is not a folder; name the folder with the captures"),
        (["captures", "--rubric", "none.yml"], "upcall-grade: none.yml: it cannot be read"),
        (["captures", "--rubric", "bad.yml"], "upcall-grade: bad.yml, line 2: "),
        (["captures", "--roster", "none.csv"], "there is no such file: check the name"),
        (
            ["captures", "--roster", "bad.csv"],
            "bad.csv, line 3: host 'h1' is already in line 2",
        ),
        (["captures", "--out", "captures"], "results and captures cannot share a folder"),
        (["captures", "--out", "."], "it holds the captures, or you are in it"),
        (["captures", "--out", "bad.csv"], "it is a file; name a folder after --out"),
        (["captures", "--rubric", "tokens.yml"], "add --secret FILE"),
        (["captures", "--secret", "none"], "the secret cannot be read"),
        (
            ["captures", "--rubric", "tokens.yml", "--secret", "short"],
            "has 7 bytes; use at least 8",
        ),
        (["captures", "--rubric", "tokens.yml", "--secret", "empty"], "has 0 bytes"),
        (["tokens"], "the following arguments are required: --roster, --secret"),
        (["tokens", "--roster", "good.csv", "--secret", "short"], "use at least 8"),
        (["rubric", "more"], "unrecognized arguments: more"),
    ],
)
def test_wrong_use_is_status_2_and_says_why(
    words: list[str],
    cause: str,
    captures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(captures.parent)
    for name, content in (
        ("bad.yml", "criteria:\n  - {id: x, points: 1}\n"),
        ("bad.csv", BAD_ROSTER),
        ("good.csv", ROSTER),
        ("tokens.yml", TOKENS),
        ("short", "1234567\n"),
        ("empty", "\n\n"),
    ):
        Path(name).write_text(content)
    try:
        status: object = main(words)
    except SystemExit as ended:
        status = ended.code
    told = capsys.readouterr()
    assert (status, told.out) == (2, "")
    assert cause in told.err


def test_help_tells_of_all_three_forms() -> None:
    told = {word: grade(*word.split(), "--help") for word in ("", "tokens", "rubric")}
    assert all(done.returncode == 0 and not done.stderr for done in told.values())
    text = " ".join(told[""].stdout.decode().split())
    for words in ("upcall-grade rubric", "upcall-grade tokens --roster FILE --secret FILE"):
        assert words in text
    for option in (
        "--out",
        "--rubric",
        "--roster",
        "--secret",
        "--lang",
        "--assignment",
        "--quiet",
    ):
        assert option in text
    assert "0 all graded, 1 some need a person, 2 wrong use" in text


# -- tokens


def test_tokens_are_the_same_each_time_and_each_students_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(CLASS_LINE)
    done = grade("tokens", "--roster", roster(tmp_path), "--secret", tmp_path / "secret")
    assert (done.returncode, done.stderr) == (0, b"")
    # openssl dgst -sha256 -hmac "correct horse" -binary | base32 | head -c 10
    assert list(csv.reader(io.StringIO(done.stdout.decode()))) == [
        ["student_id", "token"],
        ["2110001", "pgbb3lzo5h"],
        ["2110002", "7x6hlrkgns"],
    ]
    (tmp_path / "secret").write_text(CLASS_LINE.replace("\n", "\r\n"))
    again = grade("tokens", "--roster", tmp_path / "roster.csv", "--secret", tmp_path / "secret")
    assert again.stdout == done.stdout
    (tmp_path / "roster.csv").write_text(ROSTER.replace("2110001", "TI-1").replace("2110002", "x"))
    loud = grade("tokens", "--roster", tmp_path / "roster.csv", "--secret", tmp_path / "secret")
    (tmp_path / "roster.csv").write_text(ROSTER.replace("2110001", "ti-1").replace("2110002", "x"))
    low = grade("tokens", "--roster", tmp_path / "roster.csv", "--secret", tmp_path / "secret")
    assert loud.stdout == low.stdout.replace(b"ti-1", b"TI-1")
    roster(tmp_path)
    (tmp_path / "secret").write_text("correct horse.\n")
    other = grade("tokens", "--roster", tmp_path / "roster.csv", "--secret", tmp_path / "secret")
    assert not set(other.stdout.split()[1:]) & set(done.stdout.split()[1:])


def test_printed_tokens_are_found_in_captures(captures: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(CLASS_LINE)
    (tmp_path / "rubric.yml").write_text(TOKENS)
    options = ("--roster", roster(tmp_path), "--secret", tmp_path / "secret")
    printed = grade("tokens", *options).stdout.decode().splitlines()
    own, others = (line.partition(",")[2] for line in printed[1:])
    (captures / "2110001.pcap").write_bytes(exchange(own.encode()))
    (captures / "2110002.pcap").write_bytes(exchange(own.encode(), number=1))
    done = grade(captures, *options, "--rubric", tmp_path / "rubric.yml")
    assert done.stdout.decode().splitlines()[:3] == [
        "2110001  graded        100 of 100  2110001.pcap",
        "2110002  graded         40 of 100  2110002.pcap",
        "    token: No message holds the token of 2110002. (frame.number == 4)",
    ]
    assert own != others


# -- hostile names, other surroundings


def hostile() -> dict[bytes, bytes]:
    """Paths below a folder, and what is in those files."""
    names = [b"a\nb.pcap", b"\x1b[2J\x1b[31mred.pcap", b"\xff\xfe\x80.pcap", b"n" * 255]
    names += ["\u202egnp.pcap".encode(), b"=cmd()|'x'!A1.pcap", b"-rf.pcap", b"{file}.pcap"]
    files = {
        name: exchange(number=number) if number % 2 else SHORT[:-75] + bytes([number])
        for number, name in enumerate(names)
    }
    inner = b"\x1b]0;title\x07/"
    files[inner + b"upcall.pcap"] = exchange(b"\x1b[2J{0}\n", b"%s", number=30)[:-75]
    files[inner + b"manifest.json"] = (
        rb'{"student": "\u001b[31m\ud800{x}", "host": "a\nb", "mode": "\udfff", "sha256": "\ud800"}'
    )
    return files


def lay(folder: Path, files: Iterable[tuple[bytes, bytes]]) -> None:
    for name, content in files:
        path = folder / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def test_hostile_names_and_messages_are_harmless_on_a_terminal(captures: Path) -> None:
    lay(captures, hostile().items())
    done = grade(captures)
    assert (done.returncode, done.stderr) == (1, b"")
    text = done.stdout.decode()
    assert all(letter.isprintable() for line in text.split("\n") for letter in line)
    assert len([line for line in text.splitlines() if not line.startswith(" ")]) == 11
    for shown in ("a\\nb.pcap", "\\x1b[2J", "\\xff\\xfe\\x80.pcap", "\\u202e", "=cmd()", "{file}"):
        assert shown in text
    for folder in ("none\n\x1b[31m", os.fsdecode(b"\xff")):
        told = grade(captures / folder)
        assert told.returncode == 2
        assert all(
            letter.isprintable() for line in told.stderr.decode().split("\n") for letter in line
        )


@pytest.mark.parametrize("out", [False, True])
def test_the_same_captures_give_the_same_bytes(out: bool, captures: Path, tmp_path: Path) -> None:
    # Laid in another order, a folder may list its entries in another one.
    files = hostile() | {b"2110001.pcap": exchange(), b"2110002.pcap": exchange()}
    other = tmp_path / "other"
    other.mkdir()
    lay(captures, files.items())
    lay(other, reversed(files.items()))
    rosters = roster(tmp_path)
    results = []
    for number, (folder, environment) in enumerate(
        [
            (captures, {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8"}),
            (other, {"PYTHONHASHSEED": "2", "LC_ALL": "POSIX", "TZ": "Asia/Jakarta"}),
        ]
    ):
        words: list[str | Path] = [folder, "--roster", rosters, "--lang", "id"]
        target = tmp_path / f"out{number}"
        if out:
            words += ["--out", target]
        done = grade(*words, environment=environment)
        assert done.returncode == 1, done.stderr
        written = {
            str(path.relative_to(target)): path.read_bytes()
            for path in sorted(target.rglob("*"))
            if path.is_file()
        }
        results.append((done.stdout.replace(os.fsencode(target), b"OUT"), written))
    assert results[0] == results[1]
    assert bool(results[0][1]) is out


def test_results_inside_the_folder_are_no_submissions(captures: Path) -> None:
    (captures / "roster.csv").write_text(ROSTER)
    out = captures / "results"
    words = (captures, "--roster", captures / "roster.csv", "--out", out)
    first, second = grade(*words), grade(*words)
    assert first.returncode == second.returncode == 1
    assert first.stdout.replace(b"(changed)", b"(unchanged)") == second.stdout
    told = json.loads((out / "grades.json").read_bytes())
    assert [(one["student"], one["verdict"]) for one in told["submissions"]] == [
        ("2110001", "graded"),
        ("2110002", "missing"),
    ]


def test_who_reads_no_further_ends_it_quietly(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}{'n' * 200}.pcap").write_bytes(b"x")
    with subprocess.Popen(
        [*COMMAND, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 1


@pytest.mark.parametrize("stream", ["closed", "full", "read no further"])
def test_what_becomes_of_the_output_changes_no_result(
    stream: str, captures: Path, tmp_path: Path
) -> None:
    program = ["sh", "-c", 'exec "$@" >&-' if stream == "closed" else 'exec "$@"', "sh"]
    command = [*program, *COMMAND, str(captures), "--out", str(tmp_path / "out")]
    reader, pipe = os.pipe()
    os.close(reader)
    with Path("/dev/full").open("wb") as full, os.fdopen(pipe, "wb") as nobody:
        target = full if stream == "full" else nobody
        done = subprocess.run(command, stdout=target, stderr=subprocess.PIPE, check=False)
    assert done.returncode == (2 if stream == "full" else 0), done.stderr
    assert (b"its output: No space left" in done.stderr) is (stream == "full")
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "out" / "report" / "index.html").is_file()


@pytest.mark.parametrize("words", [("rubric",), ("tokens",), ("captures",)])
def test_closed_streams_give_no_traceback(words: tuple[str, ...], captures: Path) -> None:
    if words == ("tokens",):
        (captures.parent / "secret").write_text(CLASS_LINE)
        words += ("--roster", str(roster(captures.parent)), "--secret", "secret")
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, *words],
            cwd=captures.parent,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("kind", ["folder", "file", "link to a report", "folder as table"])
def test_what_upcall_grade_did_not_write_stays(kind: str, captures: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out", tmp_path / "out" / "report"
    out.mkdir()
    thesis = report / "thesis.txt"
    if kind == "folder":
        report.mkdir()
    elif kind == "file":
        thesis = report
    elif kind == "folder as table":
        thesis = out / "moodle.csv" / "thesis.txt"
        thesis.parent.mkdir()
    else:
        grade(captures, "--out", tmp_path / "elsewhere")
        report.symlink_to(tmp_path / "elsewhere" / "report")
    thesis.write_text("years of work")
    done = grade(captures, "--out", out)
    assert done.returncode == 2
    assert b"already exists and is not a " in done.stderr
    assert b"choose another folder with --out, or move it away first" in done.stderr
    assert thesis.read_text() == "years of work"
    assert not (out / "grades.json").exists()


def test_an_empty_report_may_be_taken(captures: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "report").mkdir(parents=True)
    assert grade(captures, "--out", tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "report" / "index.html").is_file()


def test_results_of_an_earlier_run_are_no_submissions(captures: Path) -> None:
    inner = captures / "2110003"
    assert grade(captures, "--out", captures / "first").returncode == 0
    assert grade(captures, "--out", inner).returncode == 0
    # What lies beside them is somebody's, and files that are just called so are, too.
    (inner / "upcall.pcap").write_bytes(SHORT)
    (captures / "2110004").mkdir()
    (captures / "2110004" / "grades.json").write_bytes(SHORT)
    lines = grade(captures).stdout.decode().splitlines()
    assert [line.split()[-1] for line in lines[:-1] if line[0] != " "] == [
        "2110001.pcap",
        "2110003/upcall.pcap",
        "2110004/grades.json",
    ]


def test_what_cannot_be_written_is_told(captures: Path) -> None:
    done = grade(captures, "--out", "/dev/null/results")
    assert done.returncode == 2
    assert b"/dev/null" in done.stderr
    assert b"Traceback" not in done.stderr
    with Path("/dev/full").open("wb") as full:
        told = subprocess.run(
            [*COMMAND, str(captures)], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert told.returncode == 2
    assert b"its output: No space left on device" in told.stderr
    assert b"Traceback" not in told.stderr


def test_what_was_found_is_told_before_what_went_wrong(captures: Path, tmp_path: Path) -> None:
    (tmp_path / "results" / "report").mkdir(parents=True)
    (tmp_path / "results" / "report" / "thesis.txt").touch()
    done = grade(captures, "--out", tmp_path / "results")
    assert done.returncode == 2
    assert b"submissions:" in done.stdout
    assert b"is not a report of upcall-grade" in done.stderr


def test_many_files_are_judged_side_by_side_in_the_same_order(tmp_path: Path) -> None:
    for number in range(270):
        (tmp_path / f"{number:03}.pcap").write_bytes(exchange(number=number))
    (tmp_path / "135.pcap").write_bytes(b"")
    done = grade(tmp_path)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 1
    assert [line.split()[0] for line in lines[:-1] if line[0] != " "] == [
        f"{number:03}" for number in range(270)
    ]
    assert lines[-1] == "270 submissions: 269 graded, 1 empty; 1 need a person"


def test_the_corpus_is_graded_from_one_folder(tmp_path: Path) -> None:
    files = sorted(CORPUS.glob("*.pcap*"))
    for path in files:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    done = grade(tmp_path)
    assert done.returncode == 1
    assert done.stdout.decode().splitlines()[-1].startswith(f"{len(files)} submissions: ")
    assert b"Reading it failed" not in done.stdout


def test_runs_that_write_one_folder_go_one_after_the_other(captures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [*COMMAND, str(captures), "--out", str(out)]
        lock.write("4711")
        lock.flush()
        later = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            deadline = time.monotonic() + 20
            while not has_open(later.pid, out / ".lock"):
                assert later.poll() is None
                assert time.monotonic() < deadline
            assert sorted(path.name for path in out.iterdir()) == [".lock"]
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert later.wait(20) == 0
            assert later.stderr is not None
            waited = f"upcall-grade: {out}: process 4711 writes there; waiting for it"
            place = " (docs/troubles.md#runs-already)\n"
            assert later.stderr.read().decode() == waited + place
        finally:
            # It would wait for the lock as long as this test waited for it.
            later.kill()
            later.communicate()
    assert (out / "grades.json").is_file()


def test_runs_at_the_same_time_leave_the_results_of_one(captures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [*COMMAND, str(captures), "--out", str(out), "--lang"]
    runs = [
        subprocess.Popen([*command, language], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for language in ("en", "id", "en", "id")
    ]
    assert [one.wait(60) for one in runs] == [0] * 4
    language = json.loads((out / "grades.json").read_bytes())["language"]
    assert f'<html lang="{language}"' in (out / "report" / "index.html").read_text("utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"captures", "out"}


def has_open(process: int, file: Path) -> bool:
    for link in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            if link.readlink() == file:
                return True
    return False
