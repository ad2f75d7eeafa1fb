"""Payload as text in quotes for a terminal, lines, signs and colours."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from upcall_text.plain import escapes

_TIGHT = 24
_STYLES = {
    "handshake": "36",
    "message": "32",
    "upcall": "35",
    "close": "34",
    "bad": "1;31",
    "warn": "33",
    "good": "1;32",
    "dim": "2",
    "bold": "1",
    "plain": "",
}


def width(text: str) -> int:
    """Return the columns that ``text`` takes on a terminal."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character)[0] == "M":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def quoted(data: bytes, columns: int) -> str:
    """Return payload as text in double quotes, at most about ``columns`` wide.

    Bytes that are no UTF-8, control and format characters show as escapes. What does not fit is
    counted behind the closing quote: ``"abc…" +120 bytes``.
    """
    text = whole(data, columns)
    if text is not None:
        return text
    unit = "bytes" if columns >= _TIGHT else "B"
    room = max(columns - 2 - len(f"… +{len(data)} {unit}"), 1)
    cut, kept = _fit(data[: room * 12 + 12], room)
    return f'"{cut}…" +{len(data) - (kept or 0)} {unit}'


def whole(data: bytes, columns: int) -> str | None:
    """Return the same as ``quoted``, but None if it does not fit."""
    room = max(columns - 2, 1)
    # A column holds at most 12 bytes: one character of 4 and two marks of 4. More cannot fit.
    text, cut = _fit(data[: room * 12 + 12], room)
    return f'"{text}"' if cut is None else None


def _fit(data: bytes, room: int) -> tuple[str, int | None]:
    """Return escaped text of at most ``room`` columns, and how many bytes it holds if not all."""
    shown: list[str] = []
    used, taken = 0, 0
    text = data.decode("utf-8", "surrogateescape")
    for character, escaped in zip(text, escapes(text)):
        columns = width(escaped)
        if used + columns > room:
            return "".join(shown), taken
        shown.append(escaped)
        used += columns
        taken += len(character.encode("utf-8", "surrogateescape"))
    return "".join(shown), None


def wrapped(text: str, columns: int) -> Iterator[str]:
    """Yield ``text`` in lines of at most ``columns``; no word is cut."""
    line = ""
    for word in text.split(" "):
        if line and width(line) + 1 + width(word) > columns:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


@dataclass(frozen=True)
class Glyphs:
    """Line-drawing characters, or what replaces them where the output cannot show them."""

    top: str = "┌"
    middle: str = "│"
    bottom: str = "└"
    single: str = "╶"
    arrow: str = "→"
    ellipsis: str = "…"
    yes: str = "✔"
    no: str = "✘"
    unknown: str = "?"

    @staticmethod
    def for_encoding(encoding: str | None) -> Glyphs:
        """Return the drawing characters if the output's encoding has them, otherwise ASCII."""
        try:
            "┌│└╶→…✔✘".encode(encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return Glyphs("/", "|", "\\", "-", "->", "...", "+", "!")
        return Glyphs()


def wants_colour(choice: str, stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether to colour: ``auto`` means on a terminal that can, unless NO_COLOR is set.

    Source: no-color.org.
    """
    if choice != "auto":
        return choice == "always"
    quiet = environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    return stream.isatty() and not quiet


class Painter:
    """Puts styles round text, or leaves it alone."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, style: str, text: str) -> str:
        """Return ``text`` in the named style."""
        code = _STYLES[style]
        if not self._colour or not code or not text:
            return text
        return f"\x1b[{code}m{text}\x1b[0m"
