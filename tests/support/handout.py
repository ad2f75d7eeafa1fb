"""A handout, read as its reader follows it: what is typed at which terminal, and what it shows.

A command block's first line names its terminal: ```` ```console server ````. A line with ``$`` is
typed at the shell, ``^C`` is pressed, the text behind the client's prompt is typed there; every
other line is shown.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator
from pathlib import Path

_PROMPTS = ("Enter message: ", "Enter another message: ")
_BLOCK = re.compile(r"^```console (\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ANY_BLOCK = re.compile(r"^```", re.MULTILINE)
# What differs from machine to machine and from run to run: hexadecimal names, addresses, counts.
_VARYING = re.compile(r"[0-9a-f]{12}|\d+\.\d+\.\d+\.\d+|(?<=, )\d{4,5}(?=\))|^[1-9]\d*(?= packets)")


class Step(t.NamedTuple):
    """One line of a command block. ``kind``: shell, key, prompt or shown."""

    terminal: str
    kind: str
    text: str
    prompt: str = ""


def steps(handout: Path) -> list[Step]:
    """Return all lines of all command blocks, in order."""
    text = handout.read_text("utf-8")
    blocks = _BLOCK.findall(text)
    assert blocks, handout
    assert len(_ANY_BLOCK.findall(text)) == 2 * len(blocks), "a block that names no terminal"
    return [step for terminal, block in blocks for step in _steps(terminal, block)]


def _steps(terminal: str, block: str) -> Iterator[Step]:
    for line in block.splitlines():
        prompt = next((prompt for prompt in _PROMPTS if line.startswith(prompt)), "")
        if line.startswith("$ "):
            yield Step(terminal, "shell", line[2:])
        elif line == "^C":
            yield Step(terminal, "key", line)
        elif prompt:
            yield Step(terminal, "prompt", line.removeprefix(prompt), prompt)
        else:
            yield Step(terminal, "shown", line)


def pattern(line: str) -> str:
    """Return the line as a regular expression, in which what varies may be another of its kind."""
    parts, at = [], 0
    for match in _VARYING.finditer(line):
        parts += [re.escape(line[at : match.start()]), _kind(match[0])]
        at = match.end()
    return "".join([*parts, re.escape(line[at:])])


def _kind(variable: str) -> str:
    if "." in variable:
        return r"\d+\.\d+\.\d+\.\d+"
    return "[0-9a-f]{12}" if len(variable) == 12 else r"\d+"
