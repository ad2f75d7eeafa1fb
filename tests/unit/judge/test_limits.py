"""A file beyond the limits is told as such, wherever its verdict is told; reading ends there."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from tests.unit.corpus.counting import steps
from tests.unit.grader import building as b
from upcall_grader.capture.limits import DEFAULT_LIMITS
from upcall_grader.grade.command import main as grade
from upcall_grader.show.command import main as show

CAPTURE = b.frames(b.lab(b"1", b"2", b"3"))
"""16 packets, complete."""
NOISE = b.frames([b.ip("10.0.0.3", "10.0.0.2", 17, bytes(1000))])
SAID = {
    "en": ("it has more than the {} that are read of a file", "packets"),
    "id": ("isinya lebih dari {}, batas yang dibaca dari satu berkas", "paket"),
}


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "ann.pcap").write_bytes(b.pcap(CAPTURE))
    (folder / "many.pcap").write_bytes(b.pcap(CAPTURE + NOISE * 200))
    (folder / "large.pcap").write_bytes(b.pcap(CAPTURE + NOISE * 1100))
    return folder


@pytest.mark.parametrize("language", SAID)
def test_reports_and_exports_tell_the_limit(
    handed_in: Path, tmp_path: Path, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    limits = ["--max-size", "1", "--max-packets", "100"]
    assert grade([str(handed_in), "--out", str(out), "--lang", language, *limits]) == 1
    text, packets = SAID[language]
    reasons = {
        "ann": "",
        "many": text.format(f"100 {packets}"),
        "large": text.format("1 MiB"),
    }
    shown = capsys.readouterr().out
    told = json.loads((out / "grades.json").read_bytes())["submissions"]
    assert [one["student"] for one in told] == sorted(reasons)
    for one in told:
        reason = reasons[one["student"]]
        remarks = [remark for remark in one["remarks"] if remark["code"] == "beyond-limit"]
        assert [reason in remark["text"] for remark in remarks] == [True] * bool(reason)
        assert (one["verdict"], one["points"]) == (("unreadable", 0) if reason else ("graded", 100))
        assert one["needs_person"] is bool(reason)
        page = (out / one["page"]).read_text()
        assert reason in page
        assert reason in shown
        assert reason in (out / "grades.csv").read_text()
        assert all("--max-" in remark["remedy"] for remark in remarks)


def test_a_file_at_the_limit_is_judged(tmp_path: Path) -> None:
    (tmp_path / "upcall.pcap").write_bytes(b.pcap(CAPTURE))
    assert grade([str(tmp_path), "--max-packets", str(len(CAPTURE))]) == 0
    assert grade([str(tmp_path), "--max-packets", str(len(CAPTURE) - 1)]) == 1


def test_what_a_packed_capture_unpacks_to_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(1)  # noqa: S311 (what cannot be packed well)
    noise = [draw.randbytes(100) * 10 for _ in range(1100)]
    (tmp_path / "upcall.pcap.gz").write_bytes(gzip.compress(b.pcap(CAPTURE + noise)))
    assert grade([str(tmp_path), "--max-size", "1"]) == 1
    assert "more than the 1 MiB" in capsys.readouterr().out


def test_upcall_show_tells_the_limit(handed_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show([str(handed_in / "large.pcap"), "--max-size", "1"]) == 2
    assert "more than the 1 MiB that are read" in capsys.readouterr().err
    assert show([str(handed_in / "many.pcap"), "--max-packets", "100"]) == 2
    assert "more than the 100 packets that are read" in capsys.readouterr().err
    assert show([str(handed_in / "ann.pcap"), "--max-packets", "100", "--check"]) == 0


def test_reading_ends_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "upcall.pcap"
    taken = []
    for packets in (3000, 30_000):
        path.write_bytes(b.pcap(CAPTURE + [b"\1"] * packets))
        taken.append(steps(lambda: grade([str(tmp_path), "--max-packets", "1000"])))
    # The shortcut reads a part of the file at a time.
    assert taken[1] < 3 * taken[0]
    with path.open("r+b") as file:
        file.truncate(DEFAULT_LIMITS.size + 1)
    # Of a file that is too large nothing is read.
    assert steps(lambda: grade([str(tmp_path)])) < taken[0]


@pytest.mark.parametrize("option", ["--max-size", "--max-packets"])
@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "9" * 10, "²"])
@pytest.mark.parametrize("command", [grade, show])
def test_a_limit_that_is_none_is_refused(
    option: str, value: str, command: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(command)
    with pytest.raises(SystemExit, match="2"):
        command(["x", f"{option}={value}"])
    assert "give a whole one from 1 to 999999999" in capsys.readouterr().err
