"""Where a message is explained: each ends with the place of its paragraph in docs/troubles.md."""

from __future__ import annotations

import argparse
from typing import ClassVar, NoReturn

from upcall_text.plain import escape_unprintable


def place(trouble: str) -> str:
    """Return the end of a message: its paragraph, named by the heading's anchor."""
    return f" (docs/troubles.md#{trouble})"


class TroubleError(Exception):
    """What a person can mend. ``trouble`` is the anchor of its paragraph, and ends the message."""

    trouble: ClassVar[str]

    def __str__(self) -> str:
        """Return the message and its place."""
        return super().__str__() + place(self.trouble)


class Parser(argparse.ArgumentParser):
    """A command line whose mistakes are explained, too."""

    def error(self, message: str) -> NoReturn:
        """End the program with status 2."""
        super().error(escape_unprintable(message) + place(trouble="wrong-command-line"))
