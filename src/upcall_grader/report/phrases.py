"""What the pages say of their own, in one language."""

from __future__ import annotations

from collections.abc import Sequence

from upcall_grader.texts import load

_MAX_RUNS = 12
RANGE = NONE = "\u2013"
"""An en dash: between the ends of a range, and in the place of what is not there."""


class Phrases:
    """The sentences of ``texts/pages.*.toml``, and numbers as the language writes them."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = load("pages", language)
        self._signs = str.maketrans(
            {",": self._texts["number.group"]["text"], ".": self._texts["number.decimal"]["text"]}
        )

    def __call__(self, code: str, **values: str | float) -> str:
        """Return the sentence ``code``, filled in; with a ``count`` of 1, its singular."""
        sentence = self._texts[code]
        form = sentence["text"]
        if values.get("count") == 1:
            form = sentence.get("one", form)
        filled = {
            name: value if isinstance(value, str) else self.number(value)
            for name, value in values.items()
        }
        return form.format_map(filled)

    def number(self, value: float) -> str:
        """Return a number with at most two decimals, none without need: 100, 12.5, 1,000."""
        text = f"{value:,.2f}".rstrip("0").rstrip(".")
        return text.translate(self._signs)

    def frames(self, frames: Sequence[int]) -> str:
        """Return frame numbers: three or more in a row as a range, only the first of many."""
        runs = _runs(frames)
        shown = ", ".join(
            f"{first}{RANGE}{last}" if last > first else str(first)
            for first, last in runs[:_MAX_RUNS]
        )
        left = sum(last - first + 1 for first, last in runs[_MAX_RUNS:])
        return self("frames.more", frames=shown, count=left) if left else shown


def _runs(frames: Sequence[int]) -> list[tuple[int, int]]:
    """Yield first and last of each run of consecutive numbers; a run has at least three."""
    runs: list[tuple[int, int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    return [part for first, last in runs for part in _parts(first, last)]


def _parts(first: int, last: int) -> list[tuple[int, int]]:
    return [(first, first), (last, last)] if last == first + 1 else [(first, last)]
