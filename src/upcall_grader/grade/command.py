"""``upcall-grade``: a folder of captures, graded.

Exit status: 0 all graded, 1 some need a person, 2 wrong use.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from upcall_grader.grade.options import grade_options, rubric_options, token_options
from upcall_grader.grade.overview import lines
from upcall_grader.judge.assess import Progress, assess
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.results import Assessment
from upcall_grader.judge.rubric import Rubric
from upcall_grader.terminal import Painter, wants_colour
from upcall_grader.troubles import TroubleError, place
from upcall_text.plain import escape_unprintable

if TYPE_CHECKING:
    from upcall_grader.texts.wording import Wording
    from upcall_roster.seats import Roster

# What only some uses need is loaded there: grading without it starts in half the time.


class _OutError(TroubleError):
    """The results cannot be put there; the message says why, and what to do."""

    trouble = "grades-folder"


class _RosterError(Exception):
    """What the roster's own package says, which names the place, too."""


def console_script() -> NoReturn:
    """``main``, as a process.

    It ends at once: to take apart what it knows of thousands of captures takes its time.
    """
    status = main()
    # What was found before something went wrong.
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # A name may hold characters that the output's encoding lacks: they show as escapes.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        with _uncollected():
            status = _run(words)
        sys.stdout.flush()
    except (TroubleError, _RosterError) as error:
        # A roster's problems stand one on a line; any other line end is somebody's file name.
        lines = str(error).split("\n") if isinstance(error, _RosterError) else [str(error)]
        for line in lines:
            print(f"upcall-grade: {escape_unprintable(line)}", file=sys.stderr)
        return 2
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            # Whoever read the output has seen enough.
            _close_quietly()
            return 1
        name = escape_unprintable(str(error.filename or "its output"))
        print(
            f"upcall-grade: {name}: {error.strerror or error}; make room or correct its owner,"
            " then run it again" + place(trouble="cannot-be-written"),
            file=sys.stderr,
        )
        _close_quietly()
        return 2
    except KeyboardInterrupt:
        return 130
    return status


def _close_quietly() -> None:
    """Drop what could not be written, so that Python does not complain while closing it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for cycles: there are hardly any, and looking takes a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _run(words: list[str]) -> int:
    if words[:1] == ["rubric"]:
        from upcall_grader.texts.default_rubric import default_rubric_text  # noqa: PLC0415

        rubric_options(words[1:])
        print(default_rubric_text(), end="")
        return 0
    if words[:1] == ["tokens"]:
        options = token_options(words[1:])
        return _tokens(_roster(options.roster), _read_secret(options.secret))
    return _grade(words)


@cache
def _wording(language: str) -> Wording:
    from upcall_grader.texts.wording import Wording  # noqa: PLC0415

    return Wording(language)


def _rubric(file: Path) -> Rubric:
    from upcall_grader.judge.rubric_file import read_rubric  # noqa: PLC0415

    return read_rubric(file)


def _roster(file: Path) -> Roster:
    from upcall_roster import RosterError, read_roster  # noqa: PLC0415

    try:
        return read_roster(file)
    except RosterError as error:
        raise _RosterError(str(error)) from error


def _read_secret(file: Path) -> bytes:
    from upcall_grader.judge.tokens import read_secret  # noqa: PLC0415

    return read_secret(file)


def _tokens(roster: Roster, secret: bytes) -> int:
    import csv  # noqa: PLC0415

    from upcall_grader.judge.tokens import token  # noqa: PLC0415

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("student_id", "token"))
    for seat in roster.seats:
        for student in seat.students:
            writer.writerow((student.student_id, token(secret, student.student_id)))
    return 0


def _grade(words: list[str]) -> int:
    options = grade_options(words)
    rubric = _rubric(options.rubric) if options.rubric else DEFAULT
    roster = _roster(options.roster) if options.roster else None
    secret = _secret(rubric, options.secret)
    if options.out:
        _check_out(options.out, options.directory)
    with _alone(options.out) if options.out else nullcontext():
        return _grade_and_tell(options, rubric, roster, secret)


def _grade_and_tell(
    options: argparse.Namespace, rubric: Rubric, roster: Roster | None, secret: bytes
) -> int:
    files = (options.out, options.roster, options.rubric, options.secret)
    with _progress(options.quiet) as progress:
        assessment = assess(
            options.directory, rubric, roster, secret, [path for path in files if path], progress
        )
    painter = Painter(wants_colour("auto", sys.stdout))
    for line in lines(assessment, lambda: _wording(options.lang), painter, options.quiet):
        print(line)
    if options.out:
        changed = _write(
            assessment, options.directory, options.out, options.lang, options.assignment
        )
        page = escape_unprintable(str(options.out / "report" / "index.html"))
        print(f"report: {page} ({'changed' if changed else 'unchanged'})")
    return 1 if assessment.needs_person else 0


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Wait for other runs that write the same folder, such as slices of a room.

    The later one reads the captures only when the earlier one is done, so it knows them all.
    """
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(assessment: Assessment, directory: Path, out: Path, language: str, name: str) -> bool:
    """Write all results, and return whether that changed anything."""
    from upcall_grader.export.files import write_exports  # noqa: PLC0415
    from upcall_grader.report.pages import write_report  # noqa: PLC0415

    exported = write_exports(assessment, out, language, name)
    return write_report(assessment, directory, out, language) or exported


def _secret(rubric: Rubric, file: Path | None) -> bytes:
    wanted = any(criterion.check == "token" for criterion in rubric.criteria)
    if wanted and file is None:
        from upcall_grader.judge.tokens import SecretError  # noqa: PLC0415

        raise SecretError(
            "the rubric looks for tokens, which need the class secret: add --secret FILE, the file"
            " with which upcall-grade tokens was run"
        )
    return _read_secret(file) if file else b""


def _check_out(out: Path, directory: Path) -> None:
    """Refuse a folder that cannot take the results, before the work starts."""
    if out.resolve() == directory.resolve():
        raise _OutError(
            f"{out}: results and captures in one folder; name another folder after --out"
        )
    if out.exists() and not out.is_dir():
        raise _OutError(f"{out}: it is a file; name a folder after --out")


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress | None]:
    """Show a bar on a terminal, otherwise nothing."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from upcall_grader.grade.bar import bar  # noqa: PLC0415 (without a bar it starts faster)

    with bar() as tell:
        yield tell


if __name__ == "__main__":
    console_script()
