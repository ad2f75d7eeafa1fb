"""The folder that takes the results, which shows the earlier ones until the new ones are whole."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Never

from upcall_files.whole import LockError, alone, replace_folder
from upcall_grader import output
from upcall_grader.export.files import write_exports
from upcall_grader.judge.earlier_results import EXPORTS, MARKER, REPORT, RESULTS
from upcall_grader.judge.results import Assessment
from upcall_grader.report.pages import write_report
from upcall_grader.troubles import TroubleError, place
from upcall_text.plain import escape_unprintable

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ResultsError(TroubleError):
    """The results cannot be put there; the message says why, and what to do."""

    trouble = "grades-folder"


class EndedError(BaseException):
    """A signal ends the run; like KeyboardInterrupt, it is no Exception."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


def check(out: Path, directory: Path) -> None:
    """Refuse a folder that cannot take the results. Raises ResultsError."""
    if out.resolve() == directory.resolve():
        raise ResultsError(
            f"{out}: results and captures cannot share a folder; name another one after --out"
        )
    if out.exists() and not out.is_dir():
        raise ResultsError(f"{out}: it is a file; name a folder after --out")
    # It is exchanged as a whole: whoever stands in it would stand in the earlier one.
    if any(place.resolve().is_relative_to(out.resolve()) for place in (Path(), directory)):
        raise ResultsError(
            f"{out}: it holds the captures, or you are in it; name a folder after --out that takes"
            " the results alone"
        )


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Wait for other runs that write the same folder, such as slices of a room.

    The later one reads the captures only when the earlier one is done, so it knows them all. A
    signal that ends the run meanwhile raises EndedError. Raises ResultsError.
    """

    def waits(process: str) -> None:
        by = f"process {process}" if process.isdecimal() else "another process"
        name = escape_unprintable(str(out))
        said = f"upcall-grade: {name}: {by} writes there; waiting for it"
        output.complain(said + place(trouble="runs-already"))

    with _signals_raise():
        try:
            with alone(_real(out), RESULTS, waits):
                yield
        except LockError as error:
            raise ResultsError(f"{error.filename}: {error.strerror}; remove it") from None


def write(assessment: Assessment, directory: Path, out: Path, language: str, name: str) -> bool:
    """Write all results into the locked folder, and return whether that changed anything.

    Raises:
        ResultsError: something that nobody here has written is in the way.
        OSError: the folder cannot be written.
    """
    _check_ours(out)

    def fill(new: Path) -> None:
        write_exports(assessment, new, language, name)
        write_report(assessment, directory, new, language)

    return replace_folder(_real(out), RESULTS, fill)


def _real(out: Path) -> Path:
    return Path(os.path.realpath(out))


def _check_ours(out: Path) -> None:
    """Refuse to replace what no run has written."""
    report = out / REPORT
    if os.path.lexists(report):
        ours = report.is_dir() and not report.is_symlink()
        if not ours or not ((report / MARKER).is_file() or not any(report.iterdir())):
            raise _not_ours(report, "report")
    for name in sorted(EXPORTS):
        if (out / name).is_dir() and not (out / name).is_symlink():
            raise _not_ours(out / name, "file")


def _not_ours(path: Path, what: str) -> ResultsError:
    return ResultsError(
        f"{path} already exists and is not a {what} of upcall-grade; choose another folder with"
        " --out, or move it away first"
    )


@contextmanager
def _signals_raise() -> Iterator[None]:
    """Have the first signal raise EndedError; later ones find the run clearing up."""

    def end(number: int, _frame: FrameType | None) -> Never:
        for one in _ENDING:
            signal.signal(one, signal.SIG_IGN)
        raise EndedError(number)

    before = {one: signal.getsignal(one) for one in _ENDING}
    # What nohup or a shell has set to be ignored stays so.
    for one in (one for one in _ENDING if before[one] != signal.SIG_IGN):
        signal.signal(one, end)
    try:
        yield
    finally:
        for one in _ENDING:
            signal.signal(one, before[one])
