"""What makes the judge fast can be deleted: one folder and the one line that imports it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.corpus import mutants as m
from tests.unit.corpus.judging import COMPLETE, CORPUS
from tests.unit.grader import building as b
from tests.unit.judge.talks import talk
from upcall_grader.judge.fast import reader
from upcall_grader.judge.reading import SHORTCUTS

SRC = Path(__file__).resolve().parents[3] / "src"
FAST = "upcall_grader.judge.fast"
RUBRIC = """
criteria:
  - {id: token, points: 20}
  - {id: handshake, points: 10}
  - {id: messages, points: 10, least: 2}
  - {id: distinct, points: 10, least: 2}
  - {id: upcalls, points: 10}
  - {id: close, points: 10}
  - {id: no-reset, points: 10}
  - {id: window, points: 10, from: "2020-01-01T00:00:00+00:00", to: "2040-01-01T00:00:00+00:00"}
  - {id: network, points: 10, networks: [172.16.0.0/12]}
"""


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the packages without the folder and the line."""
    src = tmp_path_factory.mktemp("without") / "src"
    shutil.copytree(SRC, src, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(src.joinpath(*FAST.split(".")))
    lines = 0
    for file in src.rglob("*.py"):
        text = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in text if FAST not in line]
        lines += len(text) - len(kept)
        file.write_text("".join(kept), encoding="utf-8")
    assert lines == 1, "one import, and nothing else outside the folder knows of it"
    return src


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the corpus, mutants of a capture, and captures of several connections."""
    folder = tmp_path_factory.mktemp("captures")
    files = {path.name: path.read_bytes() for path in CORPUS.rglob("*.pcap*")}
    original = m.Original(m.read(COMPLETE.read_bytes()))
    for family in (m.harmful, m.harmless, m.foreign):
        for number, mutant in enumerate(family(original)):
            files[f"{family.__name__}-{number}.pcap"] = mutant.data
    bye = talk(1).open().close().packets
    reset = talk(2).open().say(b"1", b"2").c(b.RST | b.ACK).packets
    whole = [packet for n in range(80) for packet in talk(n).open().say(b"1").close().packets]
    files["bye-first.pcap"] = b.pcap(b.frames([*bye, *reset]))
    files["many.pcap"] = b.pcap(b.frames([*whole, *talk(90).open().say(b"1", b"2").packets]))
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def graded(src: Path, captures: Path, place: Path, rubric: str) -> dict[str, bytes]:
    """Return everything that upcall-grade prints and writes."""
    place.mkdir()
    (place / "rubric.yml").write_text(rubric, encoding="utf-8")
    (place / "secret").write_text("a secret of the class\n", encoding="utf-8")
    options = ["--rubric", "rubric.yml", "--secret", "secret"] if rubric else []
    done = subprocess.run(
        [sys.executable, "-m", "upcall_grader.grade.command", captures, "--out", "out", *options],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(src)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    written = sorted(path for path in (place / "out").rglob("*") if path.is_file())
    files = {str(path.relative_to(place)): path.read_bytes() for path in written}
    return {"printed": done.stdout, **files}


@pytest.mark.parametrize("rubric", ["", RUBRIC], ids=["default rubric", "every check"])
def test_every_result_stays_the_same(
    rubric: str, without: Path, captures: Path, tmp_path: Path
) -> None:
    fast = graded(SRC, captures, tmp_path / "fast", rubric)
    slow = graded(without, captures, tmp_path / "slow", rubric)
    assert "out/grades.json" in fast
    assert fast == slow


def test_it_is_in_use_and_in_the_copy_it_is_not(without: Path) -> None:
    assert reader.summarize_file in SHORTCUTS
    program = (
        "import upcall_grader.judge.submission as used, upcall_grader.judge.reading as reading\n"
        "print(used.__file__, reading.SHORTCUTS)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(without)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout == f"{without}/upcall_grader/judge/submission.py []\n"
