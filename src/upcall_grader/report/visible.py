"""Text of unknown origin made harmless on a page.

HTML's own characters are escaped by the templates. What is left to do is what a terminal needs as
well: control characters (most are illegal in XML too), bidi overrides, towers of combining marks.
"""

from __future__ import annotations

import unicodedata

from markupsafe import Markup

from upcall_grader.terminal import plain

MAX_TEXT = 2000
"""Characters: longer texts are cut; no sentence of the grader is near it."""
_MAX_MARKS = 2


def visible(text: str) -> str:
    """``text`` with every character that could do harm shown as its escape."""
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + "…"
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        shown.append(plain(character) if marks <= _MAX_MARKS else f"\\u{ord(character):04x}")
    return "".join(shown)


def finalize(value: object) -> object:
    """What a template is about to print, made visible; Markup was made by a template itself."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
