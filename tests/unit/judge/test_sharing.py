"""Work shared with copies of a process, each time from a process of its own: tests have threads."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t

from upcall_grader.judge.sharing import BATCH, in_order

DOUBLE = """
import json, os, signal
from upcall_grader.judge.sharing import BATCH, in_order

original = os.getpid()
begun, begin = os.pipe()
gone_on, go_on = os.pipe()
known = set()

def double(number, copies=1):
    # Nobody goes on before the original and so many copies have taken something.
    if os.getpid() not in known:
        known.add(os.getpid())
        if os.getpid() == original:
            for _ in range(copies):
                os.read(begun, 1)
            os.write(go_on, b"1" * copies)
        else:
            os.write(begin, b"1")
            os.read(gone_on, 1)
    return 2 * number, os.getpid()

def double_with_two(number):
    return double(number, 2)

def double_or_die(number):
    if os.getpid() == original:
        return double(number)[0]
    if number % BATCH > 3:
        os.write(begin, b"1")
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number
"""


def told(program: str) -> t.Any:
    """Return what a program says that knows ``double`` and ``double_or_die``; warnings end it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DOUBLE + program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


def test_work_is_shared_and_comes_back_in_order() -> None:
    done = told("print(json.dumps([*in_order(double_with_two, range(5 * BATCH + 1), 3)]))")
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


def test_a_process_alone_tells_of_each_item_as_it_is_done() -> None:
    begun: list[int] = []
    done = in_order(begun.append, range(3), 1)
    for number in range(3):
        next(done)
        assert begun == list(range(number + 1))
