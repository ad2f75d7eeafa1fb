"""Where a message is explained: each ends with the place of its paragraph in docs/troubles.md."""

from __future__ import annotations

from typing import ClassVar


def place(trouble: str) -> str:
    """Return the end of a message: its paragraph, named by the heading's anchor."""
    return f" (docs/troubles.md#{trouble})"


class TroubleError(Exception):
    """What a person can mend. ``trouble`` is the anchor of its paragraph, and ends the message."""

    trouble: ClassVar[str]

    def __str__(self) -> str:
        """Return the message and its place."""
        return super().__str__() + place(self.trouble)
