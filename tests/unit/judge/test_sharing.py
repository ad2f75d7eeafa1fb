"""Work shared with copies of a process, each time from a process of its own: tests have threads."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t

from upcall_grader.judge.sharing import BATCH

DOUBLE = """
import json, os, signal
from upcall_grader.judge.sharing import BATCH, in_order

original = os.getpid()

def double(number):
    return 2 * number, os.getpid()

def double_or_die(number):
    if os.getpid() != original and number > 3 * BATCH:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number
"""


def told(program: str) -> t.Any:
    """What a program says that knows ``double`` and ``double_or_die``; warnings end it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DOUBLE + program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


def test_work_is_shared_and_comes_back_in_order() -> None:
    done = told("print(json.dumps([*in_order(double, range(5 * BATCH + 1), 3)]))")
    assert [number for number, _ in done] == list(range(0, 10 * BATCH + 2, 2))
    assert len({process for _, process in done}) == 3


def test_what_a_killed_copy_had_to_do_is_done_all_the_same() -> None:
    done = told("print(json.dumps([*in_order(double_or_die, range(10 * BATCH), 2)]))")
    assert done == list(range(0, 20 * BATCH, 2))


def test_nothing_is_left_running_when_nobody_wants_the_rest() -> None:
    program = """
work = in_order(double, range(100 * BATCH), 2)
process = next(process for _, process in work if process != original)
work.close()
try:
    os.kill(process, 0)
except ProcessLookupError:
    print(json.dumps("gone"))
else:
    print(json.dumps("there"))
"""
    assert told(program) == "gone"
