"""The options that set how much of a file is read."""

from __future__ import annotations

import argparse

from upcall_grader.capture.limits import DEFAULT_LIMITS, MEBIBYTE, Limits


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command line."""
    parser.add_argument(
        "--max-size",
        metavar="MIB",
        type=_count,
        default=DEFAULT_LIMITS.size // MEBIBYTE,
        help="read no file that is larger, in MiB (default: %(default)s)",
    )
    parser.add_argument(
        "--max-packets",
        metavar="COUNT",
        type=_count,
        default=DEFAULT_LIMITS.packets,
        help="read no file that has more packets (default: %(default)s)",
    )


def limits_of(options: argparse.Namespace) -> Limits:
    """Return what the options say."""
    return Limits(options.max_size * MEBIBYTE, options.max_packets)


def _count(text: str) -> int:
    # So many digits are enough, and Python reads them.
    if not (text.isascii() and text.isdecimal()) or len(text) > 9 or not int(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no such number; give a whole one from 1 to 999999999"
        )
    return int(text)
