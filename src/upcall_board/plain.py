"""What a run prints, escaped: words of lab hosts must not move a cursor or hide.

The standard library is enough for it, since lines are printed also where rich is missing.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from upcall_text.plain import escape_unprintable


def harmless(text: str, colors: Collection[str] = ()) -> str:
    """Return ``text`` with escapes for what is not printable, but for line ends, tabs and colours.

    ``colors`` are those that it may have, as SGR parameters (ECMA-48, 8.3.117).
    """
    if not colors:
        return escape_unprintable(text, keep="\n\t")
    parts = re.split(rf"(\x1b\[(?:0|{'|'.join(sorted(colors))})m)", text)
    # Every second part is a colour.
    return "".join(
        part if number % 2 else escape_unprintable(part, keep="\n\t")
        for number, part in enumerate(parts)
    )
