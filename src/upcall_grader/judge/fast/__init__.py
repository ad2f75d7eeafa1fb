"""A shortcut from a file to its summary, several times as fast as packet by packet.

Importing this package adds the shortcut; nothing else uses it. Delete the folder and the one line
that imports it, and every result stays the same: a test does exactly that.
"""

from __future__ import annotations

from upcall_grader.judge.fast.reader import summarize_file
from upcall_grader.judge.reading import SHORTCUTS

SHORTCUTS.append(summarize_file)
