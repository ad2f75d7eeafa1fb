"""How much memory a whole process takes at most."""

from __future__ import annotations

import os
import sys


def peak(command: list[str]) -> float:
    """Megabytes (1,000,000 bytes) of the largest of the command's processes.

    It is VmHWM of proc(5), which getrusage(2) tells. Raises SystemExit if the command fails.
    """
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(command[0], command, os.environ, file_actions=silent)
    _, status, used = os.wait4(process, 0)
    if status != 0:
        sys.exit(f"bench: {command[0]} ended with status {os.waitstatus_to_exitcode(status)}")
    return used.ru_maxrss * 1024 / 1e6
