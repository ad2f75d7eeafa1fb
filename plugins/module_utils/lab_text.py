"""Text that lab hosts and the controller write alike: hostile characters escaped, moments in UTC.

What hosts, captures, file names and students say must not move a reader's cursor, turn a line round
(Unicode Technical Report 36, section 2.5), hide, or pile up over the lines above.

This file exists twice, so that modules have it on lab hosts: as ``upcall_text/plain.py`` and as
``lab_text.py`` among the module utilities. A test holds both to the same bytes.
"""

from __future__ import annotations

import math
import time
import unicodedata
from collections.abc import Iterator

MAX_MARKS = 2
"""Combining marks on one character; no language needs many more."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# Letters, marks and symbols that show nothing: those of Default_Ignorable_Code_Point (Unicode
# Standard Annex 44) whose category does not show it, and blanks.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    "\U00013441\U00013442\U00016fe4\U0001d159"
    + "".join(map(chr, range(0xFE00, 0xFE10)))  # variation selectors
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)


def escape_unprintable(text: str, longest: int | None = None, keep: str = "") -> str:
    r"""Return ``text`` in characters that print as themselves, and escapes for all others.

    Args:
        text: Anybody's words; undecodable bytes may be in it as surrogates.
        longest: Largest number of characters to show; the last is an ellipsis if some are left out.
        keep: Characters that stay as they are, as ``"\n"`` where lines are wanted.
    """
    if longest is not None and len(text) > longest:
        text = f"{text[: longest - 1]}…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(escapes(text, keep))


def escapes(text: str, keep: str = "") -> Iterator[str]:
    """Yield what shows for each character of ``text``: itself or its escape.

    A mark at the beginning would sit on what is printed before it, so it is escaped.
    """
    marks = MAX_MARKS
    for character in text:
        category = unicodedata.category(character)[0]
        marks = marks + 1 if category == "M" else 0
        unsafe = category in "CZ" and character != " "
        if (unsafe or marks > MAX_MARKS or character in _INVISIBLE) and character not in keep:
            yield _escape(character)
        else:
            yield character


def _escape(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def instant(seconds: float, milliseconds: bool = False) -> str:
    """Return a moment of Unix time in UTC, ISO 8601, as ``2026-11-28T07:30:00Z``."""
    whole = math.floor(seconds)
    fraction = f".{int((seconds - whole) * 1000):03}" if milliseconds else ""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f"{fraction}Z"
