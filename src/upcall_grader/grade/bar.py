"""How far grading is, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from upcall_grader.judge.assess import Progress as Tell

_MANY = 50
"""So many files take long enough to be told how far it is."""


@contextmanager
def bar() -> Iterator[Tell]:
    """Show a bar on standard error, gone at the end; the function it gives moves it on."""
    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        # It stays visible below the bar: whatever kills this process, the terminal has its cursor.
        progress.console.show_cursor(True)
        task = progress.add_task("grading", total=None, visible=False)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=total > _MANY)

        yield tell
