"""Work counted in lines of Python that run: a clock would tell of the machine as well."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

STEPS_PER_FILE, STEPS_PER_BYTE = 30_000, 16
"""So many steps a file may take, whatever is in it; docs/grading.md has what they are in time."""


def steps(work: Callable[[], object]) -> int:
    """Return how many lines run while ``work`` is done."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def most_steps(size: int) -> int:
    """Return how many steps a file of so many bytes may take."""
    return STEPS_PER_FILE + STEPS_PER_BYTE * size
