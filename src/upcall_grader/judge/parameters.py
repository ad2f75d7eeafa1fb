"""Parameters of a check: how each is read from a rubric file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from upcall_grader.judge.rubric import Value

Parameters = Mapping[str, Value]
"""Name of a parameter -> its value."""


class Parameter(NamedTuple):
    """One parameter.

    ``read`` makes the value from the text in the file; it raises ValueError with a sentence that
    says what is wrong. Without a ``default`` the parameter has to be given; ``example`` is then a
    text that ``read`` takes. ``many`` of them are a list in the file, each item of which is read,
    and a tuple as value.
    """

    read: Callable[[str], str | int]
    default: Value | None = None
    example: str = ""
    many: bool = False


def whole_number(name: str, low: int, high: int) -> Callable[[str], int]:
    """Return what reads a whole number within bounds, for the parameter ``name``."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"{name} has to be a whole number from {low} to {high}, not {text!r}")
        return int(text)

    return read
