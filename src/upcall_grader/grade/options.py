"""The command line of ``upcall-grade``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from upcall_grader.command_line import Parser
from upcall_grader.judge.limit_options import add_limits
from upcall_grader.languages import LANGUAGES

_STATUS = (
    "Exit status: 0 all graded, 1 some need a person, 2 wrong use. Other commands:"
    " upcall-grade rubric (prints the default rubric, as a start for your own);"
    " upcall-grade tokens --roster FILE --secret FILE (prints each student's token)."
)


def grade_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line for grading; end the program with status 2 if it is wrong."""
    parser = Parser(
        prog="upcall-grade",
        description="Grade a folder of captures of the upcall lab, each with its evidence.",
        epilog=_STATUS,
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="folder with the captures")
    parser.add_argument(
        "--out",
        metavar="OUT",
        type=Path,
        help="folder for grades.json, the CSV files and the report; without it nothing is written",
    )
    parser.add_argument("--rubric", metavar="FILE", type=Path, help="YAML file (default: built in)")
    parser.add_argument("--roster", metavar="FILE", type=Path, help="CSV file of who sits where")
    parser.add_argument(
        "--secret", metavar="FILE", type=Path, help="the class secret, for the check token"
    )
    parser.add_argument(
        "--lang", choices=LANGUAGES, default="en", help="language of all output (default: en)"
    )
    parser.add_argument(
        "--assignment",
        metavar="NAME",
        default="Upcall",
        help="name of the grade's column in Moodle and Canvas (default: Upcall)",
    )
    add_limits(parser)
    parser.add_argument(
        "--passed-over",
        action="store_true",
        help="list the files that are not judged, and why: hidden ones, reports, earlier captures",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="show only what needs a person, and no progress"
    )
    return parser.parse_args(arguments)


def token_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line for tokens; end the program with status 2 if it is wrong."""
    parser = Parser(
        prog="upcall-grade tokens",
        description="Print each student's token as CSV. A rubric with the check token wants it in"
        " one of the student's messages.",
        epilog="Exit status: 0 printed, 2 wrong use.",
    )
    parser.add_argument("--roster", metavar="FILE", type=Path, required=True, help="CSV file")
    parser.add_argument(
        "--secret",
        metavar="FILE",
        type=Path,
        required=True,
        help="file with a line of your choice; use the same file to print and to grade",
    )
    return parser.parse_args(arguments)


def rubric_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line for the rubric; end the program with status 2 if it is wrong."""
    parser = Parser(
        prog="upcall-grade rubric", description="Print the default rubric, with its explanations."
    )
    return parser.parse_args(arguments)
