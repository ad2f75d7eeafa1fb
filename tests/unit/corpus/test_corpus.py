"""Every capture of the corpus comes back as expected.yml says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.corpus.judging import CORPUS, IDS, judge_path, statuses
from upcall_grader.capture.dialogue import Answer
from upcall_grader.lab import UPCALL

EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load(
    (CORPUS / "expected.yml").read_text(encoding="utf-8")
)
REGRESSIONS = sorted((CORPUS / "regressions").glob("*"))
LONG = "0123456789abcdef" * 64
KEYS = {
    *("what", "verdict", "not-met", "not-observable"),
    *("messages", "unanswered", "unseen", "alone"),
}


def test_each_capture_is_told_and_each_told_one_is_there() -> None:
    assert sorted(path.name for path in CORPUS.glob("*.pcap*")) == sorted(EXPECTED)
    assert all(set(told) <= KEYS and told["what"] for told in EXPECTED.values())


def test_the_corpus_is_small_and_names_no_machine() -> None:
    files = [path for path in CORPUS.rglob("*") if path.suffix in (".pcap", ".pcapng")]
    sizes = [path.stat().st_size for path in files]
    assert max(sizes) < 20_000
    assert sum(sizes) < 300_000
    for path in files:
        assert b"Linux" not in path.read_bytes(), f"{path.name} tells of the machine it was made on"


@pytest.mark.parametrize("name", EXPECTED)
def test_capture_is_judged_as_told(name: str) -> None:
    told = EXPECTED[name]
    submission = judge_path(CORPUS / name)
    wanted = dict.fromkeys(IDS, "met")
    for status in ("not-met", "not-observable"):
        wanted |= dict.fromkeys(told.get(status, ()), status)
    assert statuses(submission) == wanted
    assert submission.verdict == told["verdict"]
    points = [one.criterion.points for one in submission.judgements if one.status == "met"]
    assert submission.points == sum(points)


@pytest.mark.parametrize("name", [name for name, told in EXPECTED.items() if "messages" in told])
def test_messages_and_upcalls_are_the_bytes_that_were_typed(name: str) -> None:
    told = EXPECTED[name]
    submission = judge_path(CORPUS / name)
    assert submission.conversation is not None
    # Of the connection that was judged: other connections' exchanges are in the list as well.
    first, last = submission.conversation.first_frame, submission.conversation.last_frame
    judged = [
        one
        for one in submission.exchanges
        if first <= min(one.message_frames + one.upcall_frames) <= last
    ]
    assert (submission.connections == 1) is told.get("alone", True)
    assert len(judged) == len(told["messages"])
    for number, (text, one) in enumerate(zip(told["messages"], judged, strict=True), 1):
        message = bytes_of(text)
        if number in told.get("unanswered", ()):
            assert (one.message, one.upcall, one.answer) == (message, None, Answer.NONE)
        elif number in told.get("unseen", ()):
            assert one.answer is Answer.UNKNOWN
            assert one.message is not None
            assert message.startswith(one.message)
        else:
            assert (one.message, one.upcall) == (message, UPCALL.answer + message)
            assert one.answer is Answer.YES


def bytes_of(told: str | dict[str, str]) -> bytes:
    """Return a message as it stands in expected.yml: text, or bytes that are no text."""
    if isinstance(told, dict):
        return bytes.fromhex(told["hex"])
    return (LONG if told == "LONG" else told).encode()


@pytest.mark.parametrize("path", REGRESSIONS, ids=[path.name for path in REGRESSIONS])
def test_what_once_made_a_reader_fail_is_judged(path: Path) -> None:
    assert judge_path(path).judgements
