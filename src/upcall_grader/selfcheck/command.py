"""``upcall-check.pyz``: one file, checked by the student who made it.

Exit status: 0 complete, 1 something is missing, 2 no capture or wrong use.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from upcall_grader import output
from upcall_grader.command_line import Parser
from upcall_grader.judge.results import Verdict
from upcall_grader.languages import LANGUAGES
from upcall_grader.report.phrases import Phrases
from upcall_grader.selfcheck.checking import Checked, check_file
from upcall_grader.selfcheck.rubrics import rubric_from
from upcall_grader.selfcheck.telling import Teller
from upcall_grader.terminal import Glyphs, Painter, wants_colour
from upcall_grader.troubles import TroubleError
from upcall_text.plain import escape_unprintable

_NAME = "upcall-check.pyz"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the file that the command line names; return the exit status."""
    output.prepare()
    options = _options(arguments)
    phrases = Phrases(options.lang)
    try:
        checked = check_file(options.file, rubric_from(options.rubric), options.lang)
        if options.page:
            options.page.write_text(checked.page, encoding="utf-8")
        output.tell(_lines(checked, phrases))
    except TroubleError as error:
        return _fail(str(error))
    except OSError as error:
        output.drop(sys.stdout)
        name, cause = str(error.filename or "stdout"), error.strerror or str(error)
        return _fail(phrases("selfcheck.not-written", file=name, error=cause))
    except KeyboardInterrupt:
        return 130
    if checked.verdict is Verdict.UNREADABLE:
        return 2
    return 0 if checked.complete else 1


def language_of(environment: Mapping[str, str]) -> str:
    """Return the language that the environment asks for, or English.

    Source: POSIX.1-2017, Base Definitions, section 8.2 (which variable comes before which).
    """
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "")
    language = locale.partition(".")[0].partition("_")[0]
    return language if language in LANGUAGES else LANGUAGES[0]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog=_NAME,
        description="Check your capture of the upcall lab before you hand it in, as your"
        " instructor's grader does. Nothing leaves this machine."
        " (Periksa rekaman Anda sebelum dikumpulkan; tambahkan --lang id.)",
        epilog="Exit status: 0 complete, 1 something is missing, 2 no capture or wrong use.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="your capture, such as upcall.pcap")
    parser.add_argument(
        "--lang",
        choices=LANGUAGES,
        default=language_of(os.environ),
        help="language of the answer (default: that of this terminal, or en)",
    )
    parser.add_argument(
        "--page",
        metavar="PAGE",
        type=_page,
        help="also write the page that the grader makes of it, with the drawing, such as page.html",
    )
    parser.add_argument(
        "--rubric", metavar="FILE", type=Path, help="check by this rubric (default: built in)"
    )
    return parser.parse_args(arguments)


def _page(text: str) -> Path:
    """Return where a page goes: never over a capture."""
    if not text.endswith(".html"):
        raise argparse.ArgumentTypeError(f"{text!r} is no page; give a name that ends with .html")
    return Path(text)


def _lines(checked: Checked, phrases: Phrases) -> Iterator[str]:
    columns = shutil.get_terminal_size((80, 24)).columns
    paint = Painter(wants_colour("auto", sys.stdout))
    glyphs = Glyphs.for_encoding(sys.stdout.encoding)
    return Teller(phrases, columns, paint, glyphs).lines(checked)


def _fail(message: str) -> int:
    output.complain(f"{_NAME}: {escape_unprintable(message)}")
    return 2


if __name__ == "__main__":
    sys.exit(main())
