"""``upcall-show``: a capture on the terminal, and the judge's judgement of it.

Exit status: 0 shown (with ``--check``: complete), 1 not complete (``--check`` only), 2 wrong use or
unreadable file.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from upcall_grader import output
from upcall_grader.capture.limits import Limits
from upcall_grader.capture.packets import endpoint_text
from upcall_grader.capture.reading import Capture, CaptureError, open_capture
from upcall_grader.cause import Cause
from upcall_grader.command_line import Parser
from upcall_grader.judge.connection_summary import ConnectionSummary
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.folder import by_itself
from upcall_grader.judge.limit_options import add_limits, limits_of
from upcall_grader.judge.rubric import Rubric
from upcall_grader.judge.rubric_file import read_rubric
from upcall_grader.judge.submission import Watched, judge_watched, lacking
from upcall_grader.show.rows import Row, Rows
from upcall_grader.show.summary import Summary
from upcall_grader.show.table import Table
from upcall_grader.terminal import Glyphs, Painter, wants_colour
from upcall_grader.texts.wording import Wording
from upcall_grader.troubles import TroubleError, place
from upcall_text.plain import escape_unprintable


def main(arguments: Sequence[str] | None = None) -> int:
    """Show what the command line names; return the exit status."""
    output.prepare()
    options = _options(arguments)
    painter = Painter(wants_colour(options.color, sys.stdout))
    try:
        rubric = _rubric(options.rubric, options.port)
        lines, complete = _shown(Path(options.file), rubric, painter, limits_of(options))
        output.tell(lines)
    except CaptureError as error:
        wording, name = Wording("en"), escape_unprintable(options.file)
        cause = f"upcall-show: {name}: {escape_unprintable(wording.cause(error.cause))}.\n"
        remedy = f"Remedy: {wording.remedy_for(error.cause)}."
        output.complain(cause + remedy + place(error.trouble))
        return 2
    except TroubleError as error:
        output.complain(f"upcall-show: {escape_unprintable(str(error))}")
        return 2
    except OSError as error:
        output.complain_of_writing("upcall-show", error)
        return 2
    except KeyboardInterrupt:
        return 130
    return 1 if options.check and not complete else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="upcall-show",
        description="Show the packets of an upcall capture and how upcall-grade judges it.",
        epilog="Frame numbers are Wireshark's. Complete means that every criterion of the rubric is"
        " met. Criteria that the capture alone cannot decide do not count: a student's token, and"
        " the lab's network where neither rubric nor manifest names it. Exit status: 0 shown"
        " (--check: complete), 1 not complete (--check), 2 wrong use or unreadable file.",
    )
    parser.add_argument("file", metavar="FILE", help="capture file, pcap or pcapng")
    parser.add_argument(
        "--rubric",
        metavar="FILE",
        type=Path,
        help="judge by this rubric, as upcall-grade --rubric does (default: built in)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        help=f"the server's TCP port, in place of the rubric's (built in: {DEFAULT.lab.port})",
    )
    add_limits(parser)
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colours; auto: on a terminal, unless NO_COLOR is set (default: auto)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit 0 only if the capture is complete: every criterion of the rubric is met",
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a TCP port; give a number from 1 to 65535"
        )
    return int(text)


def _rubric(file: Path | None, port: int | None) -> Rubric:
    rubric = read_rubric(file) if file else DEFAULT
    return rubric._replace(lab=rubric.lab._replace(port=port)) if port else rubric


def _shown(
    path: Path, rubric: Rubric, paint: Painter, limits: Limits
) -> tuple[Iterable[str], bool]:
    """Return the lines to print, and whether the capture is complete."""
    glyphs = Glyphs.for_encoding(sys.stdout.encoding)
    columns = shutil.get_terminal_size((120, 24)).columns
    stream, capture = open_capture(path, limits)
    with stream:
        rows, watched = _read(capture, path, rubric)
    summaries = [case.connection for case in watched.cases]
    lines = Summary(rubric, columns, paint, glyphs).lines(watched, str(path), capture)
    if rows:
        table = Table(rows, columns, paint, glyphs, rubric.lab.answer)
        lines = chain(_legend(summaries, table.named), table.lines(), [""], lines)
    return lines, not lacking(watched.submission)


def _read(capture: Capture, path: Path, rubric: Rubric) -> tuple[list[Row], Watched]:
    rows = Rows()
    try:
        one = by_itself(path)
        watched = judge_watched(
            capture, path, rubric, rows.see, one.sidecars, one.believed, rows.end
        )
    except OSError as error:
        cause = Cause("stopped", {"frame": len(rows.rows), "error": error.strerror or str(error)})
        raise CaptureError(cause) from error
    return rows.finish(), watched


def _legend(summaries: list[ConnectionSummary], named: bool) -> list[str]:
    if not named:
        return []
    many = len(summaries) > 1
    return [
        f"  client{f' {summary.number}' if many else ''} = {endpoint_text(*summary.client)}, "
        f"server = {endpoint_text(*summary.server)}"
        for summary in summaries
    ]


if __name__ == "__main__":
    raise SystemExit(main())
