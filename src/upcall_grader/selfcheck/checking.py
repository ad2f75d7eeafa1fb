"""``check_file``: what the report would say of a file that nobody has handed in yet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from upcall_grader.judge.results import Owner, Submission, Verdict
from upcall_grader.judge.rubric import Rubric
from upcall_grader.judge.submission import judge_with_fingerprints, lacking
from upcall_grader.report.rendering import STUDENT, Pages
from upcall_grader.report.student import StudentPage, next_step, sentence_of, student_page


@dataclass(frozen=True)
class Checked:
    """What a file came to.

    ``complete``: every criterion is met that a capture alone can show. ``sentence`` tells how it
    ended, ``next_step`` the one thing to do next. ``words`` is all that the student's page says,
    ``page`` that page as HTML. The file is hostile: whoever prints the sentences, or anything of
    ``words`` and ``submission``, escapes them.
    """

    verdict: Verdict
    points: float
    out_of: float
    complete: bool
    sentence: str
    next_step: str
    words: StudentPage
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
    pages = _pages(language)
    words = student_page(
        submission, rubric, path.parent, False, pages.phrases, pages.wording, selfcheck=True
    )
    return Checked(
        verdict=submission.verdict,
        points=submission.points,
        out_of=rubric.points,
        complete=not lacking(submission),
        sentence=sentence_of(submission, rubric, pages.phrases),
        next_step=next_step(submission, pages.phrases, pages.wording),
        words=words,
        page=pages.html(STUDENT, words),
        submission=submission,
    )


@cache
def _pages(language: str) -> Pages:
    """Return the pages of one language: compiling the templates takes longer than filling them."""
    return Pages(language)
