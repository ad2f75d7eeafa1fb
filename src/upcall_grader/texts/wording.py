"""Criteria and remarks as sentences in one language."""

from __future__ import annotations

from collections.abc import Mapping

from upcall_grader.judge.results import Remark
from upcall_grader.judge.rubric import Criterion
from upcall_grader.texts import load


class Wording:
    """The sentences of one language (one of ``languages.LANGUAGES``).

    What stands in them of captures and file names is as hostile as there.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = load("remarks", language)
        self._phrases = {} if language == "en" else load("phrases", language)

    def title(self, criterion: Criterion) -> str:
        """Return the criterion's own title in this language or in English, or its check's."""
        own = criterion.titles.get(self.language) or criterion.titles.get("en")
        if own:
            return own
        values = {
            name: ", ".join(value) if isinstance(value, tuple) else value
            for name, value in criterion.parameters.items()
        }
        return self._texts[f"title.{criterion.check}"]["text"].format_map(_Values(values))

    def short_title(self, criterion: Criterion) -> str:
        """Return a word or two for a column, from the criterion's check."""
        return self._texts[f"short.{criterion.check}"]["text"]

    def text(self, remark: Remark) -> str:
        """Return the remark as a sentence."""
        return self._texts[remark.code]["text"].format_map(self._values(remark))

    def remedy(self, remark: Remark) -> str:
        """Return what to do about it; "" if there is nothing to do."""
        return self._texts[remark.code].get("remedy", "").format_map(self._values(remark))

    def _values(self, remark: Remark) -> _Values:
        return _Values(
            {
                name: self._said(value) if name in _SAID_BY_US else value
                for name, value in remark.values.items()
            }
        )

    def _said(self, value: str | int) -> str | int:
        """A phrase of the reader's in this language: by its longest beginning that is known."""
        if not self._phrases or isinstance(value, int):
            return value
        known = [phrase for phrase in self._phrases if _begins(value, phrase)]
        return self._phrases[max(known, key=len)]["text"] if known else value


_SAID_BY_US = frozenset(("by", "cause", "first", "reason", "remedy"))
"""Values that are phrases of this program; all others may be anybody's words."""


def _begins(value: str, phrase: str) -> bool:
    """Whether the value is the phrase, or goes on behind it with details."""
    return value == phrase or (value.startswith(phrase) and value[len(phrase)] in " :;(")


class _Values(dict[str, str | int]):
    """What is not given shows as an ellipsis: a sentence with a gap is better than no page."""

    def __init__(self, values: Mapping[str, str | int]) -> None:
        super().__init__(values)

    def __missing__(self, name: str) -> str:
        return "…"
