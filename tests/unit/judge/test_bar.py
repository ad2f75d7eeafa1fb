"""The bar that tells how far grading is, on a real pseudo-terminal."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.support.terminal import Terminal

PROGRAM = """
from functools import partialmethod
from rich.progress import Progress
from upcall_grader.grade.bar import bar

# Each step is drawn at once, and not with the next of ten drawings a second.
Progress.update = partialmethod(Progress.update, refresh=True)
with bar() as tell:
    for done, total in ((49, 50), (60, 120), (90, 120)):
        tell(done, total)
print("done")
"""


WAITING = """
import signal
from upcall_grader.grade.bar import bar

with bar() as tell:
    tell(60, 120)
    signal.pause()
"""
ENVIRONMENT = {**os.environ, "TERM": "xterm-256color"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_it_the_terminal_has_its_cursor(number: signal.Signals) -> None:
    with Terminal([sys.executable, "-c", WAITING], ENVIRONMENT) as terminal:
        terminal.expect("60/120")
        terminal.send(number)
        assert terminal.exit_status() == -number
    assert "?25l" in terminal.text
    assert terminal.text.rindex("?25h") > terminal.text.rindex("?25l")


def test_the_bar_tells_how_far_it_is_where_there_is_much_to_do() -> None:
    with Terminal([sys.executable, "-c", PROGRAM], ENVIRONMENT) as terminal:
        assert terminal.exit_status() == 0
    assert "49/50" not in terminal.text
    assert terminal.text.index("60/120") < terminal.text.index("90/120")
    assert terminal.text.endswith("done\n")
