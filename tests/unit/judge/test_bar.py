"""The bar that tells how far grading is, on a real pseudo-terminal."""

from __future__ import annotations

import os
import sys

from tests.support.terminal import Terminal

PROGRAM = """
import itertools, threading
from types import SimpleNamespace
from upcall_grader.grade import bar

# Each look at the clock finds a second gone.
bar.time = SimpleNamespace(monotonic=itertools.count().__next__)
with bar.bar() as tell:
    tell(49, 50)
    tell(60, 120)
    tell(90, 120)
    threads = threading.active_count()
print(threads, "thread")
"""


def test_the_bar_tells_how_far_it_is_where_there_is_much_to_do() -> None:
    environment = {**os.environ, "TERM": "xterm-256color"}
    with Terminal([sys.executable, "-c", PROGRAM], environment) as terminal:
        assert terminal.exit_status() == 0
    assert "49/50" not in terminal.text
    assert terminal.text.index("60/120") < terminal.text.index("90/120")
    # Copies of the process are made meanwhile: a thread's locks would never open there.
    assert terminal.text.endswith("1 thread\n")
