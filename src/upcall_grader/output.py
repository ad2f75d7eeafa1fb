"""Standard output and error of a command, whatever the caller has made of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from upcall_grader.troubles import place
from upcall_text.plain import escape_unprintable


def prepare() -> None:
    """Have a place for what is printed, also where the caller has closed it (``>&-``).

    A name may hold characters that the output's encoding lacks: they show as escapes.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def tell(lines: Iterable[str]) -> None:
    """Print lines. If somebody has read enough of them (``| head``), that is no failure.

    Raises OSError where they cannot be written for another reason.
    """
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        drop(sys.stdout)


def complain(text: str) -> None:
    """Print a line on standard error; where that cannot be, the exit status has to do."""
    try:
        print(text, file=sys.stderr)
        sys.stderr.flush()
    except OSError:
        drop(sys.stderr)


def complain_of_writing(program: str, error: OSError) -> None:
    """Say that something could not be written, and drop what is left of the output."""
    name = escape_unprintable(str(error.filename or "its output"))
    complain(
        f"{program}: {name}: {error.strerror or error}; make room or correct its owner,"
        " then run it again" + place(trouble="cannot-be-written")
    )
    drop(sys.stdout)


def drop(stream: TextIO) -> None:
    """Drop what could not be written, so that Python does not complain while closing it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
