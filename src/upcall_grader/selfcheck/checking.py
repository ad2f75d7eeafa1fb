"""``check_file``: what the report would say of a file that nobody has handed in yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from upcall_grader.judge.results import Owner, Submission, Verdict
from upcall_grader.judge.rubric import Rubric
from upcall_grader.judge.submission import judge_with_fingerprints, lacking
from upcall_grader.report.phrases import Phrases
from upcall_grader.report.rendering import Pages
from upcall_grader.report.student import next_step, sentence_of
from upcall_grader.texts.wording import Wording


@dataclass(frozen=True)
class Checked:
    """What a file came to.

    ``complete``: every criterion is met that a capture alone can show. ``sentence`` tells how it
    ended, ``next_step`` the one thing to do next. ``page`` is the student's page as HTML. The file
    is hostile: whoever prints the sentences, or anything of ``submission``, escapes them.
    """

    verdict: Verdict
    points: float
    out_of: float
    complete: bool
    sentence: str
    next_step: str
    page: str
    submission: Submission


def check_file(path: Path, rubric: Rubric, language: str) -> Checked:
    """Judge one file as ``upcall-grade`` does, in one of ``languages.LANGUAGES``.

    What lies beside it plays no part. Never raises for what is in the file, nor where there is
    none: it is unreadable then.
    """
    submission = judge_with_fingerprints(
        path, rubric, Owner(""), path.name, sidecars=False
    ).submission
    phrases = Phrases(language)
    return Checked(
        verdict=submission.verdict,
        points=submission.points,
        out_of=rubric.points,
        complete=not lacking(submission),
        sentence=sentence_of(submission, rubric, phrases),
        next_step=next_step(submission, phrases, Wording(language)),
        page=Pages(language).of_selfcheck(submission, rubric, path.parent),
        submission=submission,
    )
