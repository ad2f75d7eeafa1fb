"""Contestants run in turn, each on a machine that is as quiet as it gets."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.goals import Rounds, order
from bench.process import Measured, busy

FEWEST_ROUNDS = 5
_QUIET, _QUIET_WAIT = 0.5, 20.0  # share of the CPU time in use; seconds


class Noise(NamedTuple):
    """What else the machine did: shares of CPU time before each process, load before and after."""

    shares: list[float]
    load: tuple[float, float]


def say(text: str) -> None:
    """Progress is for people, so it does not mix with the results."""
    print(text, file=sys.stderr, flush=True)


def settle() -> float:
    """Wait a while until the machine is quiet; the share of its CPU time that was still in use."""
    deadline = time.monotonic() + _QUIET_WAIT
    while True:
        share = busy(1.0)
        if share < _QUIET or time.monotonic() > deadline:
            return share


def measure_all(
    names: Sequence[str],
    rounds: int,
    run: Callable[[str], Measured],
    prepare: Callable[[str], None] = lambda _: None,
) -> tuple[Rounds, Noise]:
    """All rounds, after one that is not measured; ``run`` runs a contestant by its name.

    ``prepare`` is called with the name before the machine is waited for to be quiet.
    """
    measured: dict[str, list[Measured]] = {name: [] for name in names}
    shares = []
    load = os.getloadavg()[0]
    for number in range(rounds + 1):
        for name in order(list(names), number):
            prepare(name)
            share = settle()
            result = run(name)
            say(
                f"round {number or 'unmeasured'}: {name:12} {result.seconds:7.3f} s, CPU"
                f" {result.cpu:7.3f} s ({share:.0%} busy before, load {os.getloadavg()[0]:.1f})"
            )
            if number:
                measured[name].append(result)
                shares.append(share)
    return measured, Noise(shares, (load, os.getloadavg()[0]))


def hand_out(text: str, output: Path | None) -> None:
    """Write the results to a file, or else print them."""
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")
        say(f"bench: written to {os.path.relpath(output)}")
