"""How far grading is, on a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from upcall_grader.judge.assess import Progress as Tell

_MANY = 50
"""So many files take long enough to be told how far it is."""
_PERIOD = 0.1
"""Seconds between two looks at the bar."""


@contextmanager
def bar() -> Iterator[Tell]:
    """Show a bar on standard error, gone at the end; the function it gives moves it on."""
    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Drawn when told, not by a thread: files are judged in copies of this process, and a copy that
    # is made while a thread holds a lock waits for it for ever.
    with Progress(
        *columns, console=Console(stderr=True), transient=True, auto_refresh=False
    ) as progress:
        task = progress.add_task("grading", total=None, visible=False)

        drawn = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal drawn
            now = time.monotonic()
            due = now - drawn >= _PERIOD
            drawn = now if due else drawn
            visible = total > _MANY
            progress.update(task, completed=done, total=total, visible=visible, refresh=due)

        yield tell
