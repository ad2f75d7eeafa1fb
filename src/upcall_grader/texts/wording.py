"""Criteria and remarks as sentences in one language."""

from __future__ import annotations

from collections.abc import Mapping

from upcall_grader.judge.results import Remark
from upcall_grader.judge.rubric import Criterion
from upcall_grader.texts import load


class Wording:
    """The sentences of one language (one of ``texts.LANGUAGES``).

    What stands in them of captures and file names is as hostile as there.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = load("remarks", language)

    def title(self, criterion: Criterion) -> str:
        """The criterion's own title in this language, or in English, or that of its check."""
        own = criterion.titles.get(self.language) or criterion.titles.get("en")
        if own:
            return own
        values = {
            name: ", ".join(value) if isinstance(value, tuple) else value
            for name, value in criterion.parameters.items()
        }
        return self._texts[f"title.{criterion.check}"]["text"].format_map(_Values(values))

    def text(self, remark: Remark) -> str:
        """What is the case."""
        return self._texts[remark.code]["text"].format_map(_Values(remark.values))

    def remedy(self, remark: Remark) -> str:
        """What to do about it; "" where nothing can be done or has to be."""
        return self._texts[remark.code].get("remedy", "").format_map(_Values(remark.values))


class _Values(dict[str, str | int]):
    """What is not given shows as an ellipsis: a sentence with a gap is better than no page."""

    def __init__(self, values: Mapping[str, str | int]) -> None:
        super().__init__(values)

    def __missing__(self, name: str) -> str:
        return "…"
