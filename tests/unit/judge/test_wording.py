"""What is told in Indonesian is told in no English, down to why a file cannot be read."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.unit.corpus.judging import CORPUS
from tests.unit.grader import building as b
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.results import Owner, Remark, Status
from upcall_grader.judge.submission import judge_file
from upcall_grader.texts.wording import Wording

WHOLE = b.pcap(b.frames(b.lab()))
ENGLISH = re.compile(r"\b(it|is|the|not|with|needs|again|server was|client was|by the)\b")
FILES = {
    "gzip": gzip.compress(WHOLE, mtime=0)[:-5],
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(60),
    "xz": b"\xfd7zXZ\0" + bytes(60),
    "zip": b"PK\x03\x04" + bytes(60),
    "snoop": b"snoop\0\0\0" + bytes(60),
    "text": b"tcpdump: listening on br-0\n",
    "page": b"<html><body>Moodle",
    "stranger": b"\x7fELF" + bytes(60),
    "header": WHOLE[:20],
    "version": WHOLE[:4] + b"\x09\x00" + WHOLE[6:],
    "cut": WHOLE[:-5],
    "impossible": WHOLE[:24] + b"\xff" * 16,
    "whole": WHOLE,
}


@pytest.mark.parametrize("name", FILES)
def test_no_english_in_indonesian(name: str, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(FILES[name])
    submission = judge_file(path, DEFAULT, Owner("sari"), "capture")
    wording = Wording("id")
    remarks = [*submission.remarks, *(judgement.remark for judgement in submission.judgements)]
    told = [text for one in remarks for text in (wording.text(one), wording.remedy(one)) if text]
    assert len(told) > 1
    assert [text for text in told if ENGLISH.search(text)] == []


def test_other_peoples_words_stay_as_they_are() -> None:
    files = Remark("copy", {"files": "a packet (1).pcap, server"})
    assert "a packet (1).pcap, server" in Wording("id").text(files)


@pytest.mark.parametrize(
    ("name", "remedy"), [("refused.pcap", "Start servercall"), ("server-gone.pcap", "Do not stop")]
)
def test_one_cause_has_one_remedy(name: str, remedy: str) -> None:
    found = judge_file(CORPUS / name, DEFAULT, Owner("sari"), name)
    wording = Wording("en")
    remarks = [one.remark for one in found.judgements if one.status is not Status.MET]
    remedies = {wording.remedy(one) for one in remarks}
    assert len(remedies) == 1
    assert remedies.pop().startswith(remedy)
