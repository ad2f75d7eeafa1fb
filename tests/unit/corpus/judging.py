"""A capture's bytes -> its judgement by the default rubric, and what tests compare of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.results import Owner, Status, Submission
from upcall_grader.judge.submission import judge_file

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
COMPLETE = CORPUS / "complete.pcap"
RUBRIC = DEFAULT
IDS = tuple(criterion.id for criterion in RUBRIC.criteria)
MET = dict.fromkeys(IDS, "met")

Judge = Callable[[bytes], Submission]


def judge_path(path: Path) -> Submission:
    submission = judge_file(path, RUBRIC, Owner("student"), path.name)
    assert not [remark for remark in submission.remarks if remark.code == "reader-failed"], (
        submission.remarks
    )
    return submission


def statuses(submission: Submission) -> dict[str, str]:
    return {one.criterion.id: str(one.status) for one in submission.judgements}


def failed(submission: Submission) -> tuple[str, ...]:
    """Ids of the criteria that are not met."""
    return tuple(one.criterion.id for one in submission.judgements if one.status is not Status.MET)


@dataclass(frozen=True)
class Gist:
    """What has to be the same where only the form of a capture differs, frame numbers apart."""

    verdict: str
    points: float
    statuses: dict[str, str]
    exchanges: tuple[tuple[bytes | None, bytes | None, str], ...]


def gist(submission: Submission) -> Gist:
    return Gist(
        str(submission.verdict),
        submission.points,
        statuses(submission),
        tuple((one.message, one.upcall, one.answer.name) for one in submission.exchanges),
    )
