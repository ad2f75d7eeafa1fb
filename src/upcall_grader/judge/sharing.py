"""Work shared with copies of this process, one for each further processor.

A copy starts in a few milliseconds, with all that is loaded; a pool of processes takes longer to
load and to start than a class of students takes to be judged.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

BATCH = 32
"""So many items are taken, and their results handed back, at once."""
_MAX_PROCESSES = 8
_NUMBER = struct.Struct("=I")
_PARCEL = struct.Struct("=II")  # a batch's number, and the size of its results


def in_order(
    work: Callable[[Item], Result], items: Sequence[Item], processes: int
) -> Generator[Result, None, None]:
    """What ``work`` makes of each item, in the items' order; ``processes`` do it side by side.

    Each takes the next batch as soon as it is done with one: no processor waits for a slower one.
    What a copy does not hand back, because it was killed perhaps, is done here.
    """
    batches = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    count = max(1, min(processes, _MAX_PROCESSES, len(batches)))
    if count == 1:
        yield from map(work, items)
        return
    left = _laid_out(len(batches))
    copies: dict[int, int] = {}  # where results come from, and which process hands them back
    done: dict[int, list[Result]] = {}
    try:
        for _ in range(1, count):
            _copy(work, batches, left, copies)
        told = 0
        while told < len(batches):
            number = _taken(left)
            if number is not None:
                done[number] = list(map(work, batches[number]))
            elif not copies and told not in done:
                done[told] = list(map(work, batches[told]))
            _collect(copies, done, wait=number is None)
            while told in done:
                yield from done.pop(told)
                told += 1
    finally:
        os.close(left)
        for results, process in copies.items():
            _end(results, process)


def _laid_out(batches: int) -> int:
    """A pipe that holds each batch's number, for one of the processes to take it.

    It holds 64 KiB: far more numbers than a folder of ``MAX_FILES`` needs.
    """
    read, write = os.pipe()
    os.write(write, b"".join(map(_NUMBER.pack, range(batches))))
    os.close(write)
    return read


def _taken(left: int) -> int | None:
    """The next batch's number, which nobody else gets any more; None when all are taken."""
    number = os.read(left, _NUMBER.size)
    return int(_NUMBER.unpack(number)[0]) if number else None


def _copy(
    work: Callable[[Item], Result],
    batches: Sequence[Sequence[Item]],
    left: int,
    copies: dict[int, int],
) -> None:
    """Start a copy of this process, which takes batches and hands back what it made of each."""
    read, write = os.pipe()
    process = os.fork()
    if process:
        os.close(write)
        copies[read] = process
        return
    try:
        for others in (read, *copies):
            os.close(others)
        with os.fdopen(write, "wb") as out:
            while (number := _taken(left)) is not None:
                results = pickle.dumps(list(map(work, batches[number])), pickle.HIGHEST_PROTOCOL)
                out.write(_PARCEL.pack(number, len(results)) + results)
                out.flush()
    finally:
        # Not as a process usually ends: what its original has begun is the original's to end.
        os._exit(0)


def _collect(copies: dict[int, int], done: dict[int, list[Result]], *, wait: bool) -> None:
    """Take what copies have handed back; with ``wait`` until one did, or ended."""
    there = select.poll()
    for results in copies:
        there.register(results, select.POLLIN)
    for results, _ in there.poll(None if wait and copies else 0):
        try:
            number, size = _PARCEL.unpack(_received(results, _PARCEL.size))
            # It comes from this program's own copy.
            done[number] = pickle.loads(_received(results, size))  # noqa: S301
        except EOFError:
            _end(results, copies.pop(results))


def _received(results: int, size: int) -> bytearray:
    """So many bytes. Raises EOFError if fewer come."""
    received = bytearray()
    while len(received) < size:
        more = os.read(results, size - len(received))
        if not more:
            raise EOFError
        received += more
    return received


def _end(results: int, process: int) -> None:
    """End a copy: it has handed back all, or nobody wants its results any more."""
    os.close(results)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
