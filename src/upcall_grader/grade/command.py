"""``upcall-grade``: a folder of captures, graded.

Exit status: 0 all graded, 1 some need a person, 2 wrong use.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from upcall_grader import output
from upcall_grader.grade import results
from upcall_grader.grade.bar import bar
from upcall_grader.grade.options import grade_options, rubric_options, token_options
from upcall_grader.grade.overview import lines
from upcall_grader.judge.assess import Progress, assess
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.folder import find
from upcall_grader.judge.limit_options import limits_of
from upcall_grader.judge.results import Assessment
from upcall_grader.judge.rubric import Rubric
from upcall_grader.judge.rubric_file import read_rubric
from upcall_grader.judge.tokens import SecretError, read_secret, token
from upcall_grader.terminal import Painter, wants_colour
from upcall_grader.texts.default_rubric import default_rubric_text
from upcall_grader.texts.wording import Wording
from upcall_grader.troubles import TroubleError
from upcall_roster import RosterError, read_roster
from upcall_roster.seats import Roster
from upcall_text.plain import escape_unprintable


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit status."""
    output.prepare()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = _run(words)
        sys.stdout.flush()
    except (TroubleError, RosterError) as error:
        # A roster's problems stand one on a line; any other line end is somebody's file name.
        lines = str(error).split("\n") if isinstance(error, RosterError) else [str(error)]
        for line in lines:
            output.complain(f"upcall-grade: {escape_unprintable(line)}")
        return 2
    except BrokenPipeError:
        output.drop(sys.stdout)
        return 0
    except OSError as error:
        output.complain_of_writing("upcall-grade", error)
        return 2
    except KeyboardInterrupt:
        return 130
    except results.EndedError as ended:
        return ended.status
    return status


def _run(words: list[str]) -> int:
    if words[:1] == ["rubric"]:
        rubric_options(words[1:])
        print(default_rubric_text(), end="")
        return 0
    if words[:1] == ["tokens"]:
        options = token_options(words[1:])
        return _tokens(read_roster(options.roster), read_secret(options.secret))
    return _grade(words)


def _tokens(roster: Roster, secret: bytes) -> int:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("student_id", "token"))
    for seat in roster.seats:
        for student in seat.students:
            writer.writerow((student.student_id, token(secret, student.student_id)))
    return 0


def _grade(words: list[str]) -> int:
    options = grade_options(words)
    rubric = read_rubric(options.rubric) if options.rubric else DEFAULT
    roster = read_roster(options.roster) if options.roster else None
    secret = _secret(rubric, options.secret)
    if not options.out:
        return _grade_and_tell(options, rubric, roster, secret)
    results.check(options.out, options.directory)
    # Where nothing can be graded, no folder is made for the results.
    find(options.directory, roster, _own_files(options))
    with results.locked(options.out):
        return _grade_and_tell(options, rubric, roster, secret)


def _own_files(options: argparse.Namespace) -> list[Path]:
    """Return what may lie among the captures and is none of them."""
    files = (options.out, options.roster, options.rubric, options.secret)
    return [path for path in files if path]


def _grade_and_tell(
    options: argparse.Namespace, rubric: Rubric, roster: Roster | None, secret: bytes
) -> int:
    with _progress(options.quiet) as progress:
        assessment = assess(
            options.directory,
            rubric,
            roster,
            secret,
            _own_files(options),
            progress,
            limits_of(options),
        )
    painter = Painter(wants_colour("auto", sys.stdout))
    wording = Wording(options.lang)
    told = list(lines(assessment, wording, painter, options.quiet, options.passed_over))
    try:
        # What becomes of the output changes no result.
        if options.out:
            told.append(_write(assessment, options))
    except (TroubleError, OSError):
        output.tell(told)
        raise
    output.tell(told)
    return 1 if assessment.needs_person else 0


def _write(assessment: Assessment, options: argparse.Namespace) -> str:
    """Write all results, and return the line that says where."""
    changed = results.write(
        assessment, options.directory, options.out, options.lang, options.assignment
    )
    page = escape_unprintable(str(options.out / "report" / "index.html"))
    return f"report: {page} ({'changed' if changed else 'unchanged'})"


def _secret(rubric: Rubric, file: Path | None) -> bytes:
    wanted = any(criterion.check == "token" for criterion in rubric.criteria)
    if wanted and file is None:
        raise SecretError(
            "the rubric looks for tokens, which need the class secret: add --secret FILE, the file"
            " that you gave to upcall-grade tokens"
        )
    return read_secret(file) if file else b""


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress | None]:
    """Show a bar on a terminal, otherwise nothing."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with bar() as tell:
        yield tell


if __name__ == "__main__":
    sys.exit(main())
