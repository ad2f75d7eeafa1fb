"""Text that a spreadsheet shows and does not run, and tables made of it.

Excel, LibreOffice and Google Sheets take a cell for a formula that begins with ``=``, ``+``,
``-`` or ``@``, also behind spaces, quotes, tabs and line ends; some take the full-width and the
small forms. Where a spreadsheet divides lines at ``;`` instead of ``,``, a cell begins behind each
``;``. An apostrophe before such a character makes the cell text (OWASP, "CSV Injection"). One such
character alone is text already.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from upcall_text.plain import escape_unprintable

LONGEST = 2000
"""Characters of a cell; Excel shows no more than 32,767."""

_STARTS = re.compile(r"(^|[,;|])(?=[\s\"']*[=+\-@＝＋－＠﹦﹢﹣﹫−].)", re.DOTALL)  # noqa: RUF001  # these are meant

Cell = str | int | float


def harmless(text: str) -> str:
    """Return a text of unknown origin as a cell: one line, all printable, no formula."""
    cut = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return escape_unprintable(_STARTS.sub(r"\1'", cut))


def table(rows: Iterable[Iterable[Cell]]) -> bytes:
    """Return rows as CSV (RFC 4180, but lines end with a line feed alone), UTF-8 without a mark.

    Texts are made harmless; numbers stay numbers.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue().encode()
