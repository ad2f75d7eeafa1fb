"""Strings that nothing may print as they are, and what of them was."""

from __future__ import annotations

import sys
import unicodedata

from upcall_text.plain import MAX_MARKS

# By what each would do to whoever reads it.
HOSTILE = {
    "clears the screen": "\x1b[2J",
    "sets the title": "\x1b]0;title\x07",
    "clears by a C1 control": "\x9b2J",
    "rings": "\a",
    "rubs out": "ab\b\b\x7f",
    "returns": "ab\rcd",
    "goes down a line": "ab\vcd\fef",
    "begins a line": "ab\u2028cd\u2029ef\x85gh",
    "turns a line round": "\u202egpj.exe\u202c",
    "isolates": "\u2066ab\u2069",
    "marks a direction": "\u200e\u200f\u061c",
    "has no width": "a\u200bb\u200cc\u200dd\u2060e\ufefff",
    "hides a hyphen": "a\u00adb",
    "is a wide blank": "a\u00a0b\u3000c\u2003d",
    "is a tag": "\U000e0001\U000e0061\U000e007f",
    "fills a Hangul syllable": "\u115f\u1160\u3164\uffa0",
    "joins what is not there": "a\u034fb\u17b4\u17b5",
    "varies nothing": "a\ufe00b\ufe0fc\U000e0100d\u180be",
    "is a blank pattern": "\u2800\U0001d159",
    "is private": "\ue000\U000f0000",
    "is not assigned": "\u0378\U000e1000",
    "is no character": "\ufffe\U0010ffff",
    "is half a character": "\ud800\udfff",
    "was no UTF-8": b"\xff\xfe\x80".decode("utf-8", "surrogateescape"),
    "is a tower": "e" + "\u0301" * 20,
    "is a tower of two kinds": "e" + "\u0489\u0301" * 20,
    "is null": "a\0b",
}


def raw(text: str, allowed: str = "\n") -> list[str]:
    """Return the characters of an output that show it was not escaped."""
    signs, marks = [], 0
    for character in text:
        category = unicodedata.category(character)[0]
        marks = marks + 1 if category == "M" else 0
        if character in allowed or character == " ":
            continue
        if category in "CZ" or character in INVISIBLE or marks > MAX_MARKS:
            signs.append(f"U+{ord(character):04X}")
    return signs


INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\U0001d159"
) | {
    chr(code)
    for code in range(sys.maxunicode)
    if "VARIATION SELECTOR" in unicodedata.name(chr(code), "")
}
