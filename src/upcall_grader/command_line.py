"""A command line whose mistakes are explained."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from upcall_grader import output
from upcall_grader.troubles import place
from upcall_text.plain import escape_unprintable


class Parser(argparse.ArgumentParser):
    """A parser that says where its messages are explained."""

    def error(self, message: str) -> NoReturn:
        """End the program with status 2."""
        said = f"{self.format_usage()}{self.prog}: error: {escape_unprintable(message)}"
        output.complain(said + place(trouble="wrong-command-line"))
        sys.exit(2)
